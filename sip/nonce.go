package sip

import (
	"crypto/md5" //nolint:gosec // what most trunks ask for (RFC 7616 3.2)
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// authenticator answers the digest challenges (RFC 8760) of one trunk and remembers its nonces. Only hosts that are the
// trunk are answered, and only for the realm they are known by: a challenge may come from anywhere behind the trunk, from
// the very phone that is called, and an answer to it is worth a try at our password.
type authenticator struct {
	cred   Credentials
	domain string
	peers  []netip.Prefix
	token  func(n int) string
	now    func() time.Time

	mu     sync.Mutex
	hosts  map[string]bool // that are the trunk
	realms map[place]string
	spaces map[space]*protection
	proof  proof
	rest   struct {
		until    time.Time
		failures int
	}
}

// proof is whether our credentials are known to be good.
type proof int

const (
	unproven proof = iota
	doubtful       // a request with them was forbidden, and none was ever taken
	proven
)

// place is where a challenge comes from. A registrar may have a realm of its own.
type place struct {
	peer, header string
	registrar    bool
}

// space is a protection space: what one nonce is good for.
type space struct{ peer, header, realm string }

// protection is what is known of a space.
type protection struct {
	nonce  *nonce
	asksAt time.Time // when a nonce sent ahead was refused last: they serve once there, and that costs the round trip it should save
}

// nonce is one challenge, and how often it was answered.
type nonce struct {
	chal   digest.Challenge
	cnonce string // stays: the session variants count on it
	at     time.Time
	count  int
}

const spacesMost = 64 // that are remembered

func newAuthenticator(cfg TrunkConfig, env Env, token func(int) string) *authenticator {
	a := &authenticator{
		cred: cfg.Credentials, domain: cfg.Identity.Domain, peers: cfg.Peers, token: token, now: env.Now,
		hosts: map[string]bool{}, realms: map[place]string{}, spaces: map[space]*protection{},
	}
	for _, address := range cfg.Addresses {
		if host, _, err := splitAddress(address); err == nil {
			a.hosts[strings.ToLower(host)] = true
		}
	}
	return a
}

func challengeHeaders() []string { return []string{"WWW-Authenticate", "Proxy-Authenticate"} }

func answerHeader(challenge string) string {
	if challenge == "Proxy-Authenticate" {
		return "Proxy-Authorization"
	}
	return "Authorization"
}

// peerOf is the host a request goes to.
func peerOf(req *sip.Request) string {
	destination := req.Destination()
	if ap, err := netip.ParseAddrPort(destination); err == nil {
		return ap.Addr().Unmap().String()
	}
	host, _, err := splitAddress(destination)
	if err != nil {
		return destination
	}
	return strings.ToLower(host)
}

// trust makes a host one of the trunk's.
func (a *authenticator) trust(host netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hosts[host.Unmap().String()] = true
}

func (a *authenticator) trusted(host string) bool {
	addr, _ := netip.ParseAddr(host) // a name is in no network
	for _, p := range a.peers {
		if p.Contains(addr) {
			return true
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.hosts[host]
}

// ahead is a nonce that may be sent before it is asked for, nil if there is none: fresh enough, and with a nonce count, so
// that what was said with it cannot be said again.
func (a *authenticator) ahead(at place) (*nonce, space) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := space{at.peer, at.header, a.realms[at]}
	p := a.spaces[s]
	if p == nil || p.nonce == nil || a.now().Sub(p.asksAt) < oneTimeLife || len(p.nonce.chal.QOP) == 0 || a.now().Before(a.rest.until) ||
		a.now().Sub(p.nonce.at) > nonceLife {
		return nil, s
	}
	return p.nonce, s
}

// challenges are the strongest challenge of each header that can be answered, for realms that are the trunk's.
func (a *authenticator) challenges(res *sip.Response, peer string, method sip.RequestMethod) ([]answer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []answer
	err := errNoChallenge
	for _, header := range challengeHeaders() {
		at := place{peer, header, method == sip.REGISTER}
		own := method == sip.REGISTER || method == sip.OPTIONS // addressed to the trunk itself: nobody behind it asks
		var known []digest.Challenge
		for _, c := range digestChallenges(headerValues(res, header)) {
			if own || a.realmLocked(at, c.Realm) {
				known = append(known, c)
			} else {
				err = errForeignRealm
			}
		}
		best := strongest(known)
		if best == nil {
			continue
		}
		if own {
			a.realms[at] = best.Realm
		}
		n := &nonce{chal: *best, cnonce: a.token(8), at: a.now()}
		s := space{peer, header, best.Realm}
		if len(a.spaces) >= spacesMost { // somebody makes realms up
			clear(a.spaces)
		}
		if a.spaces[s] == nil {
			a.spaces[s] = &protection{}
		}
		a.spaces[s].nonce = n
		out = append(out, answer{space: s, nonce: n, fresh: true})
	}
	if len(out) == 0 {
		return nil, err
	}
	return out, nil
}

// realmLocked tells whether a realm is that of a place: the first one that took our credentials there, the registrar's, or
// our domain. Where none is known yet, any.
func (a *authenticator) realmLocked(at place, realm string) bool {
	known, seen := a.realms[at]
	registrar, asked := a.realms[place{at.peer, at.header, true}]
	return !seen || realm == known || asked && realm == registrar || a.domain != "" && strings.EqualFold(realm, a.domain)
}

// spent: a nonce that was sent ahead was refused. Without stale it was good for one request only.
func (a *authenticator) spent(old answer, stale bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.spaces[old.space]; p != nil && !stale {
		p.asksAt = a.now()
	}
}

// accepted: credentials were good.
func (a *authenticator) accepted(answers []answer, registrar bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rest.failures, a.rest.until, a.proof = 0, time.Time{}, proven
	for _, x := range answers {
		at := place{x.space.peer, x.space.header, registrar}
		if _, known := a.realms[at]; !known {
			a.realms[at] = x.space.realm
		}
	}
}

// doubt: a request was forbidden that had credentials.
func (a *authenticator) doubt() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.proof = max(a.proof, doubtful)
}

func (a *authenticator) doubts() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.proof == doubtful
}

