package voice

import (
	"net/netip"

	"telgate"
	"telgate/sip"
)

// traceOf is what passed for a call, as the call keeps it. Messages that travelled alike share their addresses.
func traceOf(t *sip.Trace) []telgate.SIPMessage {
	messages := t.Messages()
	if len(messages) == 0 {
		return nil
	}
	var local, remote netip.AddrPort
	var us, them string
	out := make([]telgate.SIPMessage, 0, len(messages))
	for _, m := range messages {
		if us == "" || m.Local != local || m.Remote != remote {
			local, remote = m.Local, m.Remote
			us, them = local.String(), remote.String()
		}
		out = append(out, telgate.SIPMessage{
			At: m.At, Sent: m.Sent, Transport: m.Transport, Local: us, Remote: them, Line: m.Line, SDP: m.SDP, Text: m.Text, Skipped: m.Skipped,
		})
	}
	return out
}
