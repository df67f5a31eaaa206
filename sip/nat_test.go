package sip_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

const (
	inside  = "10.0.0.5"
	outside = "203.0.113.9"
	carrier = "198.51.100.1:5060"
)

// home is a gateway behind a NAT, and a carrier on the other side of it.
type home struct {
	*testing.T
	wire    *siptest.Wire
	carrier *siptest.Peer
}

// behindNAT plays a story in a bubble of its own.
func behindNAT(t *testing.T, story func(home)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		wire := siptest.NewWire()
		wire.NAT(inside, outside)
		h := home{t, wire, wire.PeerAt(t, carrier)}
		h.carrier.Patient(5 * time.Minute)
		story(h)
	})
}

// runs gives a trunk of ours; the carrier answers the OPTIONS that it begins with, where it asks at all.
func (h home) runs(change func(*sip.TrunkConfig)) *sip.Trunk {
	h.Helper()
	var asks bool
	trunk := run(h.T, inMemory(h.wire), func(c *sip.TrunkConfig) {
		c.Local.Bind, c.Keepalive = inside, 25*time.Second
		change(c)
		asks = c.NAT != sip.NATOff && c.Local.PublicAddress == "" && c.Local.LocalNets == nil
	}, carrier)
	if asks {
		h.carrier.Answer(h.carrier.Expect("OPTIONS").Seen(), "200 OK", "o", "")
	}
	h.Cleanup(synctest.Wait) // what is on its way to a trunk that closes would have sipgo open a real socket
	return ready(h.T, trunk)
}

// deaf gives a trunk of ours whose carrier takes no OPTIONS.
func (h home) deaf(change func(*sip.TrunkConfig)) *sip.Trunk {
	h.Helper()
	trunk := run(h.T, inMemory(h.wire), func(c *sip.TrunkConfig) {
		c.Local.Bind = inside
		change(c)
	}, carrier)
	h.carrier.Expect("OPTIONS")
	h.Cleanup(synctest.Wait)
	return ready(h.T, trunk)
}

func nat(mode sip.NAT) func(*sip.TrunkConfig) {
	return func(c *sip.TrunkConfig) { c.NAT = mode }
}

// says are the hosts that a request names as ours: of Via and of Contact.
func says(m siptest.Message) string {
	_, via, _ := strings.Cut(m.Get("Via"), " ")
	via, _, _ = strings.Cut(via, ":")
	_, contact, _ := strings.Cut(m.Get("Contact"), "@")
	contact, _, _ = strings.Cut(contact, ":")
	return via + " " + contact
}

func TestWhatATrunkSeesOfUsIsWhatWeSay(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(*sip.TrunkConfig)
		first, then string
	}{
		"auto, from the first INVITE": {nat(sip.NATAuto), outside, outside},
		"by default too":              {nat(""), outside, outside},
		"on, from the first INVITE":   {nat(sip.NATOn), outside, outside},
		"off, never":                  {nat(sip.NATOff), inside, inside},
		"what is configured counts more": {func(c *sip.TrunkConfig) {
			c.Local.PublicAddress = "203.0.113.200"
		}, "203.0.113.200", "203.0.113.200"},
		"in our own networks we are where we are": {func(c *sip.TrunkConfig) {
			c.Local.LocalNets = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}
		}, inside, inside},
	} {
		t.Run(name, func(t *testing.T) {
			behindNAT(t, func(h home) {
				t := h.T
				trunk := h.runs(c.change)
				for _, want := range []string{c.first, c.then} {
					_, media := trunk.MediaAddr()
					if media.String() != want {
						t.Errorf("SDP would name %s, want %s", media, want)
					}
					leg := invite(t, trunk)
					in := h.carrier.Expect("INVITE")
					if got := says(in); got != want+" "+want {
						t.Errorf("Via and Contact name %s, want %s", got, want)
					}
					h.carrier.Answer(in.Seen(), "486 Busy Here", "a", "")
					h.carrier.Expect("ACK")
					ends(t, leg, sip.EndedByRefused)
				}
			})
		})
	}
}

func TestAnINVITEThatIsSentAgainNamesWhereTheChallengeSawUs(t *testing.T) {
	behindNAT(t, func(h home) {
		t := h.T
		leg := invite(t, h.deaf(nat(sip.NATAuto)))
		h.carrier.Answer(h.carrier.Expect("INVITE").Seen(), "401 Unauthorized", "a", "", `WWW-Authenticate: Digest realm="pbx", nonce="n1", qop="auth"`)
		h.carrier.Expect("ACK")
		in := h.carrier.Expect("INVITE")
		if got := says(in); got != outside+" "+outside {
			t.Errorf("Via and Contact name %s", got)
		}
		h.carrier.Answer(in.Seen(), "200 OK", "b", sdp)
		next[sip.Answered](t, leg)
		h.carrier.Expect("ACK")
		h.carrier.Request(in, "BYE", "b", 2, "")
		ends(t, leg, sip.EndedByPeerBye)
	})
}

