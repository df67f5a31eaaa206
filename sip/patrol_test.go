package sip_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

// answering is a PBX on a wire that answers OPTIONS, and every INVITE with 486.
func answering(t *testing.T, wire *siptest.Wire, address string, rules siptest.Rules) *siptest.Registrar {
	t.Helper()
	conn, err := wire.Listen(t.Context(), "udp", address)
	if err != nil {
		t.Fatal(err)
	}
	r := siptest.NewRegistrar(conn, rules)
	t.Cleanup(r.Close)
	return r
}

func TestACallGoesAtOnceToTheFirstAddressThatIsAlive(t *testing.T) {
	const first, second = "198.51.100.1:5060", "198.51.100.2:5060"
	for _, mode := range []sip.ProbeMode{sip.ProbeOptions, sip.ProbeRegister} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wire := siptest.NewWire()
				b := answering(t, wire, second, siptest.Rules{})
				trunk := openOn(t, inMemory(wire), "", func(c *sip.TrunkConfig) {
					two(first, second)(c)
					c.Local.Bind, c.Probe.Mode, c.Register.On, c.Register.Registrar = inside, mode, mode == sip.ProbeRegister, second
				})
				t.Cleanup(synctest.Wait)
				pass(10 * time.Second)
				calls := func(r *siptest.Registrar) {
					t.Helper()
					for range 20 {
						pass(7 * time.Second)
						asked, began := len(r.Seen("OPTIONS")), time.Now()
						ends(t, invite(t, trunk), sip.EndedByRefused)
						if late := time.Since(began); late > 0 || len(r.Seen("OPTIONS")) != asked {
							t.Errorf("the call was %v late, with %d OPTIONS", late, len(r.Seen("OPTIONS"))-asked)
						}
					}
				}
				calls(b)
				a := answering(t, wire, first, siptest.Rules{})
				pass(time.Minute)
				calls(a)
				if len(a.Seen("INVITE")) != 20 || len(b.Seen("INVITE")) != 20 {
					t.Errorf("%d INVITEs to the first, %d to the second", len(a.Seen("INVITE")), len(b.Seen("INVITE")))
				}
			})
		})
	}
}

func TestARegistrarIsFoundByItsSRVRecordsAndTheNextOfThemWhereOneIsBusy(t *testing.T) {
	t.Parallel()
	first, second := registrar(t, siptest.Rules{Status: "503 Service Unavailable"}), registrar(t, siptest.Rules{Password: "secret"})
	zone := siptest.NewZone(t)
	_, one, _ := net.SplitHostPort(first.Addr())
	_, other, _ := net.SplitHostPort(second.Addr())
	zone.Set(t, "_sip._udp.reg.test. 60 IN SRV 1 0 "+one+" a.test.", "_sip._udp.reg.test. 60 IN SRV 2 0 "+other+" a.test.", "a.test. 60 IN A 127.0.0.1")
	trunk := run(t, knowing(zone), func(c *sip.TrunkConfig) {
		registering(c)
		c.Register.Registrar, c.Register.Retry = "reg.test", 15*time.Minute // too late for this test
	}, "127.0.0.1:9")
	ctx, cancel := context.WithTimeout(t.Context(), siptest.Patience)
	defer cancel()
	if g := trunk.AwaitRegistration(ctx); !g.Registered(time.Now()) {
		t.Fatalf("%+v", g)
	}
	if m := second.Seen("REGISTER")[0]; m.Start != "REGISTER sip:reg.test SIP/2.0" {
		t.Error(m.Start)
	}
}

func TestARegistrationGoesOnWhereTheFirstAddressIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := siptest.NewWire()
		answering(t, wire, "198.51.100.2:5060", siptest.Rules{})
		trunk := openOn(t, inMemory(wire), "", func(c *sip.TrunkConfig) {
			registering(c)
			two("198.51.100.1:5060", "198.51.100.2:5060")(c)
			c.Local.Bind, c.Register.Retry = inside, 15*time.Minute
		})
		t.Cleanup(synctest.Wait)
		pass(15 * time.Second)
		if g := trunk.Health().Registration; !g.Registered(time.Now()) {
			t.Errorf("%+v", g)
		}
	})
}
