package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"telgate/media/mediatest"
	"telgate/prompts"
	"telgate/sip/siptest"
)

const demoHelp = `You are Grace in #ops, and you hold the phones of Alice and Bob. Nothing leaves this machine.
  /tel alice db is down   type a command in Slack; also: /tel ops, /tel status, /tel stop, /tel help
  answer                  pick up the phone that rings
  1                       press keys while you listen: any of 0-9 * #
  decline                 press the red button
  hangup                  put the receiver down
  click BUTTON            press a button on the newest card: hang up, call again, i've got it (as Alice)
  help, quit
`

// hand is the hand that holds the phone: the call that rings or is up, if any.
type hand struct {
	mu   sync.Mutex
	ring *siptest.Ring
}

func (h *hand) take(r *siptest.Ring) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ring = r
}

func (h *hand) held() *siptest.Ring {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ring
}

// play lets somebody type in Slack and hold the phone, in one terminal.
func (d *demo) play(ctx context.Context) error {
	out := &lockedWriter{to: d.app.env.out}
	_, _ = fmt.Fprint(out, demoHelp)
	d.showCards(ctx, out, false)
	var phone hand
	go func() {
		for r := range d.phone.Calls() {
			phone.take(r)
			_, _ = fmt.Fprintf(out, "☎  the phone %s rings: answer, or decline\n", r.User())
			go d.tellEnd(r, out)
		}
	}()
	lines := make(chan string)
	go func() { // ends with the input; a read from a terminal cannot be called off
		defer close(lines)
		for in := bufio.NewScanner(d.app.env.in); in.Scan(); {
			lines <- in.Text()
		}
	}()
	for {
		select {
		case line, more := <-lines:
			if !more || line == "quit" || line == "exit" {
				return nil
			}
			if err := d.do(ctx, strings.TrimSpace(line), &phone, out); err != nil {
				_, _ = fmt.Fprintln(out, "   ", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// tellEnd says what the phone heard of a call.
func (d *demo) tellEnd(r *siptest.Ring, out io.Writer) {
	<-r.Over()
	heard := r.Ear().Count().Total
	if heard == 0 {
		_, _ = fmt.Fprintf(out, "☎  the phone %s is quiet: %s\n", r.User(), r.Why())
		return
	}
	alert := mediatest.Share(r.Ear().HeardTogether(), d.gateway.sounds.PCM(prompts.NameAlert, "en"))
	_, _ = fmt.Fprintf(out, "☎  the phone %s is quiet: %s; it heard %.1f s, %.0f %% of the alert\n", r.User(), r.Why(), heard.Seconds(), 100*alert)
}

// do carries one line out.
func (d *demo) do(ctx context.Context, line string, phone *hand, out io.Writer) error {
	word, rest, _ := strings.Cut(line, " ")
	ring := phone.held()
	switch {
	case line == "":
		return nil
	case strings.HasPrefix(line, "/"):
		answer, err := d.workspace.Type(ctx, demoAsker, demoChannel, line)
		if answer != "" {
			_, _ = fmt.Fprintln(out, "   ", answer)
		}
		return err
	case word == "help":
		_, _ = fmt.Fprint(out, demoHelp)
		return nil
	case word == "click":
		return d.click(ctx, rest)
	case ring == nil:
		return fmt.Errorf("no phone has rung yet; try /tel alice, or help")
	case ring.Why() != "":
		return fmt.Errorf("no phone rings, and none is picked up")
	case word == "answer":
		_, _ = fmt.Fprintln(out, "☎  you hear the alert; press 1 to confirm")
		return ring.Answer(ctx)
	case word == "decline":
		ring.Decline()
		return nil
	case word == "hangup":
		ring.Hangup()
		return nil
	case strings.Trim(line, "0123456789*#") == "":
		return ring.Mouth().Press(ctx, line, mediatest.Press{})
	}
	return fmt.Errorf("%q is nothing you can do here; help lists what is", word)
}

// click presses the button with this label on the newest card, as whoever would.
func (d *demo) click(ctx context.Context, label string) error {
	messages := d.workspace.Messages(demoChannel)
	for _, m := range slices.Backward(messages) {
		for _, b := range m.Buttons() {
			if !strings.EqualFold(b.Text, strings.TrimSpace(label)) {
				continue
			}
			user := demoAsker
			if strings.HasSuffix(b.ActionID, "confirm") {
				user = demoAlice
			}
			return d.workspace.Click(ctx, user, demoChannel, m.TS, b.ActionID, true)
		}
	}
	return fmt.Errorf("no card has a button %q", label)
}

// lockedWriter keeps lines of several speakers apart.
type lockedWriter struct {
	mu sync.Mutex
	to io.Writer
}

// Write writes one piece at a time.
func (w *lockedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(b)
}
