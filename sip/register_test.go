package sip_test

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

// registrar serves on loopback until the test ends.
func registrar(t *testing.T, rules siptest.Rules) *siptest.Registrar {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	r := siptest.NewRegistrar(conn, rules)
	t.Cleanup(r.Close)
	return r
}

func registering(c *sip.TrunkConfig) {
	c.Register = sip.Register{On: true}
	c.Identity.ContactUser = "telgate"
}

// becomes waits for a state of the trunk's health.
func becomes(t *testing.T, trunk *sip.Trunk, want func(sip.Health) bool) sip.Health {
	t.Helper()
	timer := time.NewTimer(siptest.Patience)
	defer timer.Stop()
	for h := trunk.Health(); !want(h); {
		select {
		case h = <-trunk.HealthChanged():
		case <-timer.C:
			t.Fatalf("the trunk's health is %+v", trunk.Health())
		}
	}
	return trunk.Health()
}

func isUp(h sip.Health) bool   { return h.State == sip.StateUp }
func isDown(h sip.Health) bool { return h.State == sip.StateDown }

// asked waits for the next request of a method.
func asked(t *testing.T, r *siptest.Registrar, method string) siptest.Message {
	t.Helper()
	timer := time.NewTimer(siptest.Patience)
	defer timer.Stop()
	for {
		select {
		case m := <-r.Requests():
			if m.Method() == method {
				return m
			}
		case <-timer.C:
			t.Fatalf("no %s came", method)
		}
	}
}

func TestATrunkRegistersAndUnregistersOnStop(t *testing.T) {
	r := registrar(t, siptest.Rules{Password: "secret", Grant: 120, Others: []string{"sip:desk@192.0.2.7"}, More: []string{"Service-Route: <sip:edge.invalid;lr>"}})
	t.Run("while it runs", func(t *testing.T) {
		trunk := open(t, r.Addr(), registering)
		h := becomes(t, trunk, isUp)
		if g := h.Registration; g.Granted != 2*time.Minute || !g.Registered(time.Now()) || len(g.Foreign) != 1 || g.Foreign[0] != "sip:desk@192.0.2.7" {
			t.Errorf("%+v", g)
		}
		if h.Latency <= 0 || h.Since.IsZero() {
			t.Errorf("%+v", h)
		}
		leg := invite(t, trunk)
		ends(t, leg, sip.EndedByRefused)
	})
	seen := r.Seen("REGISTER")
	if len(seen) < 3 {
		t.Fatalf("%d REGISTERs", len(seen))
	}
	first := seen[0]
	for i, m := range seen {
		if m.Get("Call-ID") != first.Get("Call-ID") || m.Get("From") != first.Get("From") || !strings.HasPrefix(m.Get("CSeq"), string(rune('1'+i))+" ") {
			t.Errorf("REGISTER %d: Call-ID %q, From %q, CSeq %q", i, m.Get("Call-ID"), m.Get("From"), m.Get("CSeq"))
		}
	}
	if !strings.HasPrefix(first.Get("To"), "<sip:telgate@127.0.0.1>") || strings.Contains(first.Start, "telgate@") || first.Get("Expires") != "3600" {
		t.Errorf("%q to %q", first.Start, first.Get("To"))
	}
	if in := r.Seen("INVITE")[0]; in.Get("Contact") != first.Get("Contact") {
		t.Errorf("Contact %q of INVITE, %q of REGISTER", in.Get("Contact"), first.Get("Contact"))
	}
	if last := seen[len(seen)-1]; last.Get("Expires") != "0" || strings.Contains(last.Get("Contact"), "*") || len(r.Bindings()) != 0 {
		t.Errorf("at the end %v; %v are left", last.Headers, r.Bindings())
	}
}

func TestAContactThatIsNotTakenBackIsSaidWithItsReason(t *testing.T) {
	r := registrar(t, siptest.Rules{Grant: 120})
	var log strings.Builder // read when the trunk has stopped
	t.Run("while it runs", func(t *testing.T) {
		env := environment()
		env.Log = slog.New(slog.NewTextHandler(&log, nil))
		becomes(t, openOn(t, env, r.Addr(), registering), isUp)
		r.Change(func(rules *siptest.Rules) { rules.Silent = true })
	})
	if want := `msg="the registrar keeps our contact" err="no answer to REGISTER from ` + r.Addr() + ` in `; !strings.Contains(log.String(), want) {
		t.Errorf("logged is %s", log.String())
	}
}

