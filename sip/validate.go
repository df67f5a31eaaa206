package sip

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// validate reports everything wrong with a configuration at once. What TLS connections have in common comes with it.
func (c TrunkConfig) validate() (*tls.Config, error) {
	var faults []error
	fault := func(key, format string, args ...any) {
		faults = append(faults, &ConfigError{key, fmt.Sprintf(format, args...)})
	}
	if len(c.Addresses) == 0 {
		fault("addresses", "name the trunk's host or address")
	}
	for _, a := range c.Addresses {
		if _, _, err := splitAddress(a); err != nil {
			fault("addresses", "%q: %v", a, err)
		}
	}
	if _, _, err := splitAddress(c.OutboundProxy); c.OutboundProxy != "" && err != nil {
		fault("outbound_proxy", "%q: %v", c.OutboundProxy, err)
	}
	if c.Transport != "udp" && c.Transport != "tcp" && c.Transport != "tls" {
		fault("transport", "%q is not udp, tcp or tls", c.Transport)
	}
	secure := c.TLS.config(fault)
	for _, f := range []struct {
		key string
		set bool
	}{{"tls_ca", c.TLS.CA != nil}, {"tls_cert", c.TLS.Cert != nil}, {"tls_key", c.TLS.Key != nil}, {"tls_server_name", c.TLS.ServerName != ""}} {
		if f.set && c.Transport != "tls" {
			fault(f.key, "needs transport = \"tls\"")
		}
	}
	if c.LargeByTCP && c.Transport != "udp" {
		fault("transport", "TCP for large requests needs UDP for the others")
	}
	c.validateRegister(fault)
	c.validateLocal(fault)
	switch c.NAT {
	case "", NATAuto, NATOff:
	case NATOn:
		if c.Keepalive <= 0 {
			fault("nat", "\"on\" keeps a door open, and needs sip.keepalive")
		}
	default:
		fault("nat", "%q is not auto, off or on", c.NAT)
	}
	for _, f := range []struct{ key, value string }{
		{"contact_user", c.Identity.ContactUser}, {"domain", c.Identity.Domain}, {"user", c.Credentials.User},
	} {
		if !isToken(f.value) {
			fault(f.key, "contains characters that a SIP address cannot hold")
		}
	}
	for _, f := range []struct{ key, value string }{
		{"user_agent", c.Identity.UserAgent}, {"auth_user", c.Credentials.AuthUser},
	} {
		if strings.ContainsAny(f.value, "\r\n\x00\"") {
			fault(f.key, "contains a line break or quote")
		}
	}
	c.Identity.check(fault)
	return secure, errors.Join(faults...)
}

func (c TrunkConfig) validateLocal(fault func(key, format string, args ...any)) {
	if host, _, err := bindHost(c.Local.Bind); err != nil {
		fault("bind", "%v", err)
	} else if host.IsValid() && host.IsUnspecified() {
		fault("bind", "%s is every address: name one, or leave it empty for the one the kernel would use", host)
	}
	if c.Local.PublicAddress != "" {
		if _, err := netip.ParseAddr(c.Local.PublicAddress); err != nil {
			fault("public_address", "%q is not an IP address", c.Local.PublicAddress)
		}
	}
	if c.Local.DSCP < 0 || c.Local.DSCP > 63 {
		fault("dscp", "%d is not between 0 and 63", c.Local.DSCP)
	}
}

// validateRegister reports what keeps a trunk from registering, and from being probed.
func (c TrunkConfig) validateRegister(fault func(key, format string, args ...any)) {
	if c.Register.On && c.Credentials.User == "" {
		fault("register", "needs user: the account that is registered")
	}
	if c.Register.Registrar != "" {
		if _, _, err := splitAddress(c.Register.Registrar); err != nil {
			fault("registrar", "%q: %v", c.Register.Registrar, err)
		}
	}
	switch c.Probe.Mode {
	case "", ProbeOff, ProbeOptions:
	case ProbeRegister:
		if !c.Register.On {
			fault("probe", "\"register\" needs register = true")
		}
	default:
		fault("probe", "%q is not options, register or off", c.Probe.Mode)
	}
}

// isToken tells whether s may stand in the user or host part of a URI as it is. Anything that would need escaping, or
// could end the header, may not.
func isToken(s string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~'()&=+$"
	return strings.Trim(s, allowed+":[]") == "" || strings.Trim(s, allowed) == ""
}

// isHost tells whether s can be a host name; the underscore is in some.
func isHost(s string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	return s != "" && len(s) <= 253 && strings.Trim(s, allowed) == ""
}

// isUser tells whether s may be the user part of a Request-URI.
func isUser(s string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+"
	return s != "" && len(s) <= 64 && strings.Trim(s, allowed) == ""
}

// splitAddress reads "host", "host:port", "[v6]", "v6" and "[v6]:port"; the port is 0 if absent.
func splitAddress(s string) (host string, port uint16, err error) {
	if addr, err := netip.ParseAddr(trimBrackets(s)); err == nil {
		if addr.Zone() != "" {
			return "", 0, errors.New("an address with a zone means something on one link only")
		}
		return addr.Unmap().String(), 0, nil
	}
	if !strings.Contains(s, ":") {
		if !isHost(s) {
			return "", 0, errors.New("not a host name")
		}
		return s, 0, nil
	}
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, errors.New("not host or host:port")
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil || n == 0 {
		return "", 0, errors.New("not host or host:port")
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.Zone() == "" {
		return addr.Unmap().String(), uint16(n), nil
	}
	if !isHost(host) {
		return "", 0, errors.New("not host or host:port")
	}
	return host, uint16(n), nil
}

// bracketed is a host as URIs and Via write it.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// bindHost reads a bind address; an invalid Addr means "the kernel's choice".
func bindHost(s string) (netip.Addr, uint16, error) {
	if s == "" {
		return netip.Addr{}, 0, nil
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap(), ap.Port(), nil
	}
	if port, ok := strings.CutPrefix(s, ":"); ok {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return netip.Addr{}, 0, fmt.Errorf("%q is not an address", s)
		}
		return netip.Addr{}, uint16(n), nil
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}, 0, fmt.Errorf("%q is not an IP address of this machine, with or without a port", s)
	}
	return addr.Unmap(), 0, nil
}

func bodyReader(body []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
}
