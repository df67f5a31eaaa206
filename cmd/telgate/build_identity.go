package main

import (
	"cmp"
	"strings"

	"telgate"
	"telgate/config"
	"telgate/plan"
	"telgate/sip"
)

// newIdentity is who a trunk says that we are, our number in the trunk's own notation.
func newIdentity(cfg config.Config, t config.Trunk, f plan.Format) (sip.Identity, config.Faults) {
	var faults config.Faults
	caller, err := f.CallerID(t.Account.CallerID, plan.Style(t.Identity.Format))
	if err != nil {
		faults = append(faults, telgate.Fault{Path: "trunks." + t.Name + ".caller_id_format", Message: err.Error()})
	}
	id := sip.Identity{
		Domain: t.Account.Domain, CallerID: caller, FromUser: t.Identity.FromUser, UserAgent: cfg.SIP.UserAgent,
		DisplayName: cmp.Or(t.Account.DisplayName, cfg.Gateway.Announce), Assert: sip.Assertion(t.Identity.Assert),
		Withheld: t.Identity.Privacy == "id", ContactUser: contactUser(t),
	}
	for _, h := range t.Identity.Headers {
		id.Headers = append(id.Headers, sip.Header{Name: h.Name, Value: h.Value})
	}
	return id, faults
}

// shownAs is the caller that callees see over this trunk.
func shownAs(t config.Trunk) string {
	if t.Identity.Privacy == "id" || t.Target.CallerPrefix == "184" {
		return plan.Anonymous
	}
	return cmp.Or(t.Account.CallerID, t.Account.User)
}

// checkTarget sees that numbers of this trunk can be addressed as it says.
func checkTarget(t config.Trunk, f plan.Format) config.Faults {
	var faults config.Faults
	if err := f.CheckCaller(); err != nil {
		faults = append(faults, telgate.Fault{Path: "trunks." + t.Name + ".caller_prefix", Message: err.Error()})
	}
	local := f.Style == plan.National || f.Style == plan.E164NoPlus || f.DialPrefix != ""
	hosts := append([]string{t.Account.Domain}, t.Addresses...)
	if t.Target.URI == "tel" && local && !sip.HasName(hosts) {
		faults = append(faults, telgate.Fault{
			Path:    "trunks." + t.Name + ".domain",
			Message: "uri = \"tel\" writes numbers without country code as tel:NUMBER;phone-context=DOMAIN: set domain to a name",
		})
	}
	return faults
}

// checkIdentity says who each trunk shows as the caller.
func checkIdentity(g *gateway, r *report) {
	for i, t := range g.cfg.Trunks {
		r.add("identity", t.Name, "ok", r.app.wire(strings.Join(g.trunks[i].Introduction(), "; ")), "")
		switch {
		case shownAs(t) == plan.Anonymous:
			r.add("identity", t.Name, "warn", "our number is withheld: many landlines and mobiles never ring then", `set privacy = "none" and caller_prefix to "" or "186"`)
		case t.Identity.Assert == "pai" && t.Account.User != "":
			r.add("identity", t.Name, "warn", "P-Asserted-Identity is for a peer that trusts us; a subscriber with an account asks by P-Preferred-Identity", `set identity = "ppi", unless the carrier says pai`)
		case t.Kind == string(plan.Carrier) && shownAs(t) == "":
			r.add("identity", t.Name, "warn", "no caller_id: a carrier refuses such a call, or callees do", "set caller_id to a number of yours")
		}
	}
}
