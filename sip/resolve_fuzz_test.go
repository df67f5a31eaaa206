package sip

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func FuzzAnAnswerOfANameServerIsReadInFull(f *testing.F) {
	for _, lines := range [][]string{
		{`sip.test. 60 IN NAPTR 10 10 "s" "SIP+D2U" "" _sip._udp.sip.test.`, `sip.test. 60 IN NAPTR 0 0 "a" "SIPS+D2T" "" .`},
		{"_sip._udp.sip.test. 0 IN SRV 65535 65535 65535 .", "_sip._udp.sip.test. 60 IN SRV 0 0 5060 a.test."},
		{"sip.test. 60 IN CNAME a.test.", "a.test. 60 IN A 127.0.0.1", "a.test. 60 IN AAAA ::1"},
	} {
		m := new(dns.Msg).SetQuestion("sip.test.", dns.TypeNAPTR)
		m.Response = true
		for _, l := range lines {
			rr, err := dns.NewRR(l)
			if err != nil {
				f.Fatal(err)
			}
			m.Answer = append(m.Answer, rr)
		}
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	r := resolver{transports: []string{"udp", "tls"}}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := new(dns.Msg)
		if m.Unpack(b) != nil {
			return
		}
		for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV, dns.TypeNAPTR} {
			a := read(m, kind)
			if len(a.records) == 0 != (a.ttl == 0) {
				t.Errorf("%d records with a time to live of %s", len(a.records), a.ttl)
			}
			if n := len(r.pointed(a.records)); n > maxTargets {
				t.Errorf("%d pointers", n)
			}
		}
	})
}

func FuzzAnAddressIsAHostAndAPort(f *testing.F) {
	for _, s := range []string{"pbx.test", "pbx.test:5060", "192.0.2.1", "[2001:db8::1]:5061", "2001:db8::1", "[::1]", "::ffff:192.0.2.1", "fe80::1%eth0", "a:b:c", ":5060", "a b", "a\r\nb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, _, err := splitAddress(s)
		if err != nil {
			return
		}
		if host == "" || strings.ContainsAny(host, " \r\n[]<>@;,\"") {
			t.Errorf("%q gives the host %q", s, host)
		}
		if again, _, err := splitAddress(bracketed(host)); err != nil || again != host {
			t.Errorf("%q gives %q, which gives %q (%v)", s, host, again, err)
		}
	})
}
