package sip

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	writeLimit = 2 * time.Second  // for one message: a peer that does not read blocks nobody longer
	pongLimit  = 10 * time.Second // for the answer to a keep-alive (RFC 5626 4.4.1)
	wholeLimit = 10 * time.Second // for a message that has begun to come: what ought to follow it waits
)

// flow is one connection to a target (RFC 5626 3.1), opened by us. sipgo reads and writes it; the flow sees to it that a
// message is written whole and in time or the connection ends, and notices when it has ended.
type flow struct {
	net.Conn
	target Target
	early  []byte    // read before sipgo did
	whole  time.Time // when the message that comes in now has to be there; zero between messages. The reader's
	tap    *flowTap

	reading   chan struct{} // closed when sipgo reads: from then on it can be sent from
	readOnce  sync.Once
	writing   chan struct{} // holds one token while nobody writes
	gone      chan struct{}
	goneOnce  sync.Once
	why       error        // set before gone is closed
	heard     atomic.Int64 // reads that brought something
	answering atomic.Bool  // it answered a keep-alive before, so an answer can be expected
	ended     func(*flow)
}

func newFlow(conn net.Conn, target Target, early []byte, ended func(*flow)) *flow {
	f := &flow{
		Conn: conn, target: target, early: early, ended: ended,
		reading: make(chan struct{}), writing: make(chan struct{}, 1), gone: make(chan struct{}),
	}
	f.writing <- struct{}{}
	return f
}

// Read is called by sipgo's reader. Whatever ends the connection is told by the flow, so sipgo sees the plain end only.
func (f *flow) Read(b []byte) (int, error) {
	f.readOnce.Do(func() { close(f.reading) })
	if len(f.early) > 0 {
		n := copy(b, f.early)
		f.early = f.early[n:]
		f.took(b[:n])
		return n, nil
	}
	_ = f.SetReadDeadline(f.whole)
	n, err := f.Conn.Read(b)
	if n > 0 {
		f.heard.Add(1)
		if n == 2 && b[0] == '\r' && b[1] == '\n' {
			f.answering.Store(true)
		}
		f.took(b[:n])
		return n, nil
	}
	if err == nil {
		return 0, nil
	}
	if timedOut(err) && !f.whole.IsZero() {
		err = errEndless
	}
	f.end(err)
	return 0, io.EOF
}

// took notes what was read. A message that has begun must end in time: until then nobody hears what comes after it.
func (f *flow) took(b []byte) {
	ended, begun := f.tap.read(b)
	if ended || !begun {
		f.whole = time.Time{}
	}
	if begun && f.whole.IsZero() {
		f.whole = time.Now().Add(wholeLimit)
	}
}

// Write writes one message. One that cannot be written in time ends the connection: its rest would be taken for the
// beginning of the next.
func (f *flow) Write(b []byte) (int, error) {
	timer := time.NewTimer(writeLimit)
	defer timer.Stop()
	select {
	case <-f.writing:
	case <-f.gone:
		return 0, f.failure()
	case <-timer.C:
		f.end(errStuck)
		return 0, f.failure()
	}
	defer func() { f.writing <- struct{}{} }()
	_ = f.SetWriteDeadline(time.Now().Add(writeLimit))
	n, err := f.tap.write(b, f.Conn.Write)
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = errStuck
		}
		f.end(err)
		return n, f.failure()
	}
	return n, nil
}

var (
	errStuck   = errors.New("the peer reads nothing any more")
	errNoPong  = errors.New("no answer to a keep-alive")
	errEndless = errors.New("the peer does not end a message that it began")
	errGarbled = errors.New("the peer sends what is no SIP, or no end of it")
)

// Close is called by sipgo: where it finds no message in what comes, or at the end, when we have closed the connection.
func (f *flow) Close() error {
	f.end(errGarbled)
	return nil
}

// end closes the connection once; the first reason stays.
func (f *flow) end(why error) {
	f.goneOnce.Do(func() {
		if errors.Is(why, io.EOF) {
			why = errors.New("the peer closed the connection")
		}
		f.why = why
		if secure, ok := f.Conn.(*tls.Conn); ok && !errors.Is(why, net.ErrClosed) {
			_ = secure.NetConn().Close() // a farewell would be written to somebody who does not read
		}
		_ = f.Conn.Close()
		close(f.gone)
		f.ended(f)
	})
}

func (f *flow) alive() bool {
	select {
	case <-f.gone:
		return false
	default:
		return true
	}
}

// failure is why the connection ended; to be asked for after gone was closed.
func (f *flow) failure() error {
	<-f.gone
	failure, err := alertReason(f.why)
	if failure != FailureClientCertificate {
		failure, err = FailureLost, f.why
	}
	return &FlowError{Target: f.target, Failure: failure, Err: err}
}

// ping sends the keep-alive of RFC 5626 4.4.1 and returns what tells whether the peer is deaf: it answered earlier pings,
// and said nothing since this one.
func (f *flow) ping() (deaf func() bool) {
	before := f.heard.Load()
	_, _ = f.Write([]byte("\r\n\r\n")) // a failure ended the flow
	return func() bool { return f.answering.Load() && f.heard.Load() == before }
}
