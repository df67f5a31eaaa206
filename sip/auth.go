package sip

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	// maxRetries of one request with credentials: a proxy and what is behind it may both ask (RFC 3261 22.3), and each may
	// find its nonce stale once.
	maxRetries = 4
	// nonceLife is how long a nonce is sent ahead of a challenge: what Kamailio lets one live. Asterisk's live 32 s, and say
	// stale then, which costs what no credentials would have cost.
	nonceLife = 5 * time.Minute
	// oneTimeLife is how long none is sent ahead where one was refused without stale: they serve once there; or it was a
	// restart that made the peer forget its nonces, which passes.
	oneTimeLife = time.Hour
	// credentialsRest is how long nothing is sent after a refused password: it doubles with each refusal in a row.
	credentialsRest = time.Minute
	credentialsMost = 15 * time.Minute
)

// AuthError says why a 401 or 407 was not answered, or not once more.
type AuthError struct {
	Status  string // "401 Unauthorized"
	Refused bool   // credentials answered a fresh challenge of this request, and were refused
	Err     error
}

// Error names the response and the reason.
func (e *AuthError) Error() string {
	if e.Refused {
		return fmt.Sprintf("refused after authentication with %s: %v", e.Status, e.Err)
	}
	return fmt.Sprintf("challenged with %s, %v", e.Status, e.Err)
}

// Unwrap gives the cause.
func (e *AuthError) Unwrap() error { return e.Err }

var (
	errNoCredentials = errors.New("and no user and password are configured")
	errNoChallenge   = errors.New("and no credentials can answer it: no digest with an algorithm known here (MD5, SHA-256, SHA-512-256)")
	errForeignHost   = errors.New("by a host that is not the trunk")
	errForeignRealm  = errors.New("for a realm that is not the trunk's")
	errRefused       = errors.New("check user, auth_user and password")
	errStale         = errors.New("for ever new nonces: check user, auth_user and password")
	errResting       = errors.New("the trunk refused user or password; nothing is sent for a while, because it might ban us")
)

// exchange is the authentication of one request: with what its challenges were answered so far. Not for concurrent use.
type exchange struct {
	auth    *authenticator
	answers []answer
	tries   int
}

// answer is what one protection space of a request is told.
type answer struct {
	space   space
	nonce   *nonce
	fresh   bool // answers a challenge of this request; false = sent ahead
	renewed bool // was stale once already
}

// begin signs a request with nonces that are known already, which saves the round trip of a challenge.
func (a *authenticator) begin(req *sip.Request) exchange {
	x := exchange{auth: a}
	peer := peerOf(req)
	if a.cred.User == "" || !a.trusted(peer) {
		return x
	}
	for _, s := range challengeHeaders() {
		if n, sp := a.ahead(place{peer, s, req.Method == sip.REGISTER}); n != nil {
			x.answers = append(x.answers, answer{space: sp, nonce: n})
		}
	}
	x.sign(req)
	return x
}

// sign puts the answers into a request, each with a nonce count of its own.
func (x *exchange) sign(req *sip.Request) {
	for _, h := range challengeHeaders() {
		req.RemoveHeader(answerHeader(h))
	}
	for _, a := range x.answers {
		value, err := x.auth.credentials(a.nonce, string(req.Method), req.Recipient.String(), req.Body())
		if err == nil { // strongest has made sure
			req.AppendHeader(sip.NewHeader(answerHeader(a.space.header), value))
		}
	}
}

