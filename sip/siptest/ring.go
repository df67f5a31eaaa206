package siptest

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"telgate/media/mediatest"
)

// Ring is one call at a [Phone], from its first ring to its end. Its methods are safe for concurrent use.
type Ring struct {
	phone   *Phone
	invite  Message
	rang    time.Time
	handset *mediatest.Handset
	tag     string

	mu    sync.Mutex
	last  string // our newest response to the INVITE, for its repetitions
	final bool
	ended string
	at    time.Time     // of the end
	over  chan struct{} // closed when the call ended
	acked chan struct{} // closed with the first ACK
	heard bool
	echo  bool // keys by INFO are said back, too
}

// User is the user part of the address that was dialled.
func (r *Ring) User() string {
	_, uri, _ := strings.Cut(r.invite.Start, " ")
	user, _, _ := strings.Cut(strings.TrimPrefix(uri, "sip:"), "@")
	return user
}

// Rang is when the INVITE was read.
func (r *Ring) Rang() time.Time { return r.rang }

// From is the address the INVITE came from: the caller's signalling.
func (r *Ring) From() *net.UDPAddr { return r.invite.From }

// Offer is the SDP of the INVITE.
func (r *Ring) Offer() []byte { return []byte(r.invite.Body) }

// CallID is the call's name in SIP.
func (r *Ring) CallID() string { return r.invite.Get("Call-ID") }

// Ear is what is heard of the call.
func (r *Ring) Ear() *mediatest.Ear { return r.handset.Ear }

// Mouth speaks and presses keys.
func (r *Ring) Mouth() *mediatest.Mouth { return r.handset.Mouth }

// Echo says everything that is heard, keys included, those by INFO too, from now on.
func (r *Ring) Echo() {
	r.mu.Lock()
	r.echo = true
	r.mu.Unlock()
	r.EchoRTP()
}

// EchoRTP is Echo without keys by INFO.
func (r *Ring) EchoRTP() { r.handset.Echo() }

// Over is closed when the call has ended; [Ring.Why] says how then.
func (r *Ring) Over() <-chan struct{} { return r.over }

// Why is how the call ended: "cancelled", "hung up by the caller", "hung up", "declined", "redirected",
// "phone closed"; "" while it lasts.
func (r *Ring) Why() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

// Answer picks up, and returns when the caller has acknowledged it.
func (r *Ring) Answer(ctx context.Context) error {
	sdp, err := r.handset.Answer([]byte(r.invite.Body))
	if err != nil {
		r.Reject("488 Not Acceptable Here")
		return fmt.Errorf("answer: %w", err)
	}
	return r.AnswerWith(ctx, string(sdp))
}

// AnswerWith picks up with any SDP, such as one that cannot be used, and returns when the caller has acknowledged it.
func (r *Ring) AnswerWith(ctx context.Context, sdp string) error {
	if !r.reply("200 OK", sdp) {
		return fmt.Errorf("answer: the call is over (%s)", r.Why())
	}
	for wait := 500 * time.Millisecond; ; wait = min(2*wait, 4*time.Second) {
		timer := time.NewTimer(wait)
		select {
		case <-r.acked:
			timer.Stop()
			return nil
		case <-timer.C:
			r.repeat()
		case <-r.over:
			timer.Stop()
			return fmt.Errorf("answer: the call is over (%s)", r.Why())
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("no ACK for the answer: %w", ctx.Err())
		}
	}
}

// Decline presses the red button while it rings.
func (r *Ring) Decline() { r.Reject("603 Decline") }

// Reject ends the ringing with a status line of a final response, "486 Busy Here".
func (r *Ring) Reject(status string) {
	if r.reply(status, "") {
		r.end("declined")
	}
}

// Redirect names another user of this phone in a 3xx, "302 Moved Temporarily".
func (r *Ring) Redirect(status, user string) {
	if r.reply(status, "", "Contact: <sip:"+user+"@"+r.phone.Addr()+">") {
		r.end("redirected")
	}
}

