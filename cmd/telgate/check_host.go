package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"telgate/config"
	"telgate/sip"
)

const (
	usualCalls   = 50      // at once, that a trunk without max_calls should have room for
	otherFiles   = 200     // open besides the two sockets of a call
	enoughBuffer = 4 << 20 // bytes of net.core.rmem_max: what the SIP socket asks for
)

// checkHost says whether this machine has room for the calls that its trunks may carry.
func checkHost(ctx context.Context, g *gateway, a *app, r *report) {
	calls := 0
	for _, t := range g.cfg.Trunks {
		calls += lines(t)
	}
	checkState(a.stateDir(g.cfg), r)
	checkPorts(ctx, g, a, calls, r)
	checkEphemeral(g, a, r)
	checkFiles(a, calls, whence(g.cfg.Trunks), r)
	checkBuffer(a, r)
	for _, t := range g.trunks {
		checkMediaAddress(ctx, g, a, t.Trunk, r)
	}
	checkBinds(g, r)
}

// lines is how many calls at once a trunk may have.
func lines(t config.Trunk) int {
	if t.Lines.MaxCalls > 0 {
		return t.Lines.MaxCalls
	}
	return usualCalls
}

// whence says where the number of calls comes from that there should be room for: the trunks' max_calls.
func whence(trunks []config.Trunk) string {
	parts := make([]string, 0, len(trunks))
	for _, t := range trunks {
		if t.Lines.MaxCalls > 0 {
			parts = append(parts, fmt.Sprintf("%d of trunk %s", t.Lines.MaxCalls, t.Name))
		} else {
			parts = append(parts, fmt.Sprintf("%d of trunk %s, which has no max_calls", usualCalls, t.Name))
		}
	}
	return strings.Join(parts, ", ")
}

// checkBinds sees that no two trunks want the same UDP port. A check opens its own beside a gateway that may have it, so
// it would not notice; serve leaves the second trunk down.
func checkBinds(g *gateway, r *report) {
	taken := make(map[netip.AddrPort]string)
	for i, t := range g.cfg.Trunks { // g.trunks has them in the same order
		_, port, err := net.SplitHostPort(cmp.Or(t.Bind, g.cfg.SIP.Bind))
		if err != nil || t.Transport != "udp" {
			continue // any port will do, or none is bound
		}
		local, _ := g.trunks[i].MediaAddr()
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || !local.IsValid() {
			continue // the trunk's own line says why
		}
		at := netip.AddrPortFrom(local, uint16(n))
		if first, ok := taken[at]; ok {
			r.add("host", t.Name, "fail", fmt.Sprintf("UDP port %s is bound by the trunk %s, so telgate serve cannot open this one", at, first),
				fmt.Sprintf("give it a port of its own with trunks.%s.bind", t.Name))
			continue
		}
		taken[at] = t.Name
	}
}

// checkPorts binds RTP ports, one after another, until there are two pairs for each call: a port rests after its call.
func checkPorts(ctx context.Context, g *gateway, a *app, calls int, r *report) {
	need, free, taken := 2*calls, 0, 0
	local := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	for _, t := range g.trunks {
		if at, _ := t.MediaAddr(); at.IsValid() {
			local = at
			break
		}
	}
	for port := (g.cfg.Media.PortMin + 1) &^ 1; port+1 <= g.cfg.Media.PortMax && free < need; port += 2 {
		if err := bindable(ctx, a, local, port); errors.Is(err, syscall.EADDRINUSE) {
			taken++
		} else if err != nil {
			r.add("host", "ports", "fail", err.Error(), "see sip.bind and media.ports")
			return
		} else {
			free++
		}
	}
	ports := fmt.Sprintf("%d-%d", g.cfg.Media.PortMin, g.cfg.Media.PortMax)
	switch {
	case free < need:
		r.add("host", "ports", "warn", fmt.Sprintf("%s has room for %d pairs of RTP ports, %d are in use by others; %d calls (%s) want %d, as a pair rests after its call", ports, free, taken, calls, whence(g.cfg.Trunks), need), "widen media.ports, or lower max_calls of the trunks")
	default:
		r.add("host", "ports", "ok", fmt.Sprintf("%s has room for %d calls", ports, calls), "")
	}
}