// challenged takes a 401 or 407 to a request. nil: the request is to be signed and sent once more. A nonce that was sent
// ahead and is refused says nothing about the password: Kamailio gives no stale then.
func (x *exchange) challenged(res *sip.Response, req *sip.Request) error {
	refuse := func(err error) error {
		return &AuthError{Status: statusLine(res), Refused: errors.Is(err, errRefused), Err: err}
	}
	peer := peerOf(req)
	switch {
	case x.auth.cred.User == "":
		return refuse(errNoCredentials)
	case !x.auth.trusted(peer):
		return refuse(errForeignHost)
	case req.Method != sip.BYE && !x.auth.restsUntil().IsZero(): // a call that is left up is worse
		return refuse(errResting)
	}
	found, err := x.auth.challenges(res, peer, req.Method)
	if err != nil {
		return refuse(err)
	}
	for _, c := range found {
		if err := x.replace(c); err != nil {
			if errors.Is(err, errRefused) {
				x.auth.refused()
			}
			return refuse(err)
		}
	}
	if x.tries++; x.tries > maxRetries {
		return refuse(errStale)
	}
	return nil
}

// replace notes the answer to a fresh challenge in place of what was said to this space before.
func (x *exchange) replace(c answer) error {
	at := slices.IndexFunc(x.answers, func(a answer) bool { return a.space.header == c.space.header })
	if at < 0 {
		x.answers = append(x.answers, c)
		return nil
	}
	old := x.answers[at]
	stale := c.nonce.chal.Stale
	switch {
	case old.space.realm != c.space.realm:
	case !old.fresh:
		x.auth.spent(old, stale)
	case !stale:
		return errRefused
	case old.renewed:
		return errStale
	default:
		c.renewed = true
	}
	x.answers[at] = c
	return nil
}

// settled takes a response to a request, if it is not a challenge: its credentials were good. A bare 403 is no proof of that.
func (x *exchange) settled(req *sip.Request, res *sip.Response) {
	switch {
	case len(x.answers) == 0:
	case isBare403(res):
		x.auth.doubt()
	default:
		x.auth.accepted(x.answers, req.Method == sip.REGISTER)
	}
}

// doubts tells whether a refusal of this request may be that of its credentials.
func (x *exchange) doubts(res *sip.Response) bool {
	return len(x.answers) > 0 && isBare403(res) && x.auth.doubts()
}

// isBare403 tells whether a response forbids without a cause: what chan_sip and FreeSWITCH say to a wrong password, too.
func isBare403(res *sip.Response) bool {
	return res.StatusCode == 403 && parseReason(headerValues(res, "Reason")).Q850 == 0
}

// errEither is such a 403 while the peer never took our credentials.
var errEither = errors.New("403 to a request with credentials: user or password may be wrong, or the account may not do this")

// Doubted tells whether the trunk refused credentials, or what was asked with them, and never took them: some peers do not say
// which (403).
func (t *Trunk) Doubted() bool { return t.auth.doubts() }

// authenticated sends a request other than INVITE and ACK, answers its challenges, and returns the final response. Where
// that is a 401 or 407 that was not answered, or not once more, the error is an [*AuthError] and the response is returned
// beside it. next gives the CSeq of each repetition (RFC 3261 22.2).
func (t *Trunk) authenticated(ctx context.Context, req *sip.Request, next func() uint32) (*sip.Response, error) {
	x := t.auth.begin(req)
	for {
		res, err := t.transact(ctx, req)
		if err != nil {
			return nil, err
		}
		if res.StatusCode != 401 && res.StatusCode != 407 {
			x.settled(req, res)
			return res, nil
		}
		if err := x.challenged(res, req); err != nil {
			t.vitals.unanswered(err)
			return res, err
		}
		req = t.repeat(req, next())
		x.sign(req)
	}
}

// repeat is the same request as a new transaction, built from what was sent and not from the challenge, so that nothing
// that one carries (a Record-Route, a To tag) finds its way into it (RFC 3261 8.1.3.5).
func (t *Trunk) repeat(req *sip.Request, seq uint32) *sip.Request {
	again := req.Clone()
	if via := again.Via(); via != nil {
		fresh := via.Clone()
		fresh.Params.Add("branch", "z9hG4bK"+t.token(12))
		again.RemoveHeader("Via")
		again.PrependHeader(fresh)
	}
	again.ReplaceHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: req.Method})
	return again
}

// counting gives CSeqs from the one after seq on.
func counting(seq uint32) func() uint32 {
	return func() uint32 { seq++; return seq }
}
