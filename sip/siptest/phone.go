package siptest

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"telgate/media/mediatest"
)

// Phone is a telephone on loopback behind no registrar: every INVITE to it rings, whatever the user part, unless
// [Phone.Silence] says otherwise. It answers OPTIONS, repeats its 200 until the ACK comes (RFC 3261 13.3.1.4) and follows
// CANCEL and BYE. It knows UDP, digest authentication where it has a password, and one codec offer a call.
type Phone struct {
	conn  *net.UDPConn
	calls chan *Ring
	work  sync.WaitGroup
	byes  atomic.Int32 // sent; numbers them, and so makes their branches differ

	mu       sync.Mutex
	rings    map[string]*Ring // by Call-ID
	silent   func(user string) bool
	password string
}

const (
	readBuffer = 4 << 20          // of the socket: hundreds of calls may come at once; what the kernel grants has to do
	callRoom   = 1024             // calls nobody has looked at yet
	remembered = 32 * time.Second // after its end a call is known to its repetitions this long (RFC 3261 17: 64*T1)
)

// NewPhone binds a phone to a free port of 127.0.0.1.
func NewPhone() (*Phone, error) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("open the phone: %w", err)
	}
	p := &Phone{conn: conn, calls: make(chan *Ring, callRoom), rings: map[string]*Ring{}}
	_ = conn.SetReadBuffer(readBuffer)
	p.work.Go(p.read)
	return p, nil
}

// Addr is the phone's host and port.
func (p *Phone) Addr() string { return p.conn.LocalAddr().String() }

// Silence names the users whose calls get a 100 and no 180.
func (p *Phone) Silence(silent func(user string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = silent
}

// Demand has every INVITE and OPTIONS prove that it knows this password (RFC 2617, MD5).
func (p *Phone) Demand(password string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.password = password
}

// Calls are the calls as they begin to ring. It is closed with the phone.
func (p *Phone) Calls() <-chan *Ring { return p.calls }

// Close drops every call without a word, as a phone whose battery is taken out, and returns when all is quiet.
func (p *Phone) Close() {
	_ = p.conn.Close()
	p.work.Wait()
}

func (p *Phone) read() {
	defer close(p.calls)
	defer p.dropAll()
	buf := make([]byte, 65536)
	for {
		n, from, err := p.conn.ReadFromUDP(buf)
		at := time.Now()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || strings.TrimSpace(string(buf[:n])) == "" {
			continue // a port that is unreachable, or a keep-alive
		}
		m, err := parse(string(buf[:n]))
		if err != nil {
			continue
		}
		m.From = from
		p.take(m, at)
	}
}

func (p *Phone) dropAll() {
	p.mu.Lock()
	rings := make([]*Ring, 0, len(p.rings))
	for _, r := range p.rings {
		rings = append(rings, r)
	}
	p.mu.Unlock()
	for _, r := range rings {
		r.end("phone closed")
	}
}

// take handles one message, read at this moment.
func (p *Phone) take(m Message, at time.Time) {
	p.mu.Lock()
	r, password := p.rings[m.Get("Call-ID")], p.password
	p.mu.Unlock()
	switch method := m.Method(); {
	case method == "": // the answer to our BYE
	case password != "" && r == nil && (method == "INVITE" || method == "OPTIONS") && !authorized(m, password):
		p.send(m, m.response("401 Unauthorized", "phone", p.Addr(), "", challenge(m)))
	case method == "INVITE" && r == nil:
		p.ring(m, at)
	case method == "OPTIONS":
		p.send(m, m.response("200 OK", "phone", p.Addr(), ""))
	case r == nil && method != "ACK":
		p.send(m, m.response("481 Call/Transaction Does Not Exist", "phone", p.Addr(), ""))
	case r != nil:
		r.take(m)
	}
}

func (p *Phone) ring(m Message, at time.Time) {
	handset, err := mediatest.NewHandset(mediatest.Config{})
	if err != nil {
		p.send(m, m.response("500 Server Internal Error", "phone", p.Addr(), ""))
		return
	}
	r := &Ring{
		phone: p, invite: m, rang: at, handset: handset, tag: "phone" + m.From.String()[strings.LastIndexByte(m.From.String(), ':')+1:],
		over: make(chan struct{}), acked: make(chan struct{}),
	}
	silent := p.keep(m.Get("Call-ID"), r)
	if silent != nil && silent(r.User()) {
		r.reply("100 Trying", "")
	} else {
		r.reply("180 Ringing", "")
	}
	select {
	case p.calls <- r:
	default: // nobody looks at this phone; it goes on ringing
	}
}

// keep books a new call, and forgets those whose repetitions are over too. It returns whose calls do not ring.
func (p *Phone) keep(id string, r *Ring) (silent func(user string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for old, x := range p.rings {
		if x.overBefore(r.rang.Add(-remembered)) {
			delete(p.rings, old)
		}
	}
	p.rings[id] = r
	return p.silent
}

func (p *Phone) send(to Message, text string) {
	_, _ = p.conn.WriteToUDP([]byte(text), to.From) // a lost datagram is repeated by whoever needs it
}
