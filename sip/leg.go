package sip

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	eventRoom = 16 // events a reader may be behind; a storm of 180s loses its oldest
	urgent    = 4  // of them kept for what may not be lost: the answer, and the end
	// giveUp is 64*T1: how long a final response to an INVITE is waited for after CANCEL (RFC 3261 9.1), and a BYE for
	// its answer.
	giveUp = 32 * time.Second
)

// Leg is one INVITE, its dialogs and their end. Its goroutine is the only one that touches what is below "owned". A leg that was
// answered has none while it waits, which most calls do most of the time: what comes begins it anew.
type Leg struct {
	trunk  *Trunk
	path   path
	callID string
	from   *sip.FromHeader
	user   string // that was called

	events chan Event
	box    mailbox
	done   chan struct{}

	nonsense uint64 // of the trunk, when the leg began

	forks    forks
	arrivals arrivals
	trace    *Trace // of whoever asked for the call
	ending   atomic.Pointer[Ending]

	// owned
	*invitation // nil once it was answered
	negotiation
	state   legState
	seq     uint32    // our last CSeq
	early   []*dialog // the confirmed one included
	talk    *dialog   // the confirmed dialog
	why     *Hangup   // set when we want it to end
	end     Ended
	session sessionTimer
	due     deadlines
	hosts   []netip.Addr // that the guard lets in for this leg, the trunk's first
	ways    []endpoint   // that are kept open for this leg
	held    endpoint     // likewise, for the dialog that is up
	waiting []setting    // for their way
}

// invitation is the INVITE and what became of it, until it is answered: what is of no use to a dialog is let go then.
type invitation struct {
	first    *sip.Request // as sent first, or as changed for a retry: what a further retry is built from
	invite   *sip.Request // as sent last
	tx       *sip.ClientTx
	auth     exchange
	amends   []int    // statuses whose wish was fulfilled, each once
	begun    bool     // a 1xx other than 100 came: a phone may ring
	rang     bool     // a 180 came: the INVITE is never sent again
	next     []Target // where the INVITE goes if this target cannot take it
	fallback []byte   // a narrower offer for a 488, nil = none
}

// negotiation is where offer and answer stand (RFC 3264).
type negotiation struct {
	local []byte       // our description as sent last
	re    *reoffer     // of the peer, until it is answered and acknowledged
	ours  *sip.Request // our re-INVITE or UPDATE that has no final response yet
}

// legState is how far the INVITE has come.
type legState int

const (
	calling    legState = iota // nothing came yet
	proceeding                 // a 1xx came: CANCEL may be sent
	cancelling                 // CANCEL was sent
	confirmed                  // 2xx, ACKed
	byeing                     // our BYE was sent
	over
)

// errUnconfirmed is how a leg ends whose trunk stops before the peer has answered to its end.
var errUnconfirmed = errors.New("the peer has not confirmed the end")

func newLeg(t *Trunk, p path) *Leg {
	l := &Leg{
		trunk: t, path: p, nonsense: t.count.nonsense.Load(),
		events: make(chan Event, eventRoom), box: newMailbox(), done: make(chan struct{}), forks: forks{taken: make(chan struct{})},
		invitation: new(invitation),
	}
	l.due = deadlines{now: t.env.Now, box: &l.box}
	l.letIn(p.to.Addr())
	l.keepOpen(p)
	return l
}

// Events gives what happens, in order; it is closed after [Ended]. A reader that stops reading stops nobody.
func (l *Leg) Events() <-chan Event { return l.events }

// Hangup ends the leg, whatever state it is in: CANCEL (once a response came, RFC 3261 9.1), BYE, or ACK and BYE for an
// answer that crosses the CANCEL. It returns at once, and only its first call counts; Ended tells how it went.
func (l *Leg) Hangup(h Hangup) { l.box.hangup(h, l.trunk.env.Now()) }

// Nonsense tells whether the trunk's hosts sent what is no SIP since the leg began: somebody else may listen there.
func (l *Leg) Nonsense() bool { return l.trunk.count.nonsense.Load() > l.nonsense }

// Done is closed when nothing is left to send for the leg.
func (l *Leg) Done() <-chan struct{} { return l.done }

