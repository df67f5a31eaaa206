package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

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
	mu     sync.Mutex
	ring   *siptest.Ring
	picked bool         // up
	untold atomic.Int32 // calls whose end was not told yet
}

func (h *hand) take(r *siptest.Ring) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ring, h.picked = r, false
}

func (h *hand) held() (ring *siptest.Ring, picked bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ring, h.picked
}

func (h *hand) pickUp(ctx context.Context) error {
	ring, _ := h.held()
	if err := ring.Answer(ctx); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.picked = h.ring == ring
	return nil
}

// play lets somebody type in Slack and hold the phone, in one terminal.
func (d *demo) play(ctx context.Context) error {
	out := &lockedWriter{to: d.app.env.out}
	_, _ = fmt.Fprint(out, demoHelp)
	d.showCards(ctx, out, false)
	var phone hand
	go func() {
		for r := range d.phone.Calls() {
			phone.untold.Add(1)
			phone.take(r)
			_, _ = fmt.Fprintf(out, "☎  the phone %s rings: answer, or decline\n", r.User())
			go func() {
				d.tellEnd(r, out)
				phone.untold.Add(-1)
			}()
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
			if !more {
				d.finish(ctx, &phone)
				return nil
			}
			if line = strings.TrimSpace(line); line == "quit" || line == "exit" {
				return nil
			}
			if err := d.do(ctx, line, &phone, out); err != nil {
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
	switch {
	case line == "":
		return nil
	case strings.HasPrefix(line, "/"):
		before := d.seen()
		answer, err := d.workspace.Type(ctx, demoAsker, demoChannel, line)
		if answer != "" {
			_, _ = fmt.Fprintln(out, "   ", answer)
		} else {
			d.settle(ctx, phone, before)
		}
		return err
	case word == "help":
		_, _ = fmt.Fprint(out, demoHelp)
		return nil
	case word == "click":
		before := d.seen()
		if err := d.click(ctx, strings.TrimSpace(rest)); err != nil {
			return err
		}
		d.settle(ctx, phone, before)
		return nil
	}
	return d.handle(ctx, line, phone, out)
}

// handle is what is done to the phone.
func (d *demo) handle(ctx context.Context, line string, phone *hand, out io.Writer) error {
	ring, picked := phone.held()
	keys := strings.Trim(line, "0123456789*#") == ""
	switch {
	case !keys && !slices.Contains([]string{"answer", "decline", "hangup"}, line):
		return fmt.Errorf("%q is nothing you can do here; help lists what is", line)
	case ring == nil:
		return errors.New("no phone has rung yet; try /tel alice, or help")
	case ring.Why() != "":
		return errors.New("no phone rings, and none is picked up")
	case line == "answer" && picked:
		return errors.New("the phone is picked up already")
	case line == "answer":
		_, _ = fmt.Fprintln(out, "☎  you hear the alert; press 1 to confirm")
		return phone.pickUp(ctx)
	case line == "decline" && picked:
		return errors.New("the phone is picked up already: hangup puts it down")
	case line == "decline":
		ring.Decline()
		return nil
	case !picked:
		return errors.New("the phone is not picked up yet: answer first")
	case line == "hangup":
		ring.Hangup()
		return nil
	}
	d.listen(ctx, ring)
	return ring.Mouth().Press(ctx, line, mediatest.Press{})
}

// click presses the button with this label on the newest card, as whoever would.
func (d *demo) click(ctx context.Context, label string) error {
	newest := true
	for _, m := range slices.Backward(d.workspace.Messages(demoChannel)) {
		buttons := m.Buttons()
		if len(buttons) == 0 {
			continue
		}
		var labels []string
		for _, b := range buttons {
			labels = append(labels, strings.ToLower(b.Text))
			if !strings.EqualFold(b.Text, label) {
				continue
			}
			if !newest {
				return fmt.Errorf("the newest card has no button %q any more, and an older one is not clicked by its name", label)
			}
			user := demoAsker
			if strings.HasSuffix(b.ActionID, "confirm") {
				user = demoAlice
			}
			return d.workspace.Click(ctx, user, demoChannel, m.TS, b.ActionID, true)
		}
		if label == "" {
			return fmt.Errorf("click which button? The newest card has: %s", strings.Join(labels, ", "))
		}
		newest = false
	}
	if label == "" {
		return errors.New("click which button? There is no card yet; try /tel alice")
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
