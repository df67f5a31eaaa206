package sip

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"
)

const (
	sipPort  = 5060
	sipsPort = 5061
	// Ranks leave room for each other: the order in the configuration decides before NAPTR, NAPTR before SRV.
	addressRank, naptrRank = 1 << 24, 1 << 17
)

// findings is what resolving one address gave.
type findings struct {
	services []service
	ttl      time.Duration // 0 = for ever: nothing was asked
	guessed  bool          // a name server failed where SRV or NAPTR records might be; the default port was taken
}

// resolver finds the targets of an address for the transports a trunk speaks (RFC 3263 4). The transport is the
// configuration's, not a URI's; so NAPTR records choose among those, and name the SRV record.
type resolver struct {
	dns        *DNS
	transports []string // most wanted first
}

// resolve finds what "host", "host:port", or an IP address means.
func (r resolver) resolve(ctx context.Context, address string) (findings, error) {
	host, port, err := splitAddress(address)
	if err != nil {
		return findings{}, err
	}
	if addr, err := netip.ParseAddr(host); err == nil { // 4.2: a numeric address is used as it is
		return findings{services: r.plain(host, port, []netip.Addr{addr.Unmap()})}, nil
	}
	conf := r.dns.config()
	names := conf.NameList(host)
	var last error
	for _, name := range names {
		f, err := r.named(ctx, conf.Servers, host, name, port)
		if err == nil && len(f.services) > 0 {
			return f, nil
		}
		if err != nil {
			last = err
		}
	}
	if last == nil {
		last = &noSuchNameError{host}
	}
	return findings{}, last
}

type noSuchNameError struct{ host string }

func (e *noSuchNameError) Error() string { return e.host + ": DNS knows no address for it" }

// plain are targets at the port given, or the transport's own; one service for each transport.
func (r resolver) plain(host string, port uint16, addrs []netip.Addr) []service {
	var services []service
	for i, transport := range r.transports {
		s := service{rank: i}
		for _, a := range addrs {
			s.targets = append(s.targets, Target{transport, netip.AddrPortFrom(a, cmp.Or(port, defaultPort(transport))), host, port})
		}
		services = append(services, s)
	}
	return services
}

func defaultPort(transport string) uint16 {
	if transport == "tls" {
		return sipsPort
	}
	return sipPort
}

// named resolves one name. What can be asked side by side is.
func (r resolver) named(ctx context.Context, servers []string, host, name string, port uint16) (findings, error) {
	if known := r.dns.hosts(ctx, host); len(known) > 0 {
		return findings{services: r.plain(host, port, known), ttl: fileTTL}, nil
	}
	var group errgroup.Group
	var addrs []netip.Addr
	var ttl time.Duration
	var addrErr error
	group.Go(func() error { addrs, ttl, addrErr = r.addresses(ctx, servers, name); return nil })
	var served findings
	var servedErr error
	if port == 0 { // 4.2: a port that is given leaves SRV out
		group.Go(func() error { served, servedErr = r.located(ctx, servers, host, name); return nil })
	}
	_ = group.Wait()
	switch {
	case len(served.services) > 0:
		return served, nil
	case servedErr != nil && addrErr != nil:
		return findings{}, servedErr
	case addrErr != nil:
		return findings{}, addrErr
	case len(addrs) == 0 && servedErr != nil:
		return findings{}, servedErr
	case len(addrs) == 0:
		return findings{}, nil
	}
	return findings{services: r.plain(host, port, addrs), ttl: ttl, guessed: servedErr != nil}, nil
}

// located follows NAPTR, else asks for the SRV records that our transports have (4.1).
func (r resolver) located(ctx context.Context, servers []string, host, name string) (findings, error) {
	naptr, naptrErr := r.dns.ask(ctx, servers, name, dns.TypeNAPTR)
	wanted := r.pointed(naptr.records)
	if len(wanted) == 0 {
		for i, transport := range r.transports {
			wanted = append(wanted, pointer{i, transport, srvName(transport, name)})
		}
	}
	all := make([]findings, len(wanted))
	failed := make([]error, len(wanted))
	var group errgroup.Group
	for i, w := range wanted {
		group.Go(func() error { all[i], failed[i] = r.service(ctx, servers, host, w); return nil })
	}
	_ = group.Wait()
	f := findings{ttl: naptr.ttl}
	for _, one := range all {
		f.services = append(f.services, one.services...)
		f.ttl = lower(f.ttl, one.ttl)
	}
	if len(f.services) > 0 {
		return f, nil
	}
	for _, err := range failed {
		if err != nil {
			return f, err
		}
	}
	return f, naptrErr
}

