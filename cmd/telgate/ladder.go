package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"telgate"
)

const (
	ladderWidth = 64 // of the arrows
	ladderTime  = 10 // of what stands before them: "  12345 ms"
)

// writeLadder draws the messages of a call: us on the left, the peer on the right, milliseconds since the INVITE.
func writeLadder(w io.Writer, c *telgate.Call, numbers bool) error {
	number := c.Number.String()
	if numbers {
		number = c.Number.Whole()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "call %s: %s %s over %s: %s\n", c.Call, c.Person, number, c.Trunk, outcomeWords(*c))
	if c.Signal.SIPCallID != "" {
		fmt.Fprintf(&b, "Call-ID: %s\n", c.Signal.SIPCallID)
	}
	if len(c.Trace) == 0 {
		b.WriteString("no SIP message was sent\n")
	} else {
		rungs(&b, c.Trace)
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func rungs(b *strings.Builder, trace []telgate.SIPMessage) {
	first := trace[0]
	us, peer := "us "+first.Local, first.Remote+" "+first.Transport
	gap := max(1, ladderWidth+2-utf8.RuneCountInString(us)-utf8.RuneCountInString(peer))
	fmt.Fprintf(b, "%*s %s%s%s\n", ladderTime, "", us, strings.Repeat(" ", gap), peer)
	for _, m := range trace {
		if m.Skipped > 0 {
			fmt.Fprintf(b, "%*s |%s|\n", ladderTime, "", centered(fmt.Sprintf("%d more, not kept", m.Skipped), ' '))
		}
		fmt.Fprintf(b, "%7d ms %s%s\n", m.At.Sub(first.At).Milliseconds(), rung(m), elsewhere(m, first))
		if m.SDP != "" {
			fmt.Fprintf(b, "%*s |%s|\n", ladderTime, "", centered(m.SDP, ' '))
		}
	}
}

// rung is one message as an arrow with its first line.
func rung(m telgate.SIPMessage) string {
	line := " " + m.Line + " "
	if m.Sent {
		return "|" + centered(line, '-') + ">"
	}
	return "<" + centered(line, '-') + "|"
}

func centered(s string, fill rune) string {
	room := max(2, ladderWidth-utf8.RuneCountInString(s))
	return strings.Repeat(string(fill), room/2) + s + strings.Repeat(string(fill), room-room/2)
}

// elsewhere names the address of a message that did not travel as the first did.
func elsewhere(m, first telgate.SIPMessage) string {
	switch {
	case m.Remote != first.Remote || m.Transport != first.Transport:
		return " " + m.Remote + " " + m.Transport
	case m.Local != first.Local:
		return " at " + m.Local
	}
	return ""
}