func TestANonceIsSentAheadAndNotTwice(t *testing.T) {
	for _, rules := range []siptest.Rules{
		{Password: "secret"},
		{Password: "secret", Algorithm: "SHA-256"},
		{Password: "secret", Algorithm: "SHA-512-256"},
		{Password: "secret", Algorithm: "MD5-sess"},
		{Password: "secret", Algorithm: "SHA-256-sess"},
	} {
		r := registrar(t, rules)
		trunk := open(t, r.Addr(), nil)
		for range 4 {
			ends(t, invite(t, trunk), sip.EndedByRefused)
		}
		if n := len(r.Seen("INVITE")); n != 5 {
			t.Errorf("%+v: %d INVITEs for 4 calls, want one challenge", rules, n)
		}
	}
}

func TestANonceRefusedAheadIsNoWrongPassword(t *testing.T) {
	for _, stale := range []bool{false, true} {
		r := registrar(t, siptest.Rules{Password: "secret", OneTime: true, Stale: stale})
		trunk := open(t, r.Addr(), nil)
		for range 4 {
			ends(t, invite(t, trunk), sip.EndedByRefused)
		}
		if n := len(r.Seen("INVITE")); n != 8 {
			t.Errorf("stale %v: %d INVITEs for 4 calls", stale, n)
		}
		if h := trunk.Health(); h.Reason != "" {
			t.Errorf("%+v", h)
		}
		ahead := 0
		for _, m := range r.Seen("INVITE") {
			if m.Get("Authorization") != "" && strings.HasPrefix(m.Get("CSeq"), "1 ") {
				ahead++
			}
		}
		if !stale && ahead != 1 || stale && ahead != 3 {
			t.Errorf("stale %v: sent ahead %d times", stale, ahead)
		}
	}
}

func TestAWrongPasswordIsTriedOnceAndThenRests(t *testing.T) {
	r := registrar(t, siptest.Rules{Password: "another"})
	trunk := open(t, r.Addr(), registering)
	trunk.AwaitRegistration(t.Context())
	h := becomes(t, trunk, isDown)
	if h.Reason != sip.DownCredentials || time.Until(h.RestUntil) < 50*time.Second || !strings.Contains(h.Registration.Failure, "password") {
		t.Errorf("%+v", h)
	}
	_, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)})
	if refused, ok := errors.AsType[*sip.SendError](err); !ok || refused.Op != "credentials" {
		t.Errorf("%v", err)
	}
	if _, err := trunk.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	if n, calls := len(r.Seen("REGISTER")), len(r.Seen("INVITE")); n != 2 || calls != 0 {
		t.Errorf("%d REGISTERs, %d INVITEs", n, calls)
	}
}

func TestARefusedRegistrationHasItsOwnReasonAndFailsCallsAtOnce(t *testing.T) {
	r := registrar(t, siptest.Rules{Status: "403 Forbidden"})
	trunk := open(t, r.Addr(), registering)
	trunk.AwaitRegistration(t.Context())
	h := becomes(t, trunk, isDown)
	if h.Reason != sip.DownRefused || !strings.Contains(h.Registration.Failure, "403 Forbidden") || !h.Registration.Refused {
		t.Errorf("%+v", h)
	}
	_, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)})
	if refused, ok := errors.AsType[*sip.SendError](err); !ok || refused.Op != "register" || !strings.Contains(err.Error(), "403") {
		t.Errorf("%v", err)
	}
}

func TestA423IsAskedAgainWithWhatItWants(t *testing.T) {
	r := registrar(t, siptest.Rules{Password: "secret", MinExpires: 7200})
	trunk := open(t, r.Addr(), registering)
	if h := becomes(t, trunk, isUp); h.Registration.Granted != 2*time.Hour {
		t.Errorf("%+v", h.Registration)
	}
	seen := r.Seen("REGISTER")
	if last := seen[len(seen)-1]; last.Get("Expires") != "7200" || len(seen) != 3 {
		t.Errorf("%d REGISTERs, the last asks for %s s", len(seen), last.Get("Expires"))
	}
}

func TestARegistrarThatForgetsUsIsToldAgain(t *testing.T) {
	r := registrar(t, siptest.Rules{Password: "secret"})
	trunk := open(t, r.Addr(), func(c *sip.TrunkConfig) {
		registering(c)
		c.Probe = sip.Probing{Mode: sip.ProbeRegister, Every: 20 * time.Millisecond}
	})
	becomes(t, trunk, isUp)
	r.Forget()
	for len(r.Bindings()) == 0 {
		asked(t, r, "REGISTER")
	}
	becomes(t, trunk, isUp)
}

