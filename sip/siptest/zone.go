package siptest

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Zone is a name server on loopback, over UDP and TCP.
type Zone struct {
	addr string

	mu      sync.Mutex
	records []dns.RR
	rcode   int  // of every answer, where it is not success
	mute    bool // no answer at all
	cut     bool // answers by UDP come truncated
	asked   map[string]int
	asking  chan struct{} // one entry for each question, as many as fit
}

// NewZone starts a name server without records; it stops with the test.
func NewZone(t T) *Zone {
	t.Helper()
	conn, listener, err := both()
	if err != nil {
		t.Fatal(err)
	}
	z := &Zone{addr: conn.LocalAddr().String(), asked: map[string]int{}, asking: make(chan struct{}, 1024)}
	for _, s := range []*dns.Server{{PacketConn: conn, Handler: z}, {Listener: listener, Handler: z}} {
		ready := make(chan struct{})
		s.NotifyStartedFunc = func() { close(ready) }
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = s.ActivateAndServe() // ends with Shutdown
		}()
		<-ready
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), Patience)
			defer cancel()
			_ = s.ShutdownContext(ctx)
			<-ended
		})
	}
	return z
}

// both binds one port for UDP and TCP; that of a socket may be somebody else's for the other.
func both() (conn net.PacketConn, listener net.Listener, err error) {
	for range 50 {
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, nil, err
		}
		if conn, err = net.ListenPacket("udp", listener.Addr().String()); err == nil {
			return conn, listener, nil
		}
		_ = listener.Close()
	}
	return nil, nil, err
}

// Addr is the server's host and port.
func (z *Zone) Addr() string { return z.addr }

// Set replaces all records: lines as in a zone file, "sip.test. 60 IN A 127.0.0.1".
func (z *Zone) Set(t T, lines ...string) {
	t.Helper()
	records := make([]dns.RR, 0, len(lines))
	for _, l := range lines {
		rr, err := dns.NewRR(l)
		if err != nil || rr == nil {
			t.Fatalf("record %q: %v", l, err)
		}
		records = append(records, rr)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records, z.rcode, z.mute, z.cut = records, dns.RcodeSuccess, false, false
}

// Fail has every question answered SERVFAIL.
func (z *Zone) Fail() { z.change(func() { z.rcode = dns.RcodeServerFailure }) }

// Mute has no question answered.
func (z *Zone) Mute() { z.change(func() { z.mute = true }) }

// Cut has answers by UDP truncated, so that they must be asked for by TCP.
func (z *Zone) Cut() { z.change(func() { z.cut = true }) }

func (z *Zone) change(f func()) {
	z.mu.Lock()
	defer z.mu.Unlock()
	f()
}

// Asked tells how often a name was asked for with a type, "A" or "SRV".
func (z *Zone) Asked(name, kind string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked[strings.ToLower(dns.Fqdn(name))+" "+kind]
}

// Await waits until a name was asked for so many times in all.
func (z *Zone) Await(t T, name, kind string, times int) {
	t.Helper()
	timer := time.NewTimer(2 * Patience)
	defer timer.Stop()
	for z.Asked(name, kind) < times {
		select {
		case <-z.asking:
		case <-timer.C:
			t.Fatalf("%s %s was asked for %d times, want %d", name, kind, z.Asked(name, kind), times)
		}
	}
}

// ServeDNS answers one question.
func (z *Zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	name, kind := strings.ToLower(q.Question[0].Name), q.Question[0].Qtype
	z.asked[name+" "+dns.TypeToString[kind]]++
	select {
	case z.asking <- struct{}{}:
	default:
	}
	if z.mute {
		return
	}
	res := new(dns.Msg).SetReply(q)
	res.RecursionAvailable = true
	if z.rcode != dns.RcodeSuccess {
		res.Rcode = z.rcode
		_ = w.WriteMsg(res)
		return
	}
	known := false
	for _, rr := range z.records {
		if strings.EqualFold(rr.Header().Name, name) {
			known = true
			if rr.Header().Rrtype == kind {
				res.Answer = append(res.Answer, dns.Copy(rr))
			}
		}
	}
	if !known {
		res.Rcode = dns.RcodeNameError
	}
	if _, datagram := w.RemoteAddr().(*net.UDPAddr); datagram && z.cut {
		res.Answer, res.Truncated = nil, true
	}
	_ = w.WriteMsg(res)
}
