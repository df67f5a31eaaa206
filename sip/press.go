package sip

import (
	"fmt"

	"github.com/emiago/sipgo/sip"
)

// Press presses a key by INFO, as application/dtmf-relay, where the call is answered; '0'–'9', '*', '#', 'A'–'D'. It is for
// finding out whether keys get through: whether the peer takes it is not told, a key that comes back is a [Digit].
func (l *Leg) Press(digit byte) {
	l.box.tell(func() {
		if l.state == confirmed {
			l.onWay(l.talk, func() { l.press(digit) })
		}
	})
}

func (l *Leg) press(digit byte) {
	l.seq++
	req := l.request(l.talk, sip.INFO, l.seq)
	contentType := sip.ContentTypeHeader("application/dtmf-relay")
	req.AppendHeader(&contentType)
	req.SetBody(fmt.Appendf(nil, "Signal=%c\r\nDuration=120\r\n", digit))
	l.ask(req, func(*sip.Response, error) {})
}