// bindable tells why a pair of RTP and RTCP ports cannot be had.
func bindable(ctx context.Context, a *app, local netip.Addr, port int) error {
	for _, p := range []int{port, port + 1} {
		conn, err := a.env.listenPacket(ctx, "udp", netip.AddrPortFrom(local, uint16(p)).String())
		if err != nil {
			return err
		}
		_ = conn.Close()
	}
	return nil
}

// checkEphemeral warns where the kernel hands out our RTP ports to whoever asks for any.
func checkEphemeral(g *gateway, a *app, r *report) {
	b, err := a.env.readFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return // another system, which keeps them elsewhere
	}
	var low, high int
	if _, err := fmt.Sscan(string(b), &low, &high); err == nil && low <= g.cfg.Media.PortMax && high >= g.cfg.Media.PortMin {
		r.add("host", "ports", "warn", fmt.Sprintf("media.ports %d-%d overlap the ports the kernel hands out, %d-%d", g.cfg.Media.PortMin, g.cfg.Media.PortMax, low, high),
			"move media.ports below them, or set net.ipv4.ip_local_port_range")
	}
}

// checkFiles warns where there are fewer files than calls need sockets. The limit is that of a process begun as this one.
func checkFiles(a *app, calls int, whose string, r *report) {
	b, err := a.env.readFile("/proc/self/limits")
	if err != nil {
		return
	}
	need := 2*calls + otherFiles
	for line := range strings.Lines(string(b)) {
		rest, ok := strings.CutPrefix(line, "Max open files")
		fields := strings.Fields(rest)
		if !ok || len(fields) == 0 {
			continue
		}
		if n, err := strconv.Atoi(fields[0]); err == nil && n < need {
			r.add("host", "files", "warn", fmt.Sprintf("at most %d files may be open, %d calls (%s) want %d", n, calls, whose, need), "raise LimitNOFILE of the service, or ulimit -n")
		}
	}
}

// checkBuffer warns where the SIP socket gets a smaller buffer than it asks for.
func checkBuffer(a *app, r *report) {
	b, err := a.env.readFile("/proc/sys/net/core/rmem_max")
	if err != nil {
		return
	}
	if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && n < enoughBuffer {
		r.add("host", "buffers", "warn", fmt.Sprintf("net.core.rmem_max is %d: hundreds of calls set up at once lose messages", n), fmt.Sprintf("set it to %d", enoughBuffer))
	}
}

// checkMediaAddress sees that the address SDP names is ours, or public, and of use to the trunk.
func checkMediaAddress(ctx context.Context, g *gateway, a *app, t *sip.Trunk, r *report) {
	local, named := t.MediaAddr()
	if !local.IsValid() {
		return // the trunk's own line says why
	}
	seen := named != local
	if own, err := netip.ParseAddr(g.cfg.Media.Address); err == nil {
		named, seen = own, false
	}
	peer := t.Peer()
	switch public := named.String() == g.cfg.SIP.PublicAddress; {
	case named.IsLoopback() && !peer.IsLoopback():
		r.add("host", t.Name(), "fail", fmt.Sprintf("SDP names %s, where nobody but this machine can send audio", named), "see media.address and bind")
	case named.IsUnspecified():
		r.add("host", t.Name(), "fail", fmt.Sprintf("SDP names %s, which is no address", named), "see media.address")
	case isInside(named) && !isInside(peer):
		r.add("host", t.Name(), "warn", fmt.Sprintf("SDP names %s, a private address, to %s, which is on the Internet", named, peer), "set sip.public_address, and forward media.ports to this machine")
	case isInside(named) && !public && !seen && !ours(ctx, a, named):
		r.add("host", t.Name(), "warn", fmt.Sprintf("SDP names %s, which is no address of this machine", named), "see media.address")
	}
}

// isInside tells whether an address means something only on this side of a NAT.
func isInside(a netip.Addr) bool { return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() }

// ours tells whether an address is this machine's: it can be bound.
func ours(ctx context.Context, a *app, addr netip.Addr) bool {
	conn, err := a.env.listenPacket(ctx, "udp", net.JoinHostPort(addr.String(), "0"))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
