package main

import (
	"cmp"
	"context"

	"telgate/config"
	"telgate/plan"
	"telgate/sip"
)

// registerOf is how a command registers with a trunk.
func registerOf(t config.Trunk, r rules) sip.Register {
	register := sip.Register{
		On: t.Register.On && r.register != registerNot, Ask: r.register == registerAsk, Registrar: t.Register.Registrar,
		Expires: seconds(t.Register.Expires), Retry: t.Register.Retry,
	}
	if r.shares != nil && t.Register.By == byLease {
		register.Shared = r.shares(t.Name)
	}
	return register
}

// contactUser is the user part of Contact; it is the same whether a command registers or not.
func contactUser(t config.Trunk) string {
	if t.Register.On {
		return cmp.Or(t.Register.ContactUser, t.Account.User)
	}
	return t.Register.ContactUser
}

// probeOf is how a trunk is asked whether it is there: by its registration where it has one, else with OPTIONS. That
// "register" needs register = true is a fault of the file, also for commands that register nowhere.
func probeOf(t config.Trunk, r rules) sip.ProbeMode {
	mode := sip.ProbeMode(t.Probe)
	if mode == "" {
		mode = sip.ProbeOptions
		if t.Register.On {
			mode = sip.ProbeRegister
		}
	}
	if !r.probe && (mode != sip.ProbeRegister || t.Register.On) {
		return sip.ProbeOff
	}
	return mode
}

// follow brings what a trunk's signalling says of it to the pager, until ctx is done.
func (g *gateway) follow(ctx context.Context, t *sip.Trunk) {
	last := sip.StateUnknown
	for {
		select {
		case h := <-t.HealthChanged():
			g.pager.TrunkStands(t.Name(), plan.Standing{Down: h.State == sip.StateDown, Refused: h.RestUntil})
			switch {
			case h.State == last || !g.tells:
			case h.State == sip.StateDown:
				g.log.Warn("trunk is down", "trunk", t.Name(), "reason", h.Reason, "err", h.Failure)
			case h.State == sip.StateUp:
				g.log.Info("trunk is up", "trunk", t.Name(), "registered", h.Registration.Registered(h.Since))
			}
			last = h.State
		case <-ctx.Done():
			return
		}
	}
}