func TestARegistrarOfItsOwnIsAskedInItsDomain(t *testing.T) {
	r, trunkPeer := registrar(t, siptest.Rules{Password: "secret"}), registrar(t, siptest.Rules{})
	trunk := open(t, trunkPeer.Addr(), func(c *sip.TrunkConfig) {
		registering(c)
		c.Register.Registrar, c.Identity.Domain, c.Identity.ContactUser = r.Addr(), "ims.example", "0003"
		c.Credentials.AuthUser = "3@ims.example"
	})
	becomes(t, trunk, isUp)
	m := r.Seen("REGISTER")[1]
	if !strings.HasPrefix(m.Start, "REGISTER sip:ims.example SIP/2.0") || m.Get("To") != "<sip:telgate@ims.example>" ||
		!strings.HasPrefix(m.Get("Contact"), "<sip:0003@") || !strings.Contains(m.Get("Authorization"), `username="3@ims.example"`) {
		t.Errorf("%q %v", m.Start, m.Headers)
	}
	ends(t, invite(t, trunk), sip.EndedByRefused)
	if len(trunkPeer.Seen("REGISTER")) != 0 || len(trunkPeer.Seen("INVITE")) != 1 {
		t.Error("REGISTER went to the trunk, or INVITE did not")
	}
}

func TestOverTCPTheDigestNamesTheWholeURIAndANewConnectionIsRegistered(t *testing.T) {
	peer := siptest.NewStream(t)
	trunk := open(t, peer.Addr(), func(c *sip.TrunkConfig) {
		overTCP(c)
		registering(c)
		c.Probe = sip.Probing{Mode: sip.ProbeOff, Every: 20 * time.Millisecond}
	})
	peer.Answer(peer.Expect("REGISTER"), "401 Unauthorized", "a", "", `WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"`)
	signed := peer.Expect("REGISTER")
	_, uri, _ := strings.Cut(signed.Start, " ")
	uri, _, _ = strings.Cut(uri, " ")
	if !strings.Contains(uri, ";transport=tcp") || !strings.Contains(signed.Get("Authorization"), `uri="`+uri+`"`) {
		t.Errorf("%q with %q", signed.Start, signed.Get("Authorization"))
	}
	peer.Answer(signed, "200 OK", "a", "", "Contact: "+signed.Get("Contact")+";expires=600")
	becomes(t, trunk, isUp)
	peer.Cut()
	again := peer.Expect("REGISTER")
	if again.Get("Contact") == signed.Get("Contact") || again.Get("Call-ID") != signed.Get("Call-ID") {
		t.Errorf("Contact %q, then %q", signed.Get("Contact"), again.Get("Contact"))
	}
	peer.Answer(again, "200 OK", "a", "", "Contact: "+again.Get("Contact")+";expires=600")
	becomes(t, trunk, isUp)
}

// stand is a registrar and a trunk in a bubble.
type stand struct {
	t         *testing.T
	registrar *siptest.Registrar
	trunk     *sip.Trunk
}

// bubble runs a test with a registrar and a trunk in a network of memory: time passes only when all wait.
func bubble(t *testing.T, rules siptest.Rules, change func(*sip.TrunkConfig), story func(stand)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		wire := siptest.NewWire()
		conn, err := wire.Listen(t.Context(), "udp", "127.0.0.1:5060")
		if err != nil {
			t.Fatal(err)
		}
		r := siptest.NewRegistrar(conn, rules)
		t.Cleanup(func() {
			r.Close()
			<-time.NewTimer(time.Minute).C // sipgo's transactions outlive their user agent
		})
		trunk := openOn(t, inMemory(wire), r.Addr(), func(c *sip.TrunkConfig) {
			c.Local.Bind = "127.0.0.1"
			change(c)
		})
		synctest.Wait()
		story(stand{t, r, trunk})
	})
}

func pass(d time.Duration) {
	<-time.NewTimer(d).C
	synctest.Wait()
}

func TestARegistrationIsRefreshedBetweenHalfAndNineTenthsOfWhatWasGranted(t *testing.T) {
	bubble(t, siptest.Rules{Password: "secret", Grant: 1000}, registering, func(s stand) {
		t, r, trunk := s.t, s.registrar, s.trunk
		for n := 2; n < 6; n++ { // the first took two
			pass(time.Second)
			before := len(r.Seen("REGISTER"))
			began := time.Now()
			for len(r.Seen("REGISTER")) == before {
				pass(time.Second)
			}
			if d := time.Since(began); d < 490*time.Second || d > 910*time.Second {
				t.Errorf("refreshed after %s", d)
			}
			if h := trunk.Health(); !isUp(h) {
				t.Errorf("%+v", h)
			}
		}
	})
}

