package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	askLimit   = time.Second // for one server to answer one question
	askRounds  = 2           // through all servers
	maxServers = 3           // as resolv.conf(5) has it
	fileTTL    = time.Minute // of what the hosts file says, and of what the system's resolver says without a TTL
	ednsSize   = 1232        // of answers by UDP: passes everywhere without being cut up
)

// DNS asks name servers. net.Resolver cannot be used alone: it knows no NAPTR and tells no TTL.
type DNS struct {
	Servers []string      // "host:port", in order; empty: those of Config
	Config  string        // resolv.conf(5); "" = /etc/resolv.conf
	Hosts   *net.Resolver // who knows addresses before DNS does; nil = the hosts file

	dial dialFunc
}

// said is what a name server said; no records means that there are none.
type said struct {
	records []dns.RR
	ttl     time.Duration // the lowest of them; 0 where there are none
}

// withDial is the same resolver over these sockets.
func (d *DNS) withDial(dial dialFunc) *DNS {
	c := DNS{}
	if d != nil {
		c = *d
	}
	c.dial = dial
	if c.Hosts == nil {
		c.Hosts = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("the hosts file only")
		}}
	}
	return &c
}

// config is read at every round of lookups: it changes with the network.
func (d *DNS) config() *dns.ClientConfig {
	path := d.Config
	if path == "" {
		path = "/etc/resolv.conf"
	}
	c, err := dns.ClientConfigFromFile(path)
	if err != nil {
		c = &dns.ClientConfig{Ndots: 1}
	}
	servers := d.Servers
	for _, s := range c.Servers {
		if len(d.Servers) == 0 && len(servers) < maxServers {
			servers = append(servers, net.JoinHostPort(s, c.Port))
		}
	}
	c.Servers = servers
	return c
}

// ask puts one question to the servers in turn. That a name or type does not exist is an answer; only silence and
// servers that fail are errors.
func (d *DNS) ask(ctx context.Context, servers []string, name string, kind uint16) (said, error) {
	if len(servers) == 0 {
		return said{}, errors.New("no name server is configured")
	}
	var err error
	for range askRounds {
		for _, s := range servers {
			var res *dns.Msg
			if res, err = d.exchange(ctx, s, question(name, kind)); err == nil {
				return read(res, kind), nil
			}
			if ctx.Err() != nil {
				return said{}, err
			}
		}
	}
	return said{}, err
}

func question(name string, kind uint16) *dns.Msg {
	m := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	m.RecursionDesired = true
	m.SetEdns0(ednsSize, false)
	return m
}

// exchange asks one server, over TCP where the answer does not fit a datagram (RFC 7766 5).
func (d *DNS) exchange(ctx context.Context, server string, m *dns.Msg) (*dns.Msg, error) {
	res, err := d.over(ctx, "udp", server, m)
	if err == nil && res.Truncated {
		res, err = d.over(ctx, "tcp", server, m)
	}
	if isTimeout(err) {
		err = worded("no answer in "+inWords(askLimit), err)
	}
	if err != nil {
		return nil, fmt.Errorf("ask the name server %s for %s: %w", server, strings.TrimSuffix(m.Question[0].Name, "."), err)
	}
	if res.Rcode == dns.RcodeFormatError && m.IsEdns0() != nil { // a server from before EDNS (RFC 6891 6.2.2)
		plain := m.Copy()
		plain.Extra = nil
		return d.exchange(ctx, server, plain)
	}
	if res.Rcode != dns.RcodeSuccess && res.Rcode != dns.RcodeNameError {
		return nil, fmt.Errorf("the name server %s says %s for %s", server, dns.RcodeToString[res.Rcode], strings.TrimSuffix(m.Question[0].Name, "."))
	}
	return res, nil
}

func (d *DNS) over(ctx context.Context, network, server string, m *dns.Msg) (*dns.Msg, error) {
	limit, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	raw, err := d.dial(limit, network, netip.Addr{}, server)
	if err != nil {
		return nil, err
	}
	conn := &dns.Conn{Conn: raw, UDPSize: ednsSize}
	defer func() { _ = conn.Close() }()
	client := &dns.Client{Net: network, Timeout: askLimit}
	res, _, err := client.ExchangeWithConnContext(limit, m, conn)
	if err != nil {
		return nil, err
	}
	if len(res.Question) != 1 || !strings.EqualFold(res.Question[0].Name, m.Question[0].Name) || res.Question[0].Qtype != m.Question[0].Qtype {
		return nil, errors.New("the answer is to another question")
	}
	return res, nil
}

// read takes the records of one type; aliases on the way count for the TTL.
func read(res *dns.Msg, kind uint16) said {
	var a said
	ttl := uint32(0)
	for i, rr := range res.Answer {
		if t := rr.Header().Ttl; i == 0 || t < ttl {
			ttl = t
		}
		if rr.Header().Rrtype == kind {
			a.records = append(a.records, rr)
		}
	}
	if len(a.records) > 0 {
		a.ttl = time.Duration(max(ttl, 1)) * time.Second // 0 says "now only"; here it would say nothing
	}
	return a
}

// hosts asks the hosts file.
func (d *DNS) hosts(ctx context.Context, name string) []netip.Addr {
	found, err := d.Hosts.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	return found
}
