package main

import (
	"context"
	"fmt"
	"time"

	"telgate"
	"telgate/sip"
)

// renewWithin is how long before its end a certificate is warned about.
const renewWithin = 21 * 24 * time.Hour

// remedy is what to do about a trunk that cannot be reached.
func remedy(err error) string {
	switch sip.FailureOf(err) {
	case sip.FailureNoName:
		return "see addresses for a wrong name, or ask whoever runs the zone"
	case sip.FailureDNS:
		return "see the name servers in /etc/resolv.conf"
	case sip.FailureRefused:
		return "see that the peer runs, and that port and transport are right"
	case sip.FailureUnknownCA:
		return "set tls_ca to the CA that signs the peer's certificate"
	case sip.FailureExpired:
		return "have the peer's certificate renewed; see the clock of this machine"
	case sip.FailureWrongName:
		return "set tls_server_name to a name in the certificate, if it is the right server"
	case sip.FailureClientCertificate:
		return "set tls_cert and tls_key to a certificate that the peer accepts"
	case sip.FailureCertificate, sip.FailureHandshake:
		return "see transport, port and tls_min, and what TLS the peer speaks"
	default:
		return "see that the address is right, the peer runs, and a firewall lets SIP through"
	}
}

// checkTargets asks every further address of a trunk, in the order they would be tried.
func checkTargets(ctx context.Context, t *sip.Trunk, r *report) {
	targets, err := t.Targets(ctx)
	if err != nil || len(targets) < 2 {
		return
	}
	for _, target := range targets {
		limit, cancel := context.WithTimeout(ctx, probeLimit)
		p, err := t.ProbeTarget(limit, target)
		cancel()
		switch {
		case err != nil:
			r.add("target", t.Name(), "warn", err.Error(), remedy(err))
		case !p.Alive():
			r.add("target", t.Name(), "warn", fmt.Sprintf("%s answers OPTIONS with %d %s", target, p.Status, telgate.MaskedWire(p.Phrase)), "")
		default:
			r.add("target", t.Name(), "ok", fmt.Sprintf("%s answers %d in %d ms", target, p.Status, max(1, p.Latency.Milliseconds())), "")
		}
	}
}

// checkCertificates shows what a trunk's peers showed, and what we show them.
func checkCertificates(t *sip.Trunk, now time.Time, r *report) {
	for _, c := range t.Certificates() {
		text := fmt.Sprintf("%s shows %s", c.Target, certificate(c))
		switch {
		case c.Err != nil:
			r.add("tls", t.Name(), "fail", text, c.Err.Error())
		case c.NotAfter.Sub(now) < renewWithin:
			r.add("tls", t.Name(), "warn", text, "have it renewed")
		default:
			r.add("tls", t.Name(), "ok", text+", "+c.Version, "")
		}
	}
	own, ok := t.OwnCertificate()
	switch text := "we show " + certificate(own); {
	case !ok:
	case !own.NotAfter.After(now):
		r.add("tls", t.Name(), "fail", text, "it has expired: renew tls_cert")
	case own.NotAfter.Sub(now) < renewWithin:
		r.add("tls", t.Name(), "warn", text, "renew tls_cert")
	default:
		r.add("tls", t.Name(), "ok", text, "")
	}
}

func certificate(c sip.Certificate) string {
	return fmt.Sprintf("%s by %s, until %s", c.Subject, c.Issuer, c.NotAfter.UTC().Format(time.DateOnly))
}