func TestAPBXThatIsAwayIsAskedWithGrowingPausesThatStayShort(t *testing.T) {
	bubble(t, siptest.Rules{Silent: true}, func(c *sip.TrunkConfig) {
		registering(c)
		c.Register.Retry = 10 * time.Second
	}, func(s stand) {
		t, r, trunk := s.t, s.registrar, s.trunk
		var gaps []time.Duration
		for last, n := time.Now(), 1; len(gaps) < 7; pass(time.Second) {
			if now := len(r.Seen("REGISTER")); now > n {
				gaps, last, n = append(gaps, time.Since(last)), time.Now(), now
			}
		}
		for i, g := range gaps { // each attempt waits 10 s for an answer
			pause := min(10*time.Second<<i, 2*time.Minute)
			if g < 10*time.Second+pause/2-time.Second || g > 11*time.Second+pause+time.Second {
				t.Errorf("pause %d is %s", i, g)
			}
		}
		if h := trunk.Health(); h.State != sip.StateDown || h.Reason != sip.DownNoAnswer || h.Registration.Refused {
			t.Errorf("%+v", h)
		}
		_, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)})
		if refused, ok := errors.AsType[*sip.SendError](err); !ok || refused.Op != "register" {
			t.Errorf("%v", err)
		}
		pass(15 * time.Second) // the attempt in progress ends
		r.Change(func(rules *siptest.Rules) { rules.Silent = false })
		leg, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)}) // wakes it
		if err != nil {
			t.Fatal(err)
		}
		for range leg.Events() {
		}
		if h := trunk.Health(); !isUp(h) {
			t.Errorf("%+v", h)
		}
	})
}

func TestRefusedCredentialsRestAMinuteThenTwoUpToAQuarterOfAnHour(t *testing.T) {
	bubble(t, siptest.Rules{Password: "another"}, registering, func(s stand) {
		t, r, trunk := s.t, s.registrar, s.trunk
		for i := range 7 {
			rest := time.Until(trunk.Health().RestUntil)
			want := min(time.Minute<<i, 15*time.Minute)
			if rest > want || rest < want-200*time.Millisecond {
				t.Errorf("rest %d is %s, want %s", i, rest, want)
			}
			if n := len(r.Seen("REGISTER")); n != 2+2*i {
				t.Fatalf("%d REGISTERs after %d attempts", n, i+1)
			}
			pass(rest - 100*time.Millisecond)
			if n := len(r.Seen("REGISTER")); n != 2+2*i {
				t.Fatalf("%d REGISTERs while it rests", n)
			}
			for len(r.Seen("REGISTER")) < 4+2*i {
				pass(100 * time.Millisecond)
			}
		}
		r.Change(func(rules *siptest.Rules) { rules.Password = "secret" })
		pass(20 * time.Minute)
		if h := trunk.Health(); !isUp(h) {
			t.Errorf("%+v", h)
		}
	})
}

func TestTwoMissedProbesAreDownAndOneAnswerIsUp(t *testing.T) {
	bubble(t, siptest.Rules{}, func(c *sip.TrunkConfig) { c.Probe.Mode = sip.ProbeOptions }, func(s stand) {
		t, r, trunk := s.t, s.registrar, s.trunk
		if h := trunk.Health(); !isUp(h) {
			t.Fatalf("%+v", h)
		}
		r.Change(func(rules *siptest.Rules) { rules.Silent = true })
		silent := time.Now()
		for !isDown(trunk.Health()) {
			pass(time.Second)
		}
		if d := time.Since(silent); d < 34*time.Second || d > 90*time.Second {
			t.Errorf("down after %s", d)
		}
		if h := trunk.Health(); h.Reason != sip.DownNoAnswer || h.Failure == "" {
			t.Errorf("%+v", h)
		}
		r.Change(func(rules *siptest.Rules) { rules.Silent = false })
		back := time.Now()
		for !isUp(trunk.Health()) {
			pass(time.Second)
		}
		if d := time.Since(back); d > 42*time.Second {
			t.Errorf("up after %s", d)
		}
	})
}

