package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"telgate/config"
	"telgate/sip"
)

// registrationLimit is how long check waits for a registrar: a 423 and a challenge need a few round trips.
const registrationLimit = 12 * time.Second

// registering tells how a command that looks at trunks may register: not at all in earnest beside a running gateway,
// whose contact a PBX that keeps one only would throw out.
func (a *app) registering(cfg config.Config) registering {
	if runs, err := gatewayRuns(a.stateDir(cfg)); runs || err != nil {
		return registerAsk
	}
	return registerFull
}

// errNoSecret keeps a trunk from being registered with: a registrar would count a wrong password.
var errNoSecret = errors.New("a secret of the trunk is missing")

// checkRegistration says what the registrar granted, or why not.
func checkRegistration(ctx context.Context, g *gateway, t *sip.Trunk, turns *roster, r *report) {
	if missing(g.cfg, "trunks."+t.Name()) && g.trunk(t.Name()).Register.On {
		r.add("register", t.Name(), "fail", "not tried: "+errNoSecret.Error(), "see the line of the secret above")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, registrationLimit)
	defer cancel()
	if t.Ready(ctx) != nil {
		return // the trunk's own line says why
	}
	if granted := t.AwaitRegistration(ctx); !turns.check(t, granted, r) {
		checkGranted(t, granted, r)
	}
}

func checkGranted(t *sip.Trunk, g sip.Registration, r *report) {
	if !g.Wanted {
		return
	}
	const check = "register"
	others := r.app.wire(strings.Join(g.Foreign, ", "))
	credentials := t.Health().Reason == sip.DownCredentials
	switch {
	case credentials:
		r.add(check, t.Name(), "fail", "refuses our user or password", "see user, auth_user and password; nothing more is sent for a minute, because the PBX may ban us")
	case g.Refused && t.Doubted():
		r.add(check, t.Name(), "fail", "refuses to register us: "+g.Failure, "see user, auth_user and password first: some registrars do not say when they are wrong; else ask its operator whether the account may register from here")
	case g.Refused:
		r.add(check, t.Name(), "fail", "refuses to register us: "+g.Failure, "ask its operator whether the account may register from here, and how many contacts it may have; see user, domain and registrar")
	case g.Failure != "":
		r.add(check, t.Name(), "fail", "not registered: "+g.Failure, "see registrar, and that the PBX runs and a firewall lets SIP through")
	case g.Until.IsZero() && g.Granted == 0 && len(g.Foreign) == 0:
		r.add(check, t.Name(), "warn", "the registrar answers, and has no contact of ours", "a gateway runs here: see its log")
	case g.Until.IsZero():
		r.add(check, t.Name(), "ok", "the registrar has "+others+" (asked only, because a gateway runs here)", "")
	case len(g.Foreign) > 0:
		r.add(check, t.Name(), "warn", fmt.Sprintf("registered for %d s, beside %s", int(g.Granted.Seconds()), others), "others use this account: give each gateway one of its own, or see register_by")
	default:
		r.add(check, t.Name(), "ok", fmt.Sprintf("registered for %d s", int(g.Granted.Seconds())), "")
	}
}
