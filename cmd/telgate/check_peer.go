package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"telgate/config"
	"telgate/sip"
)

// clockSkew is how far a peer's clock may be from ours: beyond it, logs of the two are hard to lay side by side, and
// certificates and nonces may be refused.
const clockSkew = 30 * time.Second

// needed are the methods a call needs a peer to take.
var needed = []string{"INVITE", "ACK", "CANCEL", "BYE"} //nolint:gochecknoglobals // a constant that Go cannot spell

// checkPeer says what an answer to OPTIONS tells about how a call would go.
func checkPeer(trunk string, udp bool, p sip.Probe, now time.Time, r *report) {
	checkAllow(trunk, p.Allow, r)
	checkSight(trunk, udp, p.Sight, r)
	if p.Sight.Date.IsZero() {
		return
	}
	skew := p.Sight.Date.Sub(now.Truncate(time.Second))
	switch {
	case skew > clockSkew:
		r.add("clock", trunk, "warn", fmt.Sprintf("its clock is %s ahead of ours", skew), "see that both keep time by NTP")
	case skew < -clockSkew:
		r.add("clock", trunk, "warn", fmt.Sprintf("its clock is %s behind ours", -skew), "see that both keep time by NTP")
	}
}

// checkAllow warns where the peer says which methods it takes, and one that calls need is not among them.
func checkAllow(trunk, allow string, r *report) {
	if allow == "" {
		return
	}
	var missing []string
	methods := strings.FieldsFunc(strings.ToUpper(allow), func(c rune) bool { return c == ',' || c == ' ' || c == '\t' })
	for _, m := range needed {
		if !slices.Contains(methods, m) {
			missing = append(missing, m)
		}
	}
	if len(missing) > 0 {
		r.add("trunk", trunk, "warn", "does not allow "+strings.Join(missing, ", "), "see that addresses names the proxy or PBX that takes calls")
	}
}

// checkAsked warns where a trunk is to tell where it sees us, and does not.
func checkAsked(cfg config.Config, trunk string, s sip.Sight, r *report) {
	on := slices.ContainsFunc(cfg.Trunks, func(t config.Trunk) bool { return t.Name == trunk && sip.NAT(t.NAT) == sip.NATOn })
	if on && cfg.SIP.PublicAddress == "" && !s.Seen.IsValid() {
		r.add("nat", trunk, "warn", `does not say where it sees us, so nat = "on" learns nothing`, "set sip.public_address, and forward SIP and RTP ports to this machine")
	}
}

// checkSight compares where the peer sees us with where we say that we are: its requests, a BYE for one, go there.
func checkSight(trunk string, udp bool, s sip.Sight, r *report) {
	switch {
	case s.Learned && (s.Seen.Addr() != s.Local.Addr() || udp && s.Seen.Port() != s.Local.Port()):
		r.add("nat", trunk, "ok", fmt.Sprintf("sees us at %s, and we are at %s: a NAT; Contact and SDP name what it sees", s.Seen, s.Local), "")
	case !s.Seen.IsValid() || s.Seen == s.Said:
	case s.Seen.Addr() != s.Said.Addr():
		r.add("nat", trunk, "warn", fmt.Sprintf("sees us at %s, and we say that we are at %s", s.Seen, s.Said),
			fmt.Sprintf("set sip.public_address = %q (and sip.local_nets for peers on this side), and forward SIP and RTP ports to this machine", s.Seen.Addr()))
	case udp:
		r.add("nat", trunk, "warn", fmt.Sprintf("sees us at port %d, and we say that it is %d", s.Seen.Port(), s.Said.Port()),
			"a NAT changes our port: have it forward the port as it is, or see that the peer answers to where requests come from")
	}
}
