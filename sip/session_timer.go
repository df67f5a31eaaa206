package sip

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	// shortestSession is what a Session-Expires below it is taken for: RFC 4028 5 allows none below 90 s, but a peer that
	// hangs up after less has to be refreshed in time. It also keeps a hostile one from making us send without pause.
	shortestSession = 2 * time.Second
	longestSession  = 24 * time.Hour
	mostHangup      = 32 * time.Second // before the end of the session a BYE is due (RFC 4028 10)
	postponed       = time.Second      // until a refresh that has to wait for the peer's offer is tried again
)

// sessionTimer is what was agreed on about the session's life (RFC 4028). We ask for none, and keep to what the peer asks.
type sessionTimer struct {
	interval time.Duration // 0 = the session does not expire
	ours     bool          // we refresh
	shortest time.Duration // Min-SE of a 422 to our refresh
	update   bool          // the peer takes UPDATE (RFC 3311)
	ends     time.Time     // when a BYE is due
}

// expiry is a Session-Expires header.
type expiry struct {
	after     time.Duration
	refresher string // "uac", "uas" or "" if not said
}

// readExpiry reads "1800;refresher=uac" of Session-Expires, or of its compact form.
func readExpiry(m headed) (expiry, bool) {
	value, params, _ := strings.Cut(firstHeader(m, "Session-Expires", "x"), ";")
	e := expiry{after: lifetime(value)}
	if e.after <= 0 {
		return expiry{}, false
	}
	for p := range strings.SplitSeq(params, ";") {
		name, v, _ := strings.Cut(p, "=")
		v = strings.ToLower(strings.TrimSpace(v))
		if strings.EqualFold(strings.TrimSpace(name), "refresher") && (v == "uac" || v == "uas") {
			e.refresher = v
		}
	}
	return e, true
}

// lifetime reads a number of seconds with or without parameters; 0 for what is none.
func lifetime(s string) time.Duration {
	s, _, _ = strings.Cut(s, ";")
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(n)*time.Second, longestSession)
}

// agreed takes the session's life from a 2xx to an INVITE or UPDATE of ours. Who is not told who refreshes had better.
func (l *Leg) agreed(res *sip.Response) {
	if methods := listed(res, "Allow"); len(methods) > 0 {
		l.session.update = lists(res, "Allow", "UPDATE")
	}
	e, ok := readExpiry(res)
	l.live(e.after, ok && e.refresher != "uas")
}

// agree writes the session's life into our 2xx to a re-INVITE or UPDATE of the peer (RFC 4028 9): as it asks, and none
// where it asks for none. Who refreshes stays as it wants, and is us where it does not say that it can.
func (l *Leg) agree(req *sip.Request, res *sip.Response) {
	e, ok := readExpiry(req)
	if !ok {
		l.live(0, false)
		return
	}
	if !lists(req, "Supported", "timer") {
		e.refresher = "uas"
	}
	if e.refresher != "uas" {
		e.refresher = "uac"
		res.AppendHeader(sip.NewHeader("Require", "timer"))
	}
	res.AppendHeader(sip.NewHeader("Session-Expires", fmt.Sprintf("%d;refresher=%s", e.after/time.Second, e.refresher)))
	l.live(e.after, e.refresher == "uas")
}

// live starts the session's life anew.
func (l *Leg) live(interval time.Duration, ours bool) {
	l.due.off(dueRefresh)
	l.due.off(dueExpiry)
	t := &l.session
	t.interval, t.ours = 0, ours
	if interval == 0 || l.state == byeing || l.state == over {
		return
	}
	t.interval = max(interval, shortestSession)
	left := t.interval - min(mostHangup, t.interval/3)
	t.ends = l.trunk.env.Now().Add(left)
	l.due.in(dueExpiry, left, func() { l.lose(EndedByExpiry, `Q.850;cause=102;text="session timer expired"`) })
	if ours {
		l.due.in(dueRefresh, t.interval/2, l.refresh)
	}
}

// refresh is ours to send: UPDATE without SDP where the peer takes it, else a re-INVITE with what we said last, unchanged
// (RFC 4028 7.4).
func (l *Leg) refresh() {
	if l.state == confirmed {
		l.onWay(l.talk, l.refreshNow)
	}
}

func (l *Leg) refreshNow() {
	if l.state != confirmed || l.ours != nil {
		return
	}
	if l.re != nil { // RFC 3261 14.1: not while the peer's own is open
		l.due.in(dueRefresh, postponed, l.refresh)
		return
	}
	method := sip.INVITE
	if l.session.update {
		method = sip.UPDATE
	}
	l.seq++
	req := l.request(l.talk, method, l.seq)
	req.AppendHeader(sip.NewHeader("Allow", methods))
	req.AppendHeader(sip.NewHeader("Supported", supported))
	req.AppendHeader(sip.NewHeader("Session-Expires", fmt.Sprintf("%d;refresher=uac", max(l.session.interval, l.session.shortest)/time.Second)))
	if l.session.shortest > 0 {
		req.AppendHeader(sip.NewHeader("Min-SE", strconv.Itoa(int(l.session.shortest/time.Second))))
	}
	if req.IsInvite() {
		contentType := sip.ContentTypeHeader("application/sdp")
		req.AppendHeader(&contentType)
		req.SetBody(l.local)
	}
	l.ours = req
	l.ask(req, l.refreshed)
}

// refreshed takes the answer to a refresh.
func (l *Leg) refreshed(res *sip.Response, err error) {
	req := l.ours
	l.ours = nil
	if err == nil && res.IsSuccess() {
		l.renewed(req, res)
		return
	}
	if l.state != confirmed {
		return
	}
	switch {
	case errors.Is(err, sip.ErrTransactionTimeout), errors.Is(err, context.DeadlineExceeded), err == nil && (res.StatusCode == 408 || res.StatusCode == 481):
		l.lose(EndedByGone, `Q.850;cause=102;text="no answer inside the dialog"`) // RFC 3261 12.2.1.2
	case err == nil && res.StatusCode == 491:
		l.due.in(dueRefresh, l.afterGlare(), l.refresh)
	case err == nil && res.StatusCode == 422 && lifetime(firstHeader(res, "Min-SE")) > max(l.session.interval, l.session.shortest):
		l.session.shortest = lifetime(firstHeader(res, "Min-SE"))
		l.refresh()
	case err == nil && !req.IsInvite() && l.session.update:
		l.session.update = false // whatever it dislikes, a re-INVITE it must know
		l.refresh()
	default: // again while there is time; the call goes on until then
		if left := l.session.ends.Sub(l.trunk.env.Now()) / 2; left >= shortestSession/2 {
			l.due.in(dueRefresh, left, l.refresh)
		}
	}
}

// renewed: the session lives on.
func (l *Leg) renewed(req *sip.Request, res *sip.Response) {
	l.talk.refresh(res)
	l.admit(l.talk)
	if req.IsInvite() {
		l.acknowledge(l.talk, req)
		if body := sdpOf(res); body != nil && l.state == confirmed {
			l.emit(Reanswered{SDP: body})
		}
	}
	l.agreed(res)
}

// afterGlare is how long a request that met the peer's own is put off (RFC 3261 14.1): we made the Call-ID, always, so it
// is 2.1 to 4 s in steps of 10 ms.
func (l *Leg) afterGlare() time.Duration {
	return 2100*time.Millisecond + time.Duration(l.trunk.draw(191))*10*time.Millisecond
}
