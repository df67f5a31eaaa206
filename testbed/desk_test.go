//go:build e2e

package testbed

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"telgate/testbed/baresip"
)

// desks counts the telephones of this run: each has ports of its own.
var desks atomic.Int32 //nolint:gochecknoglobals // of this run

// newDesk is a telephone that has registered at a PBX under this extension.
func newDesk(t *testing.T, pbx, extension, password string) *baresip.Phone {
	t.Helper()
	port := 15000 + 10*int(desks.Add(1))
	p := baresip.New(t, baresip.Config{
		Listen: fmt.Sprintf("%s:%d", ours(t), port), Control: fmt.Sprintf("127.0.0.1:%d", port+5),
	})
	p.Register(fmt.Sprintf("<sip:%s@%s>;auth_pass=%s", extension, pbx, password))
	return p
}

// ours is this container's address.
func ours(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			return ip.IP.String()
		}
	}
	t.Fatal("this container has no address")
	return ""
}

// pressesOne picks up, listens, and presses 1.
func pressesOne(p *baresip.Phone) {
	p.Accept()
	p.Pass(6 * time.Second)
	p.Press("1")
	p.Until("CALL_CLOSED")
}

// letsItRing does nothing until the other side gives up.
func letsItRing(p *baresip.Phone) {
	p.Until("CALL_INCOMING")
	p.Until("CALL_CLOSED")
}

// isBusy refuses with 486, as baresip does for every call that it does not want.
func isBusy(p *baresip.Phone) {
	p.Until("CALL_INCOMING")
	p.Do("hangup", "")
}

// holds puts the caller on hold for a while, comes back, and presses 1.
func holds(p *baresip.Phone) {
	p.Accept()
	p.Pass(5 * time.Second)
	p.Do("hold", "")
	p.Pass(3 * time.Second)
	p.Do("resume", "")
	p.Pass(6 * time.Second)
	p.Press("1")
	p.Until("CALL_CLOSED")
}

// handsOnTo transfers the caller blindly to another extension.
func handsOnTo(extension string) func(*baresip.Phone) {
	return func(p *baresip.Phone) {
		p.Accept()
		p.Pass(3 * time.Second)
		p.Do("transfer", extension)
		p.Until("CALL_CLOSED")
	}
}

// told is a call that runs while the story plays the other side.
type told struct {
	done   chan struct{}
	events []event
	exit   int
}

func telling(t *testing.T, config, who string, more ...string) *told {
	t.Helper()
	s := &told{done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.events, s.exit = callWith(t, config, who, more...)
	}()
	t.Cleanup(func() { <-s.done })
	return s
}

// ends waits for the end.
func (s *told) ends() ([]event, int) {
	<-s.done
	return s.events, s.exit
}

// last is how the call ended.
func last(events []event) (ended event) {
	for _, e := range events {
		if e.Event == "call_ended" {
			ended = e
		}
	}
	return ended
}
