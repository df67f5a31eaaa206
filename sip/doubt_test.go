package sip_test

import (
	"strings"
	"testing"

	"telgate/sip"
	"telgate/sip/siptest"
)

const challenge = `WWW-Authenticate: Digest realm="pbx", nonce="n1", algorithm=MD5, qop="auth"`

// chan_sip and FreeSWITCH answer a wrong password with 403, as they answer a call that the account may not make.
func TestA403ToCredentialsThatWereNeverTakenMayBeEither(t *testing.T) {
	t.Parallel()
	const either = "user or password"
	refuse := func(peer *siptest.Peer, challenged bool, status string, more ...string) {
		in := peer.Expect("INVITE")
		if challenged {
			peer.Answer(in, "401 Unauthorized", "a", "", challenge)
			peer.Expect("ACK")
			in = peer.Expect("INVITE")
		}
		peer.Answer(in, status, "a", "", more...)
		peer.Expect("ACK")
	}
	for _, c := range []struct {
		name  string
		play  func(t *testing.T, peer *siptest.Peer, trunk *sip.Trunk) sip.Ended
		doubt bool
	}{
		{"to the first request with credentials", func(t *testing.T, peer *siptest.Peer, trunk *sip.Trunk) sip.Ended {
			t.Helper()
			leg := invite(t, trunk)
			refuse(peer, true, "403 Forbidden")
			return ends(t, leg, sip.EndedByRefused)
		}, true},
		{"to one without", func(t *testing.T, peer *siptest.Peer, trunk *sip.Trunk) sip.Ended {
			t.Helper()
			leg := invite(t, trunk)
			refuse(peer, false, "403 Forbidden")
			return ends(t, leg, sip.EndedByRefused)
		}, false},
		{"with a cause that says why", func(t *testing.T, peer *siptest.Peer, trunk *sip.Trunk) sip.Ended {
			t.Helper()
			leg := invite(t, trunk)
			refuse(peer, true, "403 Forbidden", "Reason: Q.850;cause=57")
			return ends(t, leg, sip.EndedByRefused)
		}, false},
		{"once they were taken", func(t *testing.T, peer *siptest.Peer, trunk *sip.Trunk) sip.Ended {
			t.Helper()
			leg := invite(t, trunk)
			refuse(peer, true, "486 Busy Here")
			ends(t, leg, sip.EndedByRefused)
			leg = invite(t, trunk)
			refuse(peer, true, "403 Forbidden") // sent ahead, and challenged anew
			return ends(t, leg, sip.EndedByRefused)
		}, false},
		{"and to the next one", func(t *testing.T, peer *siptest.Peer, trunk *sip.Trunk) sip.Ended {
			t.Helper()
			leg := invite(t, trunk)
			refuse(peer, true, "403 Forbidden")
			ends(t, leg, sip.EndedByRefused)
			leg = invite(t, trunk)
			refuse(peer, true, "403 Forbidden")
			return ends(t, leg, sip.EndedByRefused)
		}, true},
		{"after a phone rang", func(t *testing.T, peer *siptest.Peer, trunk *sip.Trunk) sip.Ended {
			t.Helper()
			leg := invite(t, trunk)
			peer.Answer(peer.Expect("INVITE"), "401 Unauthorized", "a", "", challenge)
			peer.Expect("ACK")
			in := peer.Expect("INVITE")
			peer.Answer(in, "180 Ringing", "a", "")
			peer.Answer(in, "403 Forbidden", "a", "")
			peer.Expect("ACK")
			return ends(t, leg, sip.EndedByRefused)
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			peer := siptest.NewPeer(t)
			trunk := open(t, peer.Addr(), nil)
			e := c.play(t, peer, trunk)
			if doubt := e.Err != nil && strings.Contains(e.Err.Error(), either); e.Status != 403 || doubt != c.doubt || trunk.Doubted() != c.doubt {
				t.Errorf("%d, %v, doubted %v; want %v", e.Status, e.Err, trunk.Doubted(), c.doubt)
			}
			if until := trunk.Health().RestUntil; !until.IsZero() {
				t.Errorf("the credentials rest until %s, though nobody said that they are wrong", until)
			}
		})
	}
}

func TestARegistrarsBare403MayBeAWrongPassword(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rules siptest.Rules
		doubt bool
	}{
		{siptest.Rules{Password: "another", Bare: true}, true},
		{siptest.Rules{Status: "403 Forbidden"}, false},
	} {
		trunk := open(t, registrar(t, c.rules).Addr(), registering)
		h := becomes(t, trunk, func(h sip.Health) bool { return h.Registration.Refused })
		if h.Reason != sip.DownRefused || !strings.Contains(h.Registration.Failure, "403 Forbidden") || strings.Contains(h.Registration.Failure, "user or password") != c.doubt || trunk.Doubted() != c.doubt {
			t.Errorf("%+v: %+v, doubted %v", c.rules, h, trunk.Doubted())
		}
	}
}
