package sip

import (
	"errors"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// errNoChallenge says that nothing in a 401 or 407 can be answered.
var errNoChallenge = errors.New("no digest challenge with an algorithm known here (MD5, SHA-256)")

// authorization is one header to be added to the request that is sent again.
type authorization struct {
	header string // "Authorization" or "Proxy-Authorization"
	value  string
	stale  bool
}

// answerChallenges picks, for each of the two headers, the strongest challenge that can be answered (RFC 8760 2.4). A
// 401 may carry both: a proxy's and the user agent server's own.
func (c Credentials) answerChallenges(res *sip.Response, method, uri string, body []byte) ([]authorization, error) {
	var out []authorization
	for _, h := range []struct{ challenge, answer string }{
		{"WWW-Authenticate", "Authorization"}, {"Proxy-Authenticate", "Proxy-Authorization"},
	} {
		best := strongest(res.GetHeaders(h.challenge))
		if best == nil {
			continue
		}
		cred, err := digest.Digest(best, digest.Options{
			Method: method, URI: uri, Username: c.authUser(), Password: c.Password, Count: 1, GetBody: bodyReader(body),
		})
		if err != nil {
			return nil, err
		}
		out = append(out, authorization{h.answer, cred.String(), best.Stale})
	}
	if len(out) == 0 {
		return nil, errNoChallenge
	}
	return out, nil
}

func (c Credentials) authUser() string {
	if c.AuthUser != "" {
		return c.AuthUser
	}
	return c.User
}

// strongest is the challenge with the best algorithm among those we know, in the order of the headers where equal.
func strongest(headers []sip.Header) *digest.Challenge {
	rank := []string{"SHA-512-256", "SHA-256", "MD5", ""}
	var best *digest.Challenge
	at := len(rank)
	for _, h := range headers {
		if !digest.IsDigest(h.Value()) {
			continue
		}
		chal, err := digest.ParseChallenge(h.Value())
		if err != nil || !digest.CanDigest(chal) {
			continue
		}
		if r := slices.Index(rank, strings.ToUpper(chal.Algorithm)); r >= 0 && r < at {
			best, at = chal, r
		}
	}
	return best
}