func TestATrunkThatDoesNotSayWhereItSeesUsIsAskedOnce(t *testing.T) {
	for name, answer := range map[string]func(home, siptest.Message){
		"it ignores OPTIONS":      func(home, siptest.Message) {},
		"it knows nothing of NAT": func(h home, m siptest.Message) { h.carrier.Answer(m, "200 OK", "o", "") },
	} {
		t.Run(name, func(t *testing.T) {
			behindNAT(t, func(h home) {
				t := h.T
				trunk := run(t, inMemory(h.wire), func(c *sip.TrunkConfig) {
					c.Local.Bind, c.Keepalive, c.NAT = inside, 25*time.Second, sip.NATOn
				}, carrier)
				answer(h, h.carrier.Expect("OPTIONS"))
				ready(t, trunk)
				began := time.Now()
				leg := invite(t, trunk)
				if late := time.Since(began); late > 0 {
					t.Errorf("the INVITE left %v late", late)
				}
				h.carrier.Answer(h.carrier.Expect("INVITE"), "486 Busy Here", "a", "")
				h.carrier.Expect("ACK")
				ends(t, leg, sip.EndedByRefused)
				synctest.Wait()
			})
		})
	}
}

func TestATrunkThatIsSlowToSayWhereItSeesUsDelaysNothingByMoreThanHalfASecond(t *testing.T) {
	behindNAT(t, func(h home) {
		t := h.T
		began := time.Now()
		trunk := run(t, inMemory(h.wire), func(c *sip.TrunkConfig) { c.Local.Bind, c.NAT = inside, sip.NATAuto }, carrier)
		asked := h.carrier.Expect("OPTIONS")
		ready(t, trunk)
		if late := time.Since(began); late > 600*time.Millisecond {
			t.Errorf("the trunk was ready after %v", late)
		}
		began = time.Now()
		leg := invite(t, trunk)
		if late := time.Since(began); late > 0 {
			t.Errorf("the INVITE left %v late", late)
		}
		in := h.carrier.Expect("INVITE")
		if got := says(in); got != inside+" "+inside {
			t.Errorf("Via and Contact name %s, and nobody has told us", got)
		}
		h.carrier.Answer(asked.Seen(), "200 OK", "o", "") // it is not too late for the next call
		synctest.Wait()
		if _, media := trunk.MediaAddr(); media.String() != outside {
			t.Errorf("SDP would name %s", media)
		}
		h.carrier.Answer(in.Seen(), "486 Busy Here", "a", "")
		h.carrier.Expect("ACK")
		ends(t, leg, sip.EndedByRefused)
		synctest.Wait()
	})
}

func TestWhoIsBehindNoNATDoesNotAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := siptest.NewWire()
		peer := wire.PeerAt(t, carrier)
		ready(t, run(t, inMemory(wire), func(c *sip.TrunkConfig) { c.Local.Bind, c.NAT = "203.0.113.77", sip.NATAuto }, carrier))
		peer.Quiet(time.Minute)
		synctest.Wait()
	})
}

func TestTheDoorOfANATIsKeptOpenWhereThereIsOne(t *testing.T) {
	for mode, open := range map[sip.NAT]bool{sip.NATOn: true, sip.NATAuto: false} {
		t.Run(string(mode), func(t *testing.T) {
			behindNAT(t, func(h home) {
				t := h.T
				trunk := h.runs(nat(mode))
				leg := invite(t, trunk)
				in := h.carrier.Expect("INVITE").Seen()
				h.carrier.Answer(in, "486 Busy Here", "a", "")
				h.carrier.Expect("ACK")
				ends(t, leg, sip.EndedByRefused)
				pass(10 * time.Minute)
				h.carrier.Request(in, "OPTIONS", "", 1, "")
				if open {
					h.carrier.ExpectResponse(481)
					return
				}
				h.carrier.Quiet(time.Minute)
			})
		})
	}
}

func TestAPeerBehindANATIsAnsweredWhereItSpeaksFrom(t *testing.T) {
	const private, elsewhere = "192.168.1.20:5060", "198.51.100.77:5060"
	for name, c := range map[string]struct {
		mode    sip.NAT
		contact string
		route   string
		to      string
	}{
		"auto, a private Contact":         {sip.NATAuto, private, "", carrier},
		"auto, one of a carrier's NAT":    {sip.NATAuto, "100.64.3.4:5060", "", carrier},
		"auto, another public one":        {sip.NATAuto, elsewhere, "", elsewhere},
		"off, a private Contact":          {sip.NATOff, private, "", private},
		"on, another public one":          {sip.NATOn, elsewhere, "", carrier},
		"on, by a proxy that stays":       {sip.NATOn, private, elsewhere, elsewhere},
		"on, a proxy with a private name": {sip.NATOn, elsewhere, private, carrier},
	} {
		t.Run(name, func(t *testing.T) {
			behindNAT(t, func(h home) {
				t := h.T
				ears := map[string]*siptest.Peer{carrier: h.carrier, private: h.wire.PeerAt(t, private), elsewhere: h.wire.PeerAt(t, elsewhere)}
				leg := invite(t, h.runs(nat(c.mode)))
				in := h.carrier.Expect("INVITE").Seen()
				more := []string{"Contact: <sip:peer@" + c.contact + ">"}
				if c.route != "" {
					more = append(more, "Record-Route: <sip:"+c.route+";lr>")
				}
				h.carrier.Answer(in, "200 OK", "a", sdp, more...)
				next[sip.Answered](t, leg)
				ack := ears[c.to].Expect("ACK")
				if !strings.HasPrefix(ack.Start, "ACK sip:peer@"+c.contact+" ") {
					t.Errorf("%s", ack.Start)
				}
				leg.Hangup(sip.Hangup{})
				ears[c.to].Answer(ears[c.to].Expect("BYE"), "200 OK", "a", "")
				ends(t, leg, sip.EndedByLocalBye)
			})
		})
	}
}

