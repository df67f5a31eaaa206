package sip_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

// successor runs beside the trunks before it until stopped; it need not open.
func successor(t *testing.T, change func(*sip.TrunkConfig), address string, before ...*sip.Trunk) (trunk *sip.Trunk, stop func()) {
	t.Helper()
	cfg := sip.TrunkConfig{
		Name: "main", Addresses: []string{address}, Transport: "udp", Credentials: sip.Credentials{User: "telgate", Password: "secret"},
	}
	if change != nil {
		change(&cfg)
	}
	trunk, err := sip.NewTrunk(cfg, environment())
	if err != nil {
		t.Fatal(err)
	}
	trunk.Succeed(before...)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- trunk.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return trunk, stop
}

// alone is a trunk that is stopped by hand, or at the end.
func alone(t *testing.T, change func(*sip.TrunkConfig), address string) (trunk *sip.Trunk, stop func()) {
	t.Helper()
	trunk, stop = successor(t, change, address)
	return ready(t, trunk), stop
}

func TestASuccessorHasThePortAndEachAnswersForItsOwn(t *testing.T) {
	peer := siptest.NewPeer(t)
	old, leave := alone(t, nil, peer.Addr())
	first := invite(t, old)
	in := up(t, peer, first)
	heir, _ := successor(t, func(c *sip.TrunkConfig) { c.Identity.CallerID = "+12025550100" }, peer.Addr(), old)
	ready(t, heir)
	if heir.Listens() != old.Listens() {
		t.Fatalf("the successor listens on %s, the one before on %s", heir.Listens(), old.Listens())
	}
	old.Retire(heir)
	second := invite(t, heir)
	other := up(t, peer, second)
	if !strings.Contains(other.Get("From"), "+12025550100") {
		t.Errorf("From %q", other.Get("From"))
	}
	peer.Request(in, "INFO", "a", 1, "")
	peer.ExpectResponse(200)
	peer.Request(in, "BYE", "a", 2, "")
	peer.ExpectResponse(200)
	ends(t, first, sip.EndedByPeerBye)
	leave()
	third := invite(t, heir)
	busy(t, peer, third)
	second.Hangup(sip.Hangup{})
	peer.Answer(peer.Expect("BYE"), "200 OK", "a", "")
	ends(t, second, sip.EndedByLocalBye)
}