// CallID is the Call-ID of the INVITE.
func (l *Leg) CallID() string { return l.callID }

// Peer is the address the INVITE went to.
func (l *Leg) Peer() netip.Addr {
	l.trunk.mu.Lock()
	defer l.trunk.mu.Unlock()
	return l.path.to.Addr()
}

// run owns the leg, to its end or until it only waits for its mailbox.
func (l *Leg) run() {
	for l.state != over {
		if l.invitation == nil && l.box.rest(l.run) {
			return
		}
		select {
		case res := <-l.incoming():
			l.responses(l.arrivals.until(res))
		case <-l.txDone():
			l.transactionOver()
		case <-l.box.wake:
			l.woken()
		}
	}
	l.setOutAll()
	l.due.stop()
	l.trunk.drop(l)
	l.release()
	rest := l.box.close()
	close(l.events)
	close(l.done)
	l.refuseRest(rest.asked)
	l.trunk.work.Done()
}

// woken looks at everything that may have come while the leg waited.
func (l *Leg) woken() {
	l.open(l.box.take())
	l.due.pass()
	select {
	case <-l.trunk.abandon:
		l.lastWord()
		l.finish(EndedByTimeout, errUnconfirmed)
	default:
	}
}

// open looks at what has come.
func (l *Leg) open(m mail) {
	if m.hang != nil {
		l.hangup(*m.hang)
	}
	for _, in := range m.asked { // they are refused where the leg is over
		l.arrived(in)
	}
	for _, news := range m.news {
		if l.state != over {
			news()
		}
	}
}

// lastWord takes an INVITE back that nobody has answered, because there will be nobody to answer to. A CANCEL has to wait
// for a response (RFC 3261 9.1), lest it overtake the INVITE; here that left a farewell ago, and the other choice is a phone
// that rings for a process that has gone.
func (l *Leg) lastWord() {
	if l.state == calling && l.why != nil {
		_ = l.trunk.ua.transport.WriteMsg(l.trunk.cancelRequest(l.invite, l.why.Reason, l.path))
	}
}

// release gives back what the leg held: hosts of the guard, ways kept open.
func (l *Leg) release() {
	for _, h := range l.hosts {
		l.trunk.guard.leave(h)
	}
	for _, at := range l.ways {
		l.trunk.up.uses.end(at)
	}
	if l.held != (endpoint{}) {
		l.trunk.up.uses.end(l.held)
	}
	l.hosts, l.ways, l.held = nil, nil, endpoint{}
}

// keepOpen holds a way open until the leg is released.
func (l *Leg) keepOpen(p path) {
	at := l.trunk.endpoint(p)
	l.trunk.up.uses.begin(at)
	l.ways = append(l.ways, at)
}

// refuseRest answers what nobody will look at any more, or its sender would repeat it for half a minute.
func (l *Leg) refuseRest(asked []inbound) {
	refuse := func(in inbound) { respond(in.req, in.tx, 481, "Call/Transaction Does Not Exist") }
	if l.re != nil && l.re.res == nil { // RFC 3261 15.1.2
		respond(l.re.in.req, l.re.in.tx, 487, "Request Terminated")
	}
	for _, d := range l.early {
		for _, in := range d.order.kept {
			refuse(in)
		}
	}
	for _, in := range asked {
		refuse(in)
	}
}

// incoming are the responses to the INVITE, up to the first 2xx: what comes after it is [Leg.repeated]'s.
func (l *Leg) incoming() <-chan *sip.Response {
	if l.invitation == nil {
		return nil
	}
	return l.tx.Responses()
}

// txDone is the transaction's end, as long as it decides anything.
func (l *Leg) txDone() <-chan struct{} {
	if l.invitation == nil {
		return nil
	}
	return l.tx.Done()
}

// transactionOver: the INVITE's transaction ended without a final response, or before that could reach us.
func (l *Leg) transactionOver() {
	if l.responses(l.arrivals.rest()) {
		return
	}
	err := l.tx.Err()
	if errors.Is(err, sip.ErrTransactionTransport) {
		l.finish(EndedByTransport, l.trunk.up.flows.broke(l.trunk.endpoint(l.path), err))
		return
	}
	if err == nil {
		err = errors.New("the transaction ended without a final response")
	}
	l.finish(EndedByTimeout, err)
}