func TestARegistrationNamesWhereTheRegistrarSeesUs(t *testing.T) {
	for name, c := range map[string]struct {
		mode      sip.NAT
		rules     siptest.Rules
		registers int
		contact   string // as registered
	}{
		"auto, no OPTIONS: it is made anew, and the one that reaches nobody is taken back": {sip.NATAuto, siptest.Rules{Deaf: true}, 2, outside},
		"auto, no OPTIONS: a registrar that keeps what it sees is not asked again":         {sip.NATAuto, siptest.Rules{Deaf: true, Rewrite: true}, 1, outside},
		"auto: it is right at once": {sip.NATAuto, siptest.Rules{}, 1, outside},
		"on: it is right at once":   {sip.NATOn, siptest.Rules{}, 1, outside},
		"off: it is what we say":    {sip.NATOff, siptest.Rules{}, 1, inside},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wire := siptest.NewWire()
				wire.NAT(inside, outside)
				conn, err := wire.Listen(t.Context(), "udp", carrier)
				if err != nil {
					t.Fatal(err)
				}
				c.rules.Password = "secret"
				r := siptest.NewRegistrar(conn, c.rules)
				trunk := openOn(t, inMemory(wire), carrier, func(cfg *sip.TrunkConfig) {
					registering(cfg)
					cfg.NAT, cfg.Local.Bind, cfg.Keepalive = c.mode, inside, 25*time.Second
				})
				defer r.Close()
				becomes(t, trunk, func(h sip.Health) bool { return h.Registration.Registered(time.Now()) })
				signed := 0
				for _, m := range r.Seen("REGISTER") {
					if m.Get("Authorization") != "" {
						signed++
					}
				}
				if signed != c.registers {
					t.Errorf("%d REGISTERs", signed)
				}
				if b := r.Bindings(); len(b) != 1 || !strings.HasPrefix(b[0], "sip:telgate@"+c.contact+":") {
					t.Errorf("registered %v", b)
				}
				ends(t, invite(t, trunk), sip.EndedByRefused)
				if in := r.Seen("INVITE")[0]; says(in) != c.contact+" "+c.contact {
					t.Errorf("INVITE names %s", says(in))
				}
				pass(2 * time.Minute)
				if g := trunk.Health().Registration; !g.Registered(time.Now()) || g.Failure != "" {
					t.Errorf("%+v", g)
				}
			})
		})
	}
}

func TestNobodyButTheTrunkTellsWhereWeAre(t *testing.T) {
	behindNAT(t, func(h home) {
		t := h.T
		trunk := h.deaf(nat(sip.NATAuto))
		leg := invite(t, trunk)
		in := h.carrier.Expect("INVITE")
		forged := in
		forged.Headers = append([][2]string(nil), in.Headers...)
		forged.From = &net.UDPAddr{IP: net.IPv4(192, 0, 2, 66), Port: 5060}
		forged = forged.Seen()
		for i, head := range forged.Headers {
			if head[0] == "Via" {
				forged.Headers[i][1] = strings.Replace(head[1], "branch=z9hG4bK", "branch=z9hG4bKx", 1)
			}
		}
		forged.From = in.From
		h.carrier.Answer(forged, "180 Ringing", "a", "")
		for _, nonsense := range []string{"0.0.0.0", "239.1.1.1", "::1", "127.0.0.1"} {
			wrong := in
			wrong.From = &net.UDPAddr{IP: net.ParseIP(nonsense), Port: 5060}
			wrong = wrong.Seen()
			wrong.From = in.From
			h.carrier.Answer(wrong, "180 Ringing", "a", "")
		}
		h.carrier.Answer(in, "486 Busy Here", "a", "")
		h.carrier.Expect("ACK")
		ends(t, leg, sip.EndedByRefused)
		if _, media := trunk.MediaAddr(); media.String() != inside {
			t.Errorf("we are at %s now", media)
		}
	})
}

func TestNATIsOneOfThree(t *testing.T) {
	for name, change := range map[string]func(*sip.TrunkConfig){
		"sometimes":          nat("sometimes"),
		"a door and no foot": func(c *sip.TrunkConfig) { c.NAT, c.Keepalive = sip.NATOn, 0 },
	} {
		c := sip.TrunkConfig{Name: "main", Addresses: []string{"192.0.2.1"}, Transport: "udp"}
		change(&c)
		if _, err := sip.NewTrunk(c, environment()); err == nil || !strings.HasPrefix(err.Error(), "nat: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
