package sip

import (
	"errors"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"
)

// hopPatience is how long a message waits for its next hop to be resolved and connected to, before it takes the way that the
// INVITE took. An ACK that is late by so much is asked for by one more 200.
const hopPatience = time.Second

// heading is how the requests of a dialog travel where they do not follow the INVITE: to the dialog's next hop (RFC 3261
// 12.2.1.1, 16.12; RFC 3263). It is found once for each, in the background where a name is to be resolved or a connection to
// be made.
type heading struct {
	hop   nextHop
	path  path // once it is found
	state headingState
}

type headingState int

const (
	seeking headingState = iota
	overdue              // messages do not wait for it any more
	found
	lost // there is none: they go as the INVITE did
)

// setting is a message that waits for its way.
type setting struct {
	way *heading
	out func()
}

// ahead is a dialog's next hop and the transports that may lead there; none of them where its requests go as the INVITE did.
func (l *Leg) ahead(d *dialog) (nextHop, []string) {
	h := nextHopOf(d.hop())
	if h.host == "" || l.trunk.cfg.NAT == NATOn && len(d.routes) == 0 {
		return h, nil
	}
	return h, l.trunk.by(h, l.trunk.over(l.path))
}

// head finds the way to a dialog's next hop, unless it is known.
func (l *Leg) head(d *dialog) {
	h, by := l.ahead(d)
	if len(by) == 0 {
		d.way = nil
		return
	}
	if d.way != nil && d.way.hop == h {
		return
	}
	t, leg, w := l.trunk, l.path, &heading{hop: h}
	if g, numeric := h.at(by[0]); numeric {
		if t.same(g, leg) || !t.leads(g, leg) {
			d.way = nil
			return
		}
		if g.Transport == "udp" {
			d.way = w
			l.headed(w, t.byDatagram(g, leg), nil)
			return
		}
	}
	d.way = w
	t.work.Go(func() {
		ctx, stop := t.limited(dialLimit)
		defer stop()
		p, err := t.follow(ctx, h, by, leg)
		l.box.tell(func() { l.headed(w, p, err) })
	})
}

// headed takes where a way leads: what waits for it sets out, what comes from there is let in, and who ends the call in our
// place has to know.
func (l *Leg) headed(w *heading, p path, err error) {
	if err == nil {
		w.path, w.state = p, found
		l.letIn(p.to.Addr())
	} else {
		w.state = lost
		l.trunk.env.Log.Info("the next hop of a call cannot be had: requests go where the INVITE went", "hop", w.hop.host, "transport", w.hop.transport, "err", err)
	}
	if l.state == confirmed && l.talk.way == w {
		l.endsByBye(l.talk)
	}
	l.hold()
	l.setOut(w)
}

// onWay has a message of a dialog sent once its way is known, or has been waited for long enough.
func (l *Leg) onWay(d *dialog, out func()) {
	if d.way == nil || d.way.state != seeking {
		out()
		return
	}
	l.waiting = append(l.waiting, setting{d.way, out})
	l.due.once(dueWay, hopPatience, l.setOutAll)
}

// setOut sends what waits for a way.
func (l *Leg) setOut(w *heading) {
	waiting := l.waiting
	l.waiting = nil
	for _, s := range waiting {
		if s.way == w {
			s.out()
		} else {
			l.waiting = append(l.waiting, s)
		}
	}
	if l.waiting == nil {
		l.due.off(dueWay)
	}
}

// setOutAll sends everything that waits.
func (l *Leg) setOutAll() {
	for len(l.waiting) > 0 {
		w := l.waiting[0].way
		w.state = max(w.state, overdue)
		l.setOut(w)
	}
}

// await returns when nothing waits any more; for a leg that nobody runs.
func (l *Leg) await() {
	for len(l.waiting) > 0 {
		select {
		case <-l.box.wake:
			l.open(l.box.take())
			l.due.pass()
		case <-l.trunk.abandon:
			l.setOutAll()
		}
	}
	l.due.stop()
}

// toward is the path of a dialog's requests. A sips: hop is reached by TLS or not at all, whatever the INVITE took.
func (l *Leg) toward(d *dialog) path {
	p, w := l.path, d.way
	switch {
	case w != nil && w.state == found && w.path.transport == "udp" && l.trunk.over(p) == "udp":
		p.to = w.path.to // from where the trunk sees us by now
	case w != nil && w.state == found:
		p = w.path
	case d.hop().Scheme == "sips" && l.trunk.over(p) != "tls":
		p.to, p.transport = netip.AddrPortFrom(p.to.Addr(), sipsPort), "tls"
	}
	return p
}

// mayGoAround tells whether a request that failed may go by another path: it never left; or it is a BYE, which ends a call
// however often it comes. What is for TLS goes by TLS.
func (t *Trunk) mayGoAround(req *sip.Request, p path, err error) bool {
	secure := req.Recipient.Scheme == "sips"
	if r := req.Route(); r != nil {
		secure = r.Address.Scheme == "sips"
	}
	broken := errors.Is(err, sip.ErrTransactionTransport) || FailureOf(err) == FailureLost
	return (definite(err) || broken && req.Method == sip.BYE) && (!secure || t.over(p) == "tls")
}

// hold keeps the way of the call that is up open, besides the INVITE's.
func (l *Leg) hold() {
	if l.talk == nil {
		return
	}
	at := l.trunk.endpoint(l.toward(l.talk))
	if at == l.held {
		return
	}
	if l.held != (endpoint{}) {
		l.trunk.up.uses.end(l.held)
	}
	if l.held = at; at == l.trunk.endpoint(l.path) {
		l.held = endpoint{}
		return
	}
	l.trunk.up.uses.begin(at)
}
