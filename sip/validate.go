package sip

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// validate reports everything wrong with a configuration at once.
func (c TrunkConfig) validate() error {
	var faults []error
	fault := func(key, format string, args ...any) {
		faults = append(faults, &ConfigError{key, fmt.Sprintf(format, args...)})
	}
	if len(c.Addresses) == 0 {
		fault("addresses", "name the trunk's host or address")
	}
	for _, a := range c.Addresses {
		if _, _, err := splitHostPort(a); err != nil {
			fault("addresses", "%q: %v", a, err)
		}
	}
	if c.Transport != "udp" && c.Transport != "tcp" {
		fault("transport", "%q is not udp or tcp", c.Transport)
	}
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
	c.validateRegister(fault)
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
	return errors.Join(faults...)
}

// validateRegister reports what keeps a trunk from registering, and from being probed.
func (c TrunkConfig) validateRegister(fault func(key, format string, args ...any)) {
	if c.Register.On && c.Credentials.User == "" {
		fault("register", "needs user: the account that is registered")
	}
	if c.Register.Registrar != "" {
		if _, _, err := splitHostPort(c.Register.Registrar); err != nil {
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

// isUser tells whether s may be the user part of a Request-URI.
func isUser(s string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+"
	return s != "" && len(s) <= 64 && strings.Trim(s, allowed) == ""
}

// splitHostPort reads "host", "host:port", "[v6]" and "[v6]:port"; the port is 5060 if absent.
func splitHostPort(s string) (host string, port int, err error) {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return addr.String(), 5060, nil
	}
	if !strings.Contains(s, ":") {
		if s == "" || !isToken(s) {
			return "", 0, errors.New("not a host name")
		}
		return s, 5060, nil
	}
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, errors.New("not host or host:port")
	}
	port, err = strconv.Atoi(p)
	if err != nil || port < 1 || port > 65535 || host == "" || !isToken(host) {
		return "", 0, errors.New("not host or host:port")
	}
	return host, port, nil
}

// bindHost reads a bind address; an invalid Addr means "the kernel's choice".
func bindHost(s string) (netip.Addr, uint16, error) {
	if s == "" {
		return netip.Addr{}, 0, nil
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr(), ap.Port(), nil
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
	return addr, 0, nil
}

func bodyReader(body []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
}