func TestASuccessorThatGoesAgainLeavesThePortToTheOneBefore(t *testing.T) {
	peer := siptest.NewPeer(t)
	old, _ := alone(t, nil, peer.Addr())
	heir, dismiss := successor(t, nil, peer.Addr(), old)
	ready(t, heir)
	dismiss()
	leg := invite(t, old)
	up(t, peer, leg)
	leg.Hangup(sip.Hangup{})
	peer.Answer(peer.Expect("BYE"), "200 OK", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
}

func TestARequestOutsideDialogsIsTheNewestTrunks(t *testing.T) {
	peer := siptest.NewPeer(t)
	rung := make(chan string, 4)
	by := func(name string) func(*sip.TrunkConfig) {
		return func(c *sip.TrunkConfig) { c.RungBy = func(string) { rung <- name } }
	}
	old, _ := alone(t, by("old"), peer.Addr())
	leg := invite(t, old)
	in := up(t, peer, leg)
	heir, _ := successor(t, by("heir"), peer.Addr(), old)
	ready(t, heir)
	local := heir.Listens().String()
	peer.Send(in.From, "INVITE sip:telgate@"+local+" SIP/2.0\r\nVia: SIP/2.0/UDP "+peer.Addr()+";branch=z9hG4bKx\r\nMax-Forwards: 70\r\n"+
		"From: \"a;tag=b\" <sip:7101@x>;tag=z\r\nTo: <sip:telgate@"+local+">\r\nCall-ID: z\r\nCSeq: 1 INVITE\r\nContact: <sip:7101@"+peer.Addr()+">\r\nContent-Length: 0\r\n\r\n")
	peer.ExpectResponse(480)
	if who := <-rung; who != "heir" {
		t.Errorf("%s was rung", who)
	}
	leg.Hangup(sip.Hangup{})
	peer.Answer(peer.Expect("BYE"), "200 OK", "a", "")
	ends(t, leg, sip.EndedByLocalBye)
}

func TestAPortHasOneSuccessor(t *testing.T) {
	peer := siptest.NewPeer(t)
	old, _ := alone(t, nil, peer.Addr())
	port := old.Listens().Port()
	wants := func(name string) func(*sip.TrunkConfig) {
		return func(c *sip.TrunkConfig) { c.Name, c.Local.Port = name, port }
	}
	first, _ := successor(t, wants("a"), peer.Addr(), old)
	ready(t, first)
	second, _ := successor(t, wants("b"), peer.Addr(), old)
	ready(t, second)
	if first.Listens() != old.Listens() || second.Listens() == old.Listens() {
		t.Errorf("%s is succeeded by %s and %s", old.Listens(), first.Listens(), second.Listens())
	}
}

func TestWhatTheSuccessorRegisteredIsNotTakenAway(t *testing.T) {
	r := registrar(t, siptest.Rules{Password: "secret", Grant: 120})
	account := func(user string) func(*sip.TrunkConfig) {
		return func(c *sip.TrunkConfig) {
			registering(c)
			c.Credentials.User, c.Identity.ContactUser = user, user
		}
	}
	old, leave := alone(t, account("telgate"), r.Addr())
	becomes(t, old, isUp)
	same, dismiss := successor(t, account("telgate"), r.Addr(), old)
	if err := same.Try(t.Context()); err != nil {
		t.Fatal(err)
	}
	old.Retire(same)
	leave()
	if all := r.Bindings(); len(all) != 1 {
		t.Fatalf("registered are %v", all)
	}
	another, _ := successor(t, account("other"), r.Addr(), same)
	if err := another.Try(t.Context()); err != nil {
		t.Fatal(err)
	}
	same.Retire(another)
	dismiss()
	if all := r.Bindings(); len(all) != 1 || !strings.Contains(all[0], "other@") {
		t.Errorf("registered are %v", all)
	}
}

func TestAContactThatIsNotTheSuccessorsIsTakenAwayThoughThePortIs(t *testing.T) {
	r := registrar(t, siptest.Rules{Password: "secret", Grant: 120})
	seen := func(public string) func(*sip.TrunkConfig) {
		return func(c *sip.TrunkConfig) { registering(c); c.Local.PublicAddress = public }
	}
	old, leave := alone(t, seen("198.51.100.1"), r.Addr())
	becomes(t, old, isUp)
	heir, _ := successor(t, seen("198.51.100.2"), r.Addr(), old)
	if err := heir.Try(t.Context()); err != nil {
		t.Fatal(err)
	}
	if heir.Listens() != old.Listens() {
		t.Fatalf("the successor listens on %s, the one before on %s", heir.Listens(), old.Listens())
	}
	old.Retire(heir)
	leave()
	if all := r.Bindings(); len(all) != 1 || !strings.Contains(all[0], "198.51.100.2") {
		t.Errorf("registered are %v", all)
	}
}

func TestARetiredTrunkRegistersNoMoreAndItsCallsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := siptest.NewWire()
		peer := wire.Peer(t)
		trunk := openOn(t, inMemory(wire), peer.Addr(), func(c *sip.TrunkConfig) { c.Probe.Mode = sip.ProbeOptions })
		peer.Answer(peer.Expect("OPTIONS"), "200 OK", "o", "")
		leg := invite(t, trunk)
		in := up(t, peer, leg)
		trunk.Retire(nil)
		peer.Quiet(5 * time.Minute)
		peer.Request(in, "BYE", "a", 1, "")
		peer.ExpectResponse(200)
		ends(t, leg, sip.EndedByPeerBye)
	})
}

func TestATrialSaysWhatIsWrong(t *testing.T) {
	r := registrar(t, siptest.Rules{Password: "secret", Grant: 120})
	silent := siptest.NewPeer(t)
	asks := func(c *sip.TrunkConfig) { c.Probe.Mode = sip.ProbeOptions }
	for _, c := range []struct {
		name, address, want string
		change              func(*sip.TrunkConfig)
		refused             bool
	}{
		{"a registration", r.Addr(), "", registering, false},
		{"OPTIONS", r.Addr(), "", asks, false},
		{"a password that is refused", r.Addr(), "401 Unauthorized", func(c *sip.TrunkConfig) { registering(c); c.Credentials.Password = "x" }, true},
		{"nobody there", silent.Addr(), "no answer to OPTIONS", asks, false},
		{"a connection that is refused", "127.0.0.1:1", "refused", func(c *sip.TrunkConfig) { c.Transport = "tcp" }, false},
		{"an address that is not ours", r.Addr(), "listen for SIP", func(c *sip.TrunkConfig) { c.Local.Bind = "192.0.2.1" }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			trunk, _ := successor(t, c.change, c.address)
			err := trunk.Try(t.Context())
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
			if a, ok := errors.AsType[*sip.AuthError](err); c.refused != (ok && a.Refused) {
				t.Errorf("%#v", err)
			}
		})
	}
}