// hangup ends the leg by what is right in its state.
func (l *Leg) hangup(h Hangup) {
	l.why = &h
	switch l.state {
	case calling: // a CANCEL before the first response may overtake the INVITE; it is sent then
		l.impatient()
	case proceeding:
		l.cancel()
	case confirmed:
		l.bye(l.talk, EndedByLocalBye)
	case cancelling, byeing, over:
	}
}

// cancel sends CANCEL; whatever final response the INVITE gets is awaited.
func (l *Leg) cancel() {
	l.state = cancelling
	l.impatient()
	req := l.trunk.cancelRequest(l.invite, l.why.Reason, l.path)
	l.trunk.work.Go(func() {
		ctx, stop := l.trunk.limited(giveUp)
		defer stop()
		_, _ = l.trunk.transact(ctx, req) // the INVITE's own final response decides (RFC 3261 9.1)
	})
}

// impatient limits the wait for a final response, from now on.
func (l *Leg) impatient() {
	l.due.in(dueFinal, giveUp, func() { l.finish(EndedByTimeout, errors.New("no final response")) })
}

// crowded: the reader is so far behind that what the peer may send again has to wait.
func (l *Leg) crowded() bool { return len(l.events) > eventRoom-urgent }

// emit hands an event to the reader. One that is far behind loses the oldest, never the last; before the answer that is
// a 180 among many, afterwards nothing is, because [Leg.crowded] is asked first.
func (l *Leg) emit(ev Event) {
	for {
		select {
		case l.events <- ev:
			return
		default:
		}
		select {
		case <-l.events:
		default:
		}
	}
}

// finish reports the end.
func (l *Leg) finish(by EndedBy, err error) {
	if l.state == over {
		return
	}
	l.state = over
	if by == EndedByTimeout && l.invitation != nil { // nobody reads it any more: a late 2xx shall be dismissed, not wait for a reader for ever
		l.tx.Terminate()
	}
	l.end.By, l.end.Err = by, unnumbered(err, l.user)
	l.end.ToTags = len(l.early)
	l.vital(by, err)
	l.emit(l.end)
}

// vital tells the trunk's health what a call says about it.
func (l *Leg) vital(by EndedBy, err error) {
	switch {
	case l.end.Status == 408 || l.end.Status == 503: // may be the callee's network; probes tell
	case l.end.Responses > 0:
		l.trunk.vitals.answered(0)
	case by == EndedByTimeout && !errors.Is(err, errUnconfirmed), by == EndedByTransport:
		l.trunk.vitals.miss(noAnswer("INVITE", err))
	}
}

// limited is a context for what a leg still has to send: it ends with the time given, or when the trunk gives up.
func (t *Trunk) limited(d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), d) //nolint:forbidigo // the CANCEL or BYE of a call outlives what started the call
	go func() {
		select {
		case <-t.abandon:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// transact sends a request other than INVITE and ACK, and returns its final response.
func (t *Trunk) transact(ctx context.Context, req *sip.Request) (*sip.Response, error) {
	to, began := destination(req), t.env.Now()
	if err := t.connect(ctx, req); err != nil {
		t.up.health.failed(to, 0)
		return nil, err
	}
	tx, err := t.ua.transactions.NewClientTransaction(ctx, req)
	if err != nil {
		return nil, &SendError{"connect", t.up.flows.because(to, err)}
	}
	defer tx.Terminate()
	if err := tx.Init(); err != nil {
		return nil, &SendError{"send", t.up.flows.because(to, err)}
	}
	for {
		select {
		case res := <-tx.Responses():
			t.up.health.spoke(to)
			t.learn(req, res)
			if !res.IsProvisional() { // stateful proxies answer a BYE with 100 first
				return res, nil
			}
		case <-tx.Done():
			t.up.health.failed(to, 0)
			return nil, t.unheard(req, began, t.up.flows.because(to, tx.Err()))
		case <-t.abandon:
			return nil, errClosed
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.up.health.failed(to, 0)
			}
			return nil, t.unheard(req, began, ctx.Err())
		}
	}
}
