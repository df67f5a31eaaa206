package telgate

import "time"

// SIPMessage is one message of a call's signalling, as it was sent or received: what is secret was taken out, and numbers
// are masked unless they were to be shown. A call keeps the first and the last of them.
type SIPMessage struct {
	At        time.Time
	Sent      bool // by us
	Transport string
	Local     string // our address and port
	Remote    string // the peer's
	Line      string // "INVITE sip:7101@192.0.2.1", "180 Ringing"
	SDP       string // "audio 192.0.2.1:20000 PCMU,PCMA sendrecv", "" if there is none
	Text      string // the whole message, "" unless it was asked for
	Skipped   int    // messages before this one that were not kept
}

type sipMessageJSON struct {
	MS        int64  `json:"ms"` // since the INVITE
	Sent      bool   `json:"sent"`
	Transport string `json:"transport"`
	From      string `json:"from"`
	To        string `json:"to"`
	Line      string `json:"line"`
	SDP       string `json:"sdp,omitempty"`
	Text      string `json:"text,omitempty"`
	Skipped   int    `json:"skipped,omitempty"`
}

// TracedJSON is [Event.JSON], and the messages of a call that ended with it.
func (e Event) TracedJSON(showNumbers bool) []byte { return e.encode(showNumbers, true) }

func traceJSON(messages []SIPMessage) []sipMessageJSON {
	out := make([]sipMessageJSON, 0, len(messages))
	for _, m := range messages {
		from, to := m.Remote, m.Local
		if m.Sent {
			from, to = to, from
		}
		out = append(out, sipMessageJSON{
			MS: m.At.Sub(messages[0].At).Milliseconds(), Sent: m.Sent, Transport: m.Transport, From: from, To: to,
			Line: m.Line, SDP: m.SDP, Text: m.Text, Skipped: m.Skipped,
		})
	}
	return out
}
