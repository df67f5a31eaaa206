package sip_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

// messages is a log that can be waited for.
type messages struct{ said chan string }

func (m messages) Enabled(context.Context, slog.Level) bool { return true }
func (m messages) WithAttrs([]slog.Attr) slog.Handler       { return m }
func (m messages) WithGroup(string) slog.Handler            { return m }

func (m messages) Handle(_ context.Context, r slog.Record) error {
	select {
	case m.said <- r.Message:
	default:
	}
	return nil
}

func (m messages) await(t *testing.T, part string) {
	t.Helper()
	timer := time.NewTimer(4 * siptest.Patience)
	defer timer.Stop()
	for {
		select {
		case text := <-m.said:
			if strings.Contains(text, part) {
				return
			}
		case <-timer.C:
			t.Fatalf("the log never said %q", part)
		}
	}
}

// where are the targets in short: "udp 127.0.0.1:5060".
func where(t *testing.T, trunk *sip.Trunk) []string {
	t.Helper()
	targets, err := trunk.Targets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, g := range targets {
		out = append(out, g.Transport+" "+g.Addr.String())
	}
	return out
}

func TestANameIsResolvedAsRFC3263Says(t *testing.T) {
	t.Parallel()
	overTLS := func(c *sip.TrunkConfig) { c.Transport = "tls" }
	for _, c := range []struct {
		name    string
		address string
		change  func(*sip.TrunkConfig)
		zone    []string
		want    []string
	}{
		{"an address alone", "127.0.0.5", nil, nil, []string{"udp 127.0.0.5:5060"}},
		{"an address with TLS", "127.0.0.5", overTLS, nil, []string{"tls 127.0.0.5:5061"}},
		{"no SRV: the address and the default port", "pbx.test", nil, []string{"pbx.test. 60 IN A 127.0.0.2"}, []string{"udp 127.0.0.2:5060"}},
		{
			"SRV by priority, before the address", "sip.test", nil,
			[]string{
				"sip.test. 60 IN A 127.0.0.9", "_sip._udp.sip.test. 60 IN SRV 20 0 5080 b.test.", "_sip._udp.sip.test. 60 IN SRV 10 0 5070 a.test.",
				"a.test. 60 IN A 127.0.0.2", "b.test. 60 IN A 127.0.0.3",
			},
			[]string{"udp 127.0.0.2:5070", "udp 127.0.0.3:5080"},
		},
		{
			"a port leaves SRV out", "sip.test:5090", nil,
			[]string{"sip.test. 60 IN A 127.0.0.9", "_sip._udp.sip.test. 60 IN SRV 10 0 5070 a.test.", "a.test. 60 IN A 127.0.0.2"},
			[]string{"udp 127.0.0.9:5090"},
		},
		{
			"TLS asks for _sips._tcp", "sip.test", overTLS,
			[]string{"_sips._tcp.sip.test. 60 IN SRV 10 0 5071 a.test.", "_sip._tls.sip.test. 60 IN SRV 10 0 5072 a.test.", "a.test. 60 IN A 127.0.0.2"},
			[]string{"tls 127.0.0.2:5071"},
		},
		{
			"NAPTR names the SRV record, for our transport only", "sip.test", nil,
			[]string{
				`sip.test. 60 IN NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp.other.test.`, `sip.test. 60 IN NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp.other.test.`,
				"_sip._udp.other.test. 60 IN SRV 10 0 5070 a.test.", "_sips._tcp.other.test. 60 IN SRV 10 0 5071 a.test.", "a.test. 60 IN A 127.0.0.2",
			},
			[]string{"udp 127.0.0.2:5070"},
		},
		{
			"NAPTR for transports that are not ours is no answer", "sip.test", nil,
			[]string{`sip.test. 60 IN NAPTR 10 10 "s" "SIP+D2T" "" _sip._tcp.sip.test.`, "_sip._udp.sip.test. 60 IN SRV 10 0 5070 a.test.", "a.test. 60 IN A 127.0.0.2"},
			[]string{"udp 127.0.0.2:5070"},
		},
		{
			"several addresses of one server", "sip.test", nil,
			[]string{"_sip._udp.sip.test. 60 IN SRV 10 0 5070 a.test.", "a.test. 60 IN A 127.0.0.2", "a.test. 60 IN A 127.0.0.3"},
			[]string{"udp 127.0.0.2:5070", "udp 127.0.0.3:5070"},
		},
		{"IPv6", "six.test", nil, []string{"six.test. 60 IN AAAA ::1"}, []string{"udp [::1]:5060"}},
		{"one IP version, IPv4 where there are both", "both.test", nil, []string{"both.test. 60 IN AAAA ::1", "both.test. 60 IN A 127.0.0.2"}, []string{"udp 127.0.0.2:5060"}},
		{"the hosts file comes first", "localhost", nil, []string{"localhost. 60 IN A 127.0.0.77"}, []string{"udp 127.0.0.1:5060"}},
		{"a name without dots is completed", "pbx", nil, []string{"pbx.office.test. 60 IN A 127.0.0.2"}, []string{"udp 127.0.0.2:5060"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			zone := siptest.NewZone(t)
			zone.Set(t, c.zone...)
			trunk := run(t, knowing(zone), func(cfg *sip.TrunkConfig) {
				cfg.Local.Port = 0
				if c.change != nil {
					c.change(cfg)
				}
			}, c.address)
			if got := where(t, ready(t, trunk)); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestAnAnswerThatIsTooLargeForUDPIsAskedForByTCP(t *testing.T) {
	t.Parallel()
	zone := siptest.NewZone(t)
	zone.Set(t, "pbx.test. 60 IN A 127.0.0.2")
	zone.Cut()
	if got := where(t, ready(t, run(t, knowing(zone), nil, "pbx.test"))); !slices.Equal(got, []string{"udp 127.0.0.2:5060"}) {
		t.Errorf("%v", got)
	}
}

func TestServersOfOnePriorityShareTheCallsByWeight(t *testing.T) {
	t.Parallel()
	zone := siptest.NewZone(t)
	zone.Set(t, "_sip._udp.sip.test. 60 IN SRV 10 90 5071 a.test.", "_sip._udp.sip.test. 60 IN SRV 10 10 5072 a.test.", "_sip._udp.sip.test. 60 IN SRV 20 99 5073 a.test.",
		"a.test. 60 IN A 127.0.0.2")
	trunk := ready(t, run(t, knowing(zone), nil, "sip.test"))
	first := map[string]int{}
	for range 400 {
		got := where(t, trunk)
		if len(got) != 3 || got[2] != "udp 127.0.0.2:5073" {
			t.Fatalf("%v: a lower priority comes last", got)
		}
		first[got[0]]++
	}
	if first["udp 127.0.0.2:5071"] < 300 || first["udp 127.0.0.2:5072"] < 5 {
		t.Errorf("%v of 400", slices.Sorted(maps.Keys(first)))
	}
}

func TestTheLastGoodAnswerIsKeptWhereDNSAnswersNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(*testing.T, *siptest.Zone)
	}{
		{"servers fail", func(_ *testing.T, z *siptest.Zone) { z.Fail() }},
		{"servers are silent", func(_ *testing.T, z *siptest.Zone) { z.Mute() }},
		{"the name is gone", func(t *testing.T, z *siptest.Zone) { t.Helper(); z.Set(t) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			zone := siptest.NewZone(t)
			zone.Set(t, "_sip._udp.sip.test. 0 IN SRV 10 0 5070 a.test.", "a.test. 0 IN A 127.0.0.2")
			told := messages{make(chan string, 64)}
			env := knowing(zone)
			env.Log = slog.New(told)
			trunk := ready(t, run(t, env, nil, "sip.test"))
			want := where(t, trunk)
			c.spoil(t, zone)
			told.await(t, "its last addresses are kept") // the time to live is over
			if got := where(t, trunk); !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}

func TestANewAnswerIsTakenWhenTheOldOneIsOver(t *testing.T) {
	t.Parallel()
	zone := siptest.NewZone(t)
	zone.Set(t, "pbx.test. 1 IN A 127.0.0.2")
	trunk := ready(t, run(t, knowing(zone), nil, "pbx.test"))
	before := zone.Asked("pbx.test", "A")
	zone.Set(t, "pbx.test. 1 IN A 127.0.0.3")
	zone.Await(t, "pbx.test", "A", before+2) // the one before this was answered anew, and kept
	if got := where(t, trunk); !slices.Equal(got, []string{"udp 127.0.0.3:5060"}) {
		t.Errorf("%v", got)
	}
}

func TestEachWayANameFailsHasItsOwnReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(*siptest.Zone)
		want  sip.Failure
		text  string
	}{
		{"no such name", func(*siptest.Zone) {}, sip.FailureNoName, "no address"},
		{"servers fail", (*siptest.Zone).Fail, sip.FailureDNS, "SERVFAIL"},
		{"servers are silent", (*siptest.Zone).Mute, sip.FailureDNS, "name server"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			zone := siptest.NewZone(t)
			c.spoil(zone)
			trunk := run(t, knowing(zone), nil, "pbx.test")
			err := trunk.Ready(t.Context())
			var failed *sip.SendError
			if !errors.As(err, &failed) || failed.Op != "resolve" || sip.FailureOf(err) != c.want || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%v (%q)", err, sip.FailureOf(err))
			}
			if _, err := trunk.Invite(t.Context(), sip.Invite{User: "7101", Offer: []byte(sdp)}); sip.FailureOf(err) != c.want {
				t.Errorf("the call says %v", err)
			}
		})
	}
}

func TestNoNameServerIsAskedForAnAddress(t *testing.T) {
	t.Parallel()
	env := environment()
	env.Dial = func(context.Context, string, netip.Addr, string) (net.Conn, error) {
		t.Error("a connection was opened")
		return nil, errors.New("no")
	}
	openOn(t, env, "127.0.0.1:5070", nil)
}