// refused: the password is wrong. Calls side by side are refused side by side, which counts once.
func (a *authenticator) refused() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now().Before(a.rest.until) {
		return
	}
	a.rest.until = a.now().Add(min(credentialsRest<<min(a.rest.failures, 10), credentialsMost))
	a.rest.failures++
}

// restsUntil is when credentials may be sent again after a refusal; zero if they may.
func (a *authenticator) restsUntil() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now().Before(a.rest.until) {
		return a.rest.until
	}
	return time.Time{}
}

// credentials are the value of an Authorization header. uri is the whole Request-URI, parameters included: strict servers
// compare it with the request's (RFC 3261 22.4).
func (a *authenticator) credentials(n *nonce, method, uri string, body []byte) (string, error) {
	a.mu.Lock()
	n.count++
	count := n.count
	a.mu.Unlock()
	chal := n.chal
	opts := digest.Options{
		Method: method, URI: uri, Username: a.cred.authUser(), Password: a.cred.Password, Count: count, Cnonce: n.cnonce, GetBody: bodyReader(body),
	}
	plain, session := strings.CutSuffix(strings.ToUpper(chal.Algorithm), sessionSuffix)
	if session { // the library knows no session variants, but takes an A1 (RFC 7616 3.4.2)
		h := hashOf(plain)
		opts.A1 = joined(h, joined(h, opts.Username, chal.Realm, opts.Password), chal.Nonce, n.cnonce)
		chal.Algorithm = plain
	}
	cred, err := digest.Digest(&chal, opts)
	if err != nil {
		return "", err
	}
	cred.Algorithm = n.chal.Algorithm
	return cred.String(), nil
}

func (c Credentials) authUser() string {
	if c.AuthUser != "" {
		return c.AuthUser
	}
	return c.User
}

const sessionSuffix = "-SESS"

// strongest is the challenge with the best algorithm among those we know, in the order of the headers where equal.
func strongest(challenges []digest.Challenge) *digest.Challenge {
	rank := []string{"SHA-512-256", "SHA-256", "MD5"}
	var best *digest.Challenge
	at := len(rank)
	for i := range challenges {
		c := &challenges[i]
		algorithm, session := strings.CutSuffix(strings.ToUpper(c.Algorithm), sessionSuffix)
		if algorithm == "" {
			algorithm = "MD5"
		}
		answerable := len(c.QOP) == 0 && !session || c.SupportsQOP("auth") || c.SupportsQOP("auth-int") // a session needs a cnonce
		if r := slices.Index(rank, algorithm); answerable && r >= 0 && r < at {
			best, at = c, r
		}
	}
	return best
}

func hashOf(algorithm string) hash.Hash {
	switch algorithm {
	case "SHA-256":
		return sha256.New()
	case "SHA-512-256":
		return sha512.New512_256()
	}
	return md5.New() //nolint:gosec // see above
}

func joined(h hash.Hash, parts ...string) string {
	h.Reset()
	h.Write([]byte(strings.Join(parts, ":"))) // a hash takes everything
	return hex.EncodeToString(h.Sum(nil))
}
