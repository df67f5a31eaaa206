package sip

import (
	"bytes"
	"net"
	"net/netip"
	"time"
)

// tap is a trunk's UDP socket that shows what passes to the traces of calls: datagrams, so that what is sent again is seen
// again, and what cannot be parsed is seen too. sipgo's own tracer is one for the whole process, without a lock.
type tap struct {
	*share

	trunk *Trunk
}

// ReadFrom reads a datagram. Those of strangers are none of a call's, whatever they claim.
func (c *tap) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.share.ReadFrom(b)
	if udp, ok := from.(*net.UDPAddr); err == nil && ok && c.trunk.guard.allowed(udp.AddrPort().Addr()) {
		c.trunk.seen(c.trunk.env.Now(), false, "udp", c.LocalAddr(), from, b[:n])
	}
	return n, from, err
}

// WriteTo sends a datagram. One that did not leave is not shown; the call says why.
func (c *tap) WriteTo(b []byte, to net.Addr) (int, error) {
	at := c.trunk.env.Now()
	n, err := c.share.WriteTo(b, to)
	if err == nil {
		c.trunk.seen(at, true, "udp", c.LocalAddr(), to, b)
	}
	return n, err
}

// flowTap shows what passes over a connection: on TLS before it is encrypted and after. What is sent is a message a write;
// what comes is cut where messages end.
type flowTap struct {
	trunk *Trunk
	flow  *flow
	in    framer // the reader's
}

// read tells whether a message has ended with these bytes, and whether one has begun that has not.
func (c *flowTap) read(b []byte) (ended, begun bool) {
	if c == nil {
		return false, false
	}
	c.in.take(b, func(message []byte) {
		ended = true
		c.trunk.seen(c.trunk.env.Now(), false, c.flow.target.Transport, c.flow.LocalAddr(), c.flow.RemoteAddr(), message)
	})
	return ended, len(c.in.buf) > 0
}

// write sends by the function given, and shows what left.
func (c *flowTap) write(b []byte, send func([]byte) (int, error)) (int, error) {
	if c == nil {
		return send(b)
	}
	at := c.trunk.env.Now()
	n, err := send(b)
	if err == nil {
		c.trunk.seen(at, true, c.flow.target.Transport, c.flow.LocalAddr(), c.flow.RemoteAddr(), b)
	}
	return n, err
}

// seen shows one message to the trace of the call it belongs to, if there is one.
func (t *Trunk) seen(at time.Time, sent bool, transport string, local, remote net.Addr, raw []byte) {
	id := headerOf(raw, "call-id", "i")
	if len(id) == 0 {
		if !sent && len(bytes.TrimSpace(raw)) > 0 { // no keep-alive
			t.count.nonsense.Add(1)
		}
		return
	}
	t.mu.Lock()
	l := t.legs[string(id)]
	t.mu.Unlock()
	if l == nil || l.trace == nil {
		return
	}
	l.trace.record(at, sent, way{transport, addrPort(local), addrPort(remote)}, raw)
}

func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		return unmapped(a.AddrPort())
	case *net.TCPAddr:
		return unmapped(a.AddrPort())
	}
	return netip.AddrPort{}
}

// headerOf finds the value of the first header of that name, in its long or its compact form (RFC 3261 7.3.3), without
// parsing the message.
func headerOf(raw []byte, name, compact string) []byte {
	rest, _ := nextLine(raw)
	for len(rest) > 0 {
		var line []byte
		if rest, line = nextLine(rest); len(line) == 0 {
			return nil
		}
		field, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		field = bytes.TrimSpace(field)
		if len(field) == len(name) && equalFold(field, name) || len(field) == len(compact) && equalFold(field, compact) {
			return bytes.TrimSpace(value)
		}
	}
	return nil
}

func contentType(raw []byte) string { return string(headerOf(raw, "content-type", "c")) }

// equalFold compares ASCII without making a string of it.
func equalFold(b []byte, lower string) bool {
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// framer cuts what passes over a connection into messages (RFC 3261 18.3). What does not end, or is longer than any
// message may be, is let go: the parser will have closed the connection by then.
type framer struct{ buf []byte }

const longestMessage = 64 << 10

// take adds bytes and gives each message that is complete to whole.
func (f *framer) take(b []byte, whole func(message []byte)) {
	f.buf = append(f.buf, b...)
	for {
		f.buf = bytes.TrimLeft(f.buf, "\r\n") // keep-alives, and blank lines between messages
		head := bytes.Index(f.buf, []byte("\r\n\r\n"))
		if head < 0 {
			break
		}
		end := head + len("\r\n\r\n") + contentLength(f.buf[:head+4])
		if end > len(f.buf) {
			break
		}
		whole(f.buf[:end])
		f.buf = f.buf[end:]
	}
	if len(f.buf) > longestMessage {
		f.buf = nil
	}
	if len(f.buf) == 0 {
		f.buf = nil
	}
}

func contentLength(head []byte) int {
	n := 0
	for _, c := range headerOf(head, "content-length", "l") {
		if c < '0' || c > '9' || n > longestMessage {
			break
		}
		n = 10*n + int(c-'0')
	}
	return n
}
