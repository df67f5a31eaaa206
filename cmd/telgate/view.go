package main

import (
	"fmt"
	"io"
	"time"

	"telgate"
)

// view shows a page on the command line: a JSON object an event, or lines for people with one live line below them
// where the output is a terminal.
type view struct {
	out      io.Writer
	json     bool
	numbers  bool
	terminal bool
	now      func() time.Time
	look     *look                              // nil where nobody looks closer
	route    func(telgate.Number) (bool, error) // whether a number may be dialled, and what forbids it

	state string // the live line's
	since time.Time
}

func newView(a *app) *view {
	return &view{out: a.env.out, json: a.cli.JSON, numbers: a.cli.ShowNumbers, terminal: a.env.terminal, now: a.env.now}
}

// show prints one event.
func (v *view) show(ev telgate.Event) {
	if !v.json {
		v.pass(ev, nil)
		return
	}
	encode := ev.JSON
	if v.look.traces() {
		encode = ev.TracedJSON
	}
	v.pass(ev, encode(v.numbers))
}

// pass prints one event whose public form is there already.
func (v *view) pass(ev telgate.Event, raw []byte) {
	if ev.Kind == telgate.EventCallEnded && ev.Ended != nil {
		v.look.ended(ev.Ended)
	}
	if v.json {
		_, _ = fmt.Fprintf(v.out, "%s\n", raw)
		return
	}
	line := v.line(ev)
	if line == "" {
		return
	}
	if live, ok := liveState(ev); ok && v.terminal {
		v.state, v.since = line, v.now()
		if live {
			v.tick()
			return
		}
	}
	v.erase()
	_, _ = fmt.Fprintln(v.out, line)
}

// liveState tells which events only move the live line.
func liveState(ev telgate.Event) (live, ok bool) {
	switch ev.Kind {
	case telgate.EventDialing, telgate.EventRinging, telgate.EventEarlyMedia, telgate.EventForwarded, telgate.EventAnswered, telgate.EventPrompt, telgate.EventWaiting, telgate.EventWaitingForLine:
		return true, true
	case telgate.EventCallEnded, telgate.EventPageEnded:
		return false, true
	default:
		return false, false
	}
}

// tick draws the live line anew.
func (v *view) tick() {
	if v.terminal && !v.json && v.state != "" {
		_, _ = fmt.Fprintf(v.out, "\r\x1b[K%s, %d s", v.state, int(v.now().Sub(v.since).Seconds()))
	}
}

func (v *view) erase() {
	if v.terminal && v.state != "" {
		_, _ = fmt.Fprint(v.out, "\r\x1b[K")
		v.state = ""
	}
}

func (v *view) close() { v.erase() }

// skipped says why a step was not dialled: for a rule about numbers, which one, and what to add.
func (v *view) skipped(ev telgate.Event) string {
	if v.route == nil || ev.Order == nil {
		return skipWords(ev.Skip)
	}
	ok, err := v.route(ev.Order.Number)
	switch {
	case ev.Skip == telgate.SkipForbidden && err != nil:
		return err.Error()
	case ev.Skip == telgate.SkipNoLine && ok:
		return "all lines of its trunks are in use, see max_calls and calls_per_second"
	case ev.Skip == telgate.SkipNoLine:
		return "no trunk carries it, see prefixes of the trunks"
	}
	return skipWords(ev.Skip)
}

func (v *view) number(n telgate.Number) string {
	if n == (telgate.Number{}) {
		return ""
	}
	if v.numbers {
		return n.Whole()
	}
	return n.String()
}

// who is whose phone it is, as far as it is known: of another gateway's page not everything is.
func (v *view) who(o *telgate.Order) string {
	switch {
	case o == nil || o.Person == "":
		return ""
	case o.Number == telgate.Number{}:
		return o.Person + ": "
	}
	return o.Person + " " + v.number(o.Number) + ": "
}

// line is an event in words; "" is for those that only scripts want.
func (v *view) line(ev telgate.Event) string {
	who := v.who(ev.Order)
	switch ev.Kind {
	case telgate.EventPageAccepted:
		return fmt.Sprintf("page %s accepted", ev.Page)
	case telgate.EventDialing:
		return who + "dialing over " + ev.Order.Trunk
	case telgate.EventRinging:
		return who + "ringing"
	case telgate.EventEarlyMedia:
		return who + "the network is speaking"
	case telgate.EventForwarded:
		if ev.Order.Forward != "" {
			return who + "forwarded to " + telgate.Call{Order: *ev.Order}.RedirectedTo()
		}
		return who + "being forwarded"
	case telgate.EventWaitingForLine:
		return fmt.Sprintf("%swaiting for a line of trunk %s, until %s", who, ev.Order.Trunk, ev.Until.Format("15:04:05 MST"))
	case telgate.EventCalledBack:
		return who + "called back, which confirms nothing"
	case telgate.EventAnswered:
		return who + "answered"
	case telgate.EventPrompt:
		return who + "playing " + ev.Clip
	case telgate.EventKey:
		if ev.Key.Early {
			return who + "key " + ev.Key.Digit + ", before it can count"
		}
		return who + "key " + ev.Key.Digit
	case telgate.EventCallEnded:
		return who + outcomeWords(*ev.Ended)
	case telgate.EventStepSkipped:
		return who + "not dialled: " + v.skipped(ev)
	case telgate.EventWaiting:
		if ev.Skip == telgate.SkipPaused {
			return "waiting: calling is paused (telgate resume goes on)"
		}
		if ev.Until.IsZero() {
			return "waiting: the phone rings for another page"
		}
		return fmt.Sprintf("waiting until %s", ev.Until.Format("15:04:05 MST"))
	case telgate.EventPageEnded:
		return "page ended: " + resultWords(ev.Result, ev.People)
	case telgate.EventRefused:
		return ev.Refuse.Message
	case telgate.EventPageJoined, telgate.EventPageConfirmed, telgate.EventPersonConfirmed, telgate.EventVoicemail, telgate.EventInvited:
	}
	return ""
}
