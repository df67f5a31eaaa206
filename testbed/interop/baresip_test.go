//go:build interop

package interop

import (
	"fmt"
	"testing"
	"time"

	"telgate/testbed/baresip"
)

// newPhone starts baresip as this user. account are its account's parameters, more are further lines of its configuration.
func newPhone(t *testing.T, user, account string, more ...string) *baresip.Phone {
	t.Helper()
	return baresip.New(t, baresip.Config{
		Account: fmt.Sprintf("<sip:%s@127.0.0.1>;regint=0%s", user, account),
		Listen:  fmt.Sprintf("127.0.0.1:%d", freePort(t)), Control: fmt.Sprintf("127.0.0.1:%d", freePort(t)), More: more,
	})
}

// answer picks up, listens, and presses 1.
func answer(p *baresip.Phone) {
	p.Accept()
	p.Pass(6 * time.Second)
	p.Press("1")
}

func TestAPersonAtBaresipIsReached(t *testing.T) {
	for _, s := range []struct {
		name      string
		transport string
		person    func(*baresip.Phone)
		outcome   string
		exit      int
	}{
		{"presses 1", "udp", answer, "confirmed/", 0},
		{"presses 1, over TCP", "tcp", answer, "confirmed/", 0},
		{"holds, comes back, and presses 1", "udp", func(p *baresip.Phone) {
			p.Accept()
			p.Pass(3 * time.Second)
			p.Do("hold", "")
			p.Pass(2 * time.Second)
			p.Do("resume", "")
			p.Pass(6 * time.Second)
			p.Press("1")
		}, "confirmed/", 0},
		{"rejects", "udp", func(p *baresip.Phone) {
			p.Until("CALL_INCOMING")
			p.Do("hangup", "")
		}, "busy/status", 3}, // baresip says 486 for it
		{"hangs up at once", "udp", func(p *baresip.Phone) {
			p.Accept()
			p.Do("hangup", "")
		}, "answered/hung_up_early", 3},
		{"lets it ring", "udp", func(p *baresip.Phone) { p.Until("CALL_INCOMING") }, "no_answer/ring_limit", 3},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			p := newPhone(t, "7101", "")
			story := telling(t, settings+trunk("desk", p.Address, fmt.Sprintf("transport = %q", s.transport))+person("alice", "sip:7101@desk"), "alice")
			s.person(p)
			story.ends(t, s.outcome, s.exit)
			p.Until("CALL_CLOSED") // nothing is left up at the phone
		})
	}
}