// CallBack calls the caller, as somebody does who missed a call. Nobody waits for an answer.
func (r *Ring) CallBack() {
	n := strconv.Itoa(int(r.phone.byes.Add(1)))
	r.phone.send(r.invite, strings.Join([]string{
		"INVITE sip:telgate@" + r.invite.From.String() + " SIP/2.0", "Via: SIP/2.0/UDP " + r.phone.Addr() + ";branch=z9hG4bKback" + n + r.tag + ";rport",
		"Max-Forwards: 70", "From: <sip:" + r.User() + "@" + r.phone.Addr() + ">;tag=back" + n, "To: <sip:telgate@" + r.invite.From.String() + ">",
		"Call-ID: back" + n + "-" + r.CallID(), "CSeq: 1 INVITE", "Content-Length: 0", "", "",
	}, "\r\n"))
}

// Hangup puts the receiver down after an answer.
func (r *Ring) Hangup() {
	r.phone.send(r.invite, r.invite.request("BYE", r.tag, r.phone.Addr(), int(r.phone.byes.Add(1)), ""))
	r.end("hung up")
}

// reply sends a response to the INVITE, the final one just once.
func (r *Ring) reply(status, body string, more ...string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.final || r.ended != "" {
		return false
	}
	r.final = status[0] >= '2'
	r.last = r.invite.response(status, r.tag, r.phone.Addr(), body, more...)
	r.phone.send(r.invite, r.last)
	return true
}

func (r *Ring) repeat() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.phone.send(r.invite, r.last)
}

// take handles a request that belongs to this call.
func (r *Ring) take(m Message) {
	method := m.Method()
	if method != "INVITE" && method != "CANCEL" && !r.ours(m) { // of another dialog: knowing the Call-ID is not enough (RFC 3261 12)
		method = "stranger's " + method
	}
	switch method {
	case "stranger's ACK":
	case "stranger's BYE":
		r.phone.send(m, m.response("481 Call/Transaction Does Not Exist", r.tag, r.phone.Addr(), ""))
	case "INVITE":
		r.repeat()
	case "ACK":
		r.mu.Lock()
		if !r.heard {
			r.heard = true
			close(r.acked)
		}
		r.mu.Unlock()
	case "CANCEL":
		r.phone.send(m, m.response("200 OK", r.tag, r.phone.Addr(), ""))
		if r.reply("487 Request Terminated", "") {
			r.end("cancelled")
		}
	case "BYE":
		r.phone.send(m, m.response("200 OK", r.tag, r.phone.Addr(), ""))
		r.end("hung up by the caller")
	case "INFO":
		r.phone.send(m, m.response("200 OK", r.tag, r.phone.Addr(), ""))
		r.mu.Lock()
		echo := r.echo
		r.mu.Unlock()
		if echo {
			r.phone.send(r.invite, r.invite.request("INFO", r.tag, r.phone.Addr(), int(r.phone.byes.Add(1)), m.Body, "Content-Type: "+m.Get("Content-Type")))
		}
	default:
		r.phone.send(m, m.response("405 Method Not Allowed", r.tag, r.phone.Addr(), ""))
	}
}

// ours tells whether a request is inside the dialog of this call: from the caller's tag to ours.
func (r *Ring) ours(m Message) bool {
	return m.Get("From") == r.invite.Get("From") && strings.HasSuffix(m.Get("To"), ";tag="+r.tag)
}

// end closes the handset; what the ear heard stays.
func (r *Ring) end(why string) {
	r.mu.Lock()
	if r.ended != "" {
		r.mu.Unlock()
		return
	}
	r.ended, r.at = why, time.Now()
	r.mu.Unlock()
	r.handset.Close()
	close(r.over)
}

func (r *Ring) overBefore(t time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended != "" && r.at.Before(t)
}