func TestACallThatIsAnsweredOverridesProbes(t *testing.T) {
	bubble(t, siptest.Rules{Silent: true}, func(c *sip.TrunkConfig) { c.Probe.Mode = sip.ProbeOptions }, func(s stand) {
		t, r, trunk := s.t, s.registrar, s.trunk
		pass(2 * time.Minute)
		if !isDown(trunk.Health()) {
			t.Fatalf("%+v", trunk.Health())
		}
		leg, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)})
		if err != nil {
			t.Fatal(err)
		}
		r.Change(func(rules *siptest.Rules) { rules.Silent = false })
		pass(time.Second)
		for range leg.Events() {
		}
		if !isUp(trunk.Health()) {
			t.Errorf("%+v", trunk.Health())
		}
	})
}

func TestAChallengeForAnotherRealmIsNotAnswered(t *testing.T) {
	r := registrar(t, siptest.Rules{Password: "secret"})
	trunk := open(t, r.Addr(), nil)
	ends(t, invite(t, trunk), sip.EndedByRefused)
	r.Change(func(rules *siptest.Rules) { rules.RealmOfInvite, rules.OneTime = "somebody else's", true })
	e := ends(t, invite(t, trunk), sip.EndedByAuth)
	if e.Err == nil || !strings.Contains(e.Err.Error(), "realm") {
		t.Errorf("%v", e.Err)
	}
	for _, m := range r.Seen("INVITE") {
		if strings.Contains(m.Get("Authorization"), "somebody") {
			t.Errorf("our password's digest was given away: %s", m.Get("Authorization"))
		}
	}
	if h := trunk.Health(); !h.RestUntil.IsZero() {
		t.Error("a foreign realm made our credentials rest")
	}
}

func TestAByeToAnotherHostAnswersNoChallenge(t *testing.T) {
	peer := siptest.NewPeer(t)
	other, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 8)})
	if err != nil {
		t.Skip("no second loopback address here")
	}
	defer func() { _ = other.Close() }()
	leg := invite(t, open(t, peer.Addr(), nil))
	in := peer.Expect("INVITE")
	peer.Answer(in, "200 OK", "a", sdp, "Record-Route: <sip:"+other.LocalAddr().String()+";lr>")
	next[sip.Answered](t, leg)
	leg.Hangup(sip.Hangup{})
	buf := make([]byte, 65536)
	for {
		_ = other.SetReadDeadline(time.Now().Add(siptest.Patience))
		n, from, err := other.ReadFromUDP(buf)
		if err != nil {
			t.Fatal(err)
		}
		head := string(buf[:n])
		if !strings.HasPrefix(head, "BYE ") {
			continue
		}
		if strings.Contains(head, "Authorization") {
			t.Error("credentials for a stranger")
		}
		lines := []string{"SIP/2.0 401 Unauthorized"}
		for l := range strings.SplitSeq(head, "\r\n") {
			for _, h := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
				if strings.HasPrefix(l, h) {
					lines = append(lines, l)
				}
			}
		}
		lines = append(lines, `WWW-Authenticate: Digest realm="r", nonce="n"`, "Content-Length: 0", "", "")
		_, _ = other.WriteToUDP([]byte(strings.Join(lines, "\r\n")), from)
		break
	}
	ends(t, leg, sip.EndedByLocalBye)
}

func TestAChangedAddressOfOursIsBoundAndRegistered(t *testing.T) {
	r := registrar(t, siptest.Rules{Password: "secret"})
	var moved atomic.Bool
	env := environment()
	env.Source = func(netip.AddrPort) (netip.Addr, error) {
		if moved.Load() {
			return netip.MustParseAddr("127.0.0.2"), nil
		}
		return netip.MustParseAddr("127.0.0.1"), nil
	}
	trunk := run(t, env, func(c *sip.TrunkConfig) {
		c.Register.On, c.Probe = true, sip.Probing{Mode: sip.ProbeOff, Every: 20 * time.Millisecond}
	}, r.Addr())
	becomes(t, trunk, isUp)
	moved.Store(true)
	for timer := time.Now(); !slices.ContainsFunc(r.Bindings(), func(c string) bool { return strings.Contains(c, "@127.0.0.2:") }); {
		if time.Since(timer) > siptest.Patience {
			t.Skip("no second loopback address here")
		}
		select {
		case <-r.Requests():
		case <-trunk.HealthChanged():
		case <-time.NewTimer(50 * time.Millisecond).C:
		}
	}
	leg := invite(t, trunk)
	ends(t, leg, sip.EndedByRefused)
	if in := r.Seen("INVITE")[0]; !strings.Contains(in.Get("Contact"), "@127.0.0.2:") || in.From.IP.String() != "127.0.0.2" {
		t.Errorf("INVITE from %s with Contact %q", in.From, in.Get("Contact"))
	}
}
