package telgate_test

import (
	"bytes"
	"testing"
	"time"

	"telgate"
)

func TestTheMessagesOfACallAreInItsLastEventOnlyWhereAsked(t *testing.T) {
	us, peer := "192.0.2.1:5060", "192.0.2.10:5060"
	ev := telgate.Event{Kind: telgate.EventCallEnded, Time: moment(0), Order: order(), Ended: &telgate.Call{
		Order: *order(), Outcome: telgate.OutcomeBusy, Trace: []telgate.SIPMessage{
			{At: moment(0), Sent: true, Transport: "udp", Local: us, Remote: peer, Line: "INVITE sip:…78@192.0.2.10", SDP: "audio 192.0.2.1:20000 PCMU sendrecv"},
			{At: moment(120 * time.Millisecond), Transport: "udp", Local: us, Remote: peer, Line: "486 Busy Here", Skipped: 3},
		},
	}}
	want := `"trace":[{"ms":0,"sent":true,"transport":"udp","from":"192.0.2.1:5060","to":"192.0.2.10:5060","line":"INVITE sip:…78@192.0.2.10","sdp":"audio 192.0.2.1:20000 PCMU sendrecv"},` +
		`{"ms":120,"sent":false,"transport":"udp","from":"192.0.2.10:5060","to":"192.0.2.1:5060","line":"486 Busy Here","skipped":3}]`
	if b := ev.TracedJSON(false); !bytes.Contains(b, []byte(want)) {
		t.Errorf("%s", b)
	}
	if b := ev.JSON(false); bytes.Contains(b, []byte("trace")) {
		t.Errorf("not asked for: %s", b)
	}
}
