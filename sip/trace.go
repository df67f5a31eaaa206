package sip

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// How much a trace keeps: the first messages, which say what was asked for, and the last, which say how it ended. Every
// call has one, so without [TraceOptions.Whole] it is small (docs/adr/0004).
const (
	traceFirst      = 4
	traceMessages   = 16
	traceBytes      = 2 << 10
	wholeMessages   = 200
	wholeBytes      = 256 << 10
	usualMessages   = 6 // INVITE, 100, 180, 200, ACK: room that is taken at once
	longestLine     = 120
	longestOverview = 200
)

// Trace keeps the last messages of one call. Whoever wants them gives one with the [Invite]; it may be read at any time,
// also when the leg is long over. What it keeps was redacted before: keys, credentials and nonces are never in it.
type Trace struct {
	opt TraceOptions

	mu      sync.Mutex
	began   time.Time
	entries []entry
	size    int
}

// TraceOptions say how much is kept of each message.
type TraceOptions struct {
	Whole   bool // its whole text; else the first line and what SDP says
	Numbers bool // user parts are not masked
	// Tap is given each message, whole, as it is recorded, by any goroutine; it must not block. Two that follow each other
	// closely may change places: At tells. nil = none.
	Tap func(Message)
}

// Message is one SIP message as it was sent or received, repeats included.
type Message struct {
	At        time.Time
	Sent      bool
	Transport string // "udp", "tcp" or "tls"
	Local     netip.AddrPort
	Remote    netip.AddrPort
	Line      string // the request or status line, without SIP/2.0
	SDP       string // "audio 192.0.2.1:20000 PCMU,PCMA sendrecv", "" if there is none
	Text      string // as long as it was on the wire, what is secret overwritten; "" unless asked for
	Skipped   int    // messages before this one that were not kept
}

// entry is a Message as it is stored.
type entry struct {
	after           time.Duration // since the first
	way             *way
	sent            bool
	skipped         int32
	line, sdp, text string
}

// way is how a message travelled; messages that follow one another share it.
type way struct {
	transport     string
	local, remote netip.AddrPort
}

// NewTrace returns an empty trace.
func NewTrace(o TraceOptions) *Trace { return &Trace{opt: o} }

// Messages are what is kept, in order.
func (t *Trace) Messages() []Message {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]Message, 0, len(t.entries))
	for _, e := range t.entries {
		out = append(out, Message{
			At: t.began.Add(e.after), Sent: e.sent, Transport: e.way.transport, Local: e.way.local, Remote: e.way.remote,
			Line: e.line, SDP: e.sdp, Text: e.text, Skipped: int(e.skipped),
		})
	}
	return out
}

// record takes one message as it was on the wire.
func (t *Trace) record(at time.Time, sent bool, w way, raw []byte) {
	if t == nil {
		return
	}
	e := entry{way: &w, sent: sent, line: firstLine(raw, t.opt.Numbers), sdp: overview(raw)}
	if t.opt.Whole || t.opt.Tap != nil {
		e.text = redacted(raw, t.opt.Numbers)
	}
	if t.opt.Tap != nil {
		t.opt.Tap(Message{
			At: at, Sent: sent, Transport: w.transport, Local: w.local, Remote: w.remote, Line: e.line, SDP: e.sdp, Text: e.text,
		})
	}
	if !t.opt.Whole {
		e.text = ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keep(at, e)
}

// keep puts an entry in its place: what was sent is recorded when it has left, and its answer may be quicker.
func (t *Trace) keep(at time.Time, e entry) {
	if t.began.IsZero() {
		t.began, t.entries = at, make([]entry, 0, usualMessages)
	}
	e.after = at.Sub(t.began)
	place := len(t.entries)
	for place > 0 && t.entries[place-1].after > e.after {
		place--
	}
	if place > 0 && *t.entries[place-1].way == *e.way {
		e.way = t.entries[place-1].way
	}
	t.entries = slices.Insert(t.entries, place, e)
	t.size += e.bytes()
	messages, size := traceMessages, traceBytes
	if t.opt.Whole {
		messages, size = wholeMessages, wholeBytes
	}
	for len(t.entries) > traceFirst+1 && (len(t.entries) > messages || t.size > size) {
		t.entries[traceFirst+1].skipped += t.entries[traceFirst].skipped + 1
		t.size -= t.entries[traceFirst].bytes()
		t.entries = slices.Delete(t.entries, traceFirst, traceFirst+1)
	}
}

func (e *entry) bytes() int { return len(e.line) + len(e.sdp) + len(e.text) }

// firstLine is a message's first line without the version, cut where it is absurd.
func firstLine(raw []byte, numbers bool) string {
	_, line := nextLine(raw[:min(len(raw), 4*longestLine)])
	line = bytes.TrimSpace(line)
	if method, rest, ok := bytes.Cut(line, []byte(" ")); ok && string(method) == version {
		if rest = bytes.Clone(rest); !numbers {
			maskDigits(rest)
		}
		return printable(shortened(string(rest)), longestLine)
	}
	line = bytes.TrimSpace(bytes.TrimSuffix(line, []byte(version)))
	if numbers {
		return printable(string(line), longestLine)
	}
	line = bytes.Clone(line)
	redactValue(addressed, line, false)
	return printable(shortened(string(line)), longestLine)
}

const version = "SIP/2.0"

// shortened writes "…78" for what was overwritten up to there.
func shortened(s string) string {
	if !strings.Contains(s, string(mask)) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == mask && (i == 0 || s[i-1] != mask) {
			out.WriteString("…")
		}
		if s[i] != mask {
			out.WriteByte(s[i])
		}
	}
	return out.String()
}

// printable keeps a peer's bytes from doing anything to a terminal.
func printable(s string, longest int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7F && r < 0xA0 || r == '\uFFFD' {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}
