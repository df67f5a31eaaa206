package sip

import (
	"net"
	"slices"
	"strconv"

	"github.com/emiago/sipgo/sip"
)

// firstHops are what requests outside dialogs are sent to: the outbound proxy, else the first service route of the
// registration, else the trunk's addresses.
func (t *Trunk) firstHops() []string {
	if t.cfg.OutboundProxy != "" {
		return []string{t.cfg.OutboundProxy}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.serviceRoutes) > 0 {
		return []string{hopOf(t.serviceRoutes[0])}
	}
	return t.cfg.Addresses
}

func (t *Trunk) isServiceRoute(hops []string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(hops) == 1 && len(t.serviceRoutes) > 0 && hops[0] == hopOf(t.serviceRoutes[0])
}

func hopOf(u sip.Uri) string {
	host := trimBrackets(u.Host)
	if u.Port == 0 {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(u.Port))
}

// setServiceRoutes keeps the Service-Route of a registration (RFC 3608): the way that requests outside dialogs take from
// then on, REGISTER excepted. None forgets them. Routes without a host, or that are no loose routers, are left out.
func (t *Trunk) setServiceRoutes(routes []sip.Uri) {
	kept := make([]sip.Uri, 0, len(routes))
	for _, r := range routes[:min(len(routes), maxTargets)] {
		if _, _, err := splitAddress(hopOf(r)); err == nil && isLoose(&r) && (r.Scheme == "sip" || r.Scheme == "sips") {
			kept = append(kept, *r.Clone())
		}
	}
	t.mu.Lock()
	t.serviceRoutes = kept
	t.mu.Unlock()
}

// preloaded is the route set of requests outside dialogs (RFC 3261 8.1.1.1, RFC 3608 5): the outbound proxy, then the
// service routes. A registrar that names the proxy itself does not get it twice.
func (t *Trunk) preloaded(method sip.RequestMethod) []sip.Uri {
	var set []sip.Uri
	if t.cfg.OutboundProxy != "" {
		set = append(set, t.proxy())
	}
	if method == sip.REGISTER {
		return set
	}
	t.mu.Lock()
	routes := slices.Clone(t.serviceRoutes)
	t.mu.Unlock()
	if len(set) > 0 && len(routes) > 0 && set[0].Host == routes[0].Host && set[0].Port == routes[0].Port {
		set = nil
	}
	return append(set, routes...)
}

// proxy is the outbound proxy as a Route.
func (t *Trunk) proxy() sip.Uri {
	host, port, _ := splitAddress(t.cfg.OutboundProxy) // validated
	u := sip.Uri{Scheme: "sip", Host: bracketed(host), Port: int(port), UriParams: sip.NewParams()}
	if t.cfg.Transport != "udp" {
		u.UriParams.Add("transport", t.cfg.Transport)
	}
	u.UriParams.Add("lr", "")
	return u
}