// pointer is an SRV record's name, and how it came to be asked for.
type pointer struct {
	rank      int
	transport string
	name      string
}

// pointed reads NAPTR records: those with the flag "s" for a transport of ours, by order and preference (RFC 3263 4.1).
func (r resolver) pointed(records []dns.RR) []pointer {
	services := map[string]string{"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
	var ours []*dns.NAPTR
	for _, rr := range records {
		n, ok := rr.(*dns.NAPTR)
		if ok && strings.EqualFold(n.Flags, "s") && n.Replacement != "." && slices.Contains(r.transports, services[strings.ToUpper(n.Service)]) {
			ours = append(ours, n)
		}
	}
	slices.SortStableFunc(ours, func(a, b *dns.NAPTR) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Preference, b.Preference))
	})
	var out []pointer
	for i, n := range ours[:min(len(ours), maxTargets)] {
		out = append(out, pointer{i, services[strings.ToUpper(n.Service)], n.Replacement})
	}
	return out
}

func srvName(transport, name string) string {
	switch transport {
	case "tls":
		return "_sips._tcp." + name
	case "tcp":
		return "_sip._tcp." + name
	}
	return "_sip._udp." + name
}

// service reads the SRV records of one name, and the addresses of their targets. A target of "." says that the service
// is decidedly not there (RFC 2782); so do records without an address.
func (r resolver) service(ctx context.Context, servers []string, host string, w pointer) (findings, error) {
	a, err := r.dns.ask(ctx, servers, w.name, dns.TypeSRV)
	if err != nil {
		return findings{}, err
	}
	records := a.records[:min(len(a.records), maxTargets)]
	f := findings{services: make([]service, len(records)), ttl: a.ttl}
	ttls, failed := make([]time.Duration, len(records)), make([]error, len(records))
	var group errgroup.Group
	for i, rr := range records {
		srv, ok := rr.(*dns.SRV)
		if !ok || srv.Target == "." || srv.Port == 0 {
			continue
		}
		group.Go(func() error {
			var addrs []netip.Addr
			addrs, ttls[i], failed[i] = r.addresses(ctx, servers, srv.Target)
			s := service{rank: w.rank*naptrRank + int(srv.Priority), weight: srv.Weight}
			for _, addr := range addrs {
				s.targets = append(s.targets, Target{w.transport, netip.AddrPortFrom(addr, srv.Port), host, 0})
			}
			f.services[i] = s
			return nil
		})
	}
	_ = group.Wait()
	f.services = slices.DeleteFunc(f.services, func(s service) bool { return len(s.targets) == 0 })
	for _, ttl := range ttls {
		f.ttl = lower(f.ttl, ttl)
	}
	if len(records) > 0 && len(f.services) == 0 {
		for _, err := range failed {
			if err != nil {
				return f, err
			}
		}
		return f, fmt.Errorf("%s: its SRV records name no server with an address", w.name)
	}
	return f, nil
}

// addresses asks for A and AAAA side by side. IPv4 comes first: what is behind a SIP server, its audio above all, is more
// often reachable so.
func (r resolver) addresses(ctx context.Context, servers []string, name string) ([]netip.Addr, time.Duration, error) {
	if known := r.dns.hosts(ctx, strings.TrimSuffix(name, ".")); len(known) > 0 {
		return known, fileTTL, nil
	}
	var four, six said
	var err4, err6 error
	var group errgroup.Group
	group.Go(func() error { four, err4 = r.dns.ask(ctx, servers, name, dns.TypeA); return nil })
	group.Go(func() error { six, err6 = r.dns.ask(ctx, servers, name, dns.TypeAAAA); return nil })
	_ = group.Wait()
	var addrs []netip.Addr
	for _, rr := range slices.Concat(four.records, six.records) {
		var raw []byte
		switch rr := rr.(type) {
		case *dns.A:
			raw = rr.A.To4()
		case *dns.AAAA:
			raw = rr.AAAA
		}
		if addr, ok := netip.AddrFromSlice(raw); ok && len(addrs) < maxTargets {
			addrs = append(addrs, addr.Unmap())
		}
	}
	if len(addrs) == 0 {
		return nil, 0, cmp.Or(err4, err6)
	}
	return addrs, lower(four.ttl, six.ttl), nil
}

// lower is the lower of two times to live, where 0 says nothing.
func lower(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
