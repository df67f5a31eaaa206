package sip

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Register says how a trunk registers (RFC 3261 10).
type Register struct {
	On        bool
	Ask       bool          // only asks which contacts the registrar has, and gives it none: another gateway of ours is registered
	Registrar string        // host[:port] that takes REGISTER; "" = the trunk itself
	Expires   time.Duration // asked for; 0 = an hour
	Retry     time.Duration // before what failed is tried again, doubling; 0 = 30 s
	Shared    *Sharing      // several gateways have the account, and one registers at a time; nil = this trunk does
}

const (
	registerExpires = time.Hour
	registerRetry   = 30 * time.Second
	registerLimit   = 10 * time.Second // for one REGISTER to be answered
	registerWait    = 3 * time.Second  // an INVITE waits for the first registration
	// Back-off ends at: a registrar that is not there may be back any moment, and without it nobody is paged; one that said
	// no has to be told by a person.
	awayMost    = 2 * time.Minute
	refusedMost = 15 * time.Minute
	expiresMost = 24 * time.Hour // what a 423 may ask for
)

// refusal is a registrar's final answer that is not 2xx.
type refusal struct {
	status     int
	line       string
	retryAfter time.Duration
}

func (e *refusal) Error() string { return "the registrar answers " + e.line }

// decided tells a no from "not now".
func (e *refusal) decided() bool {
	return e.status < 500 && e.status != 408 && e.status != 480 || e.status >= 600
}

// registration keeps the trunk registered. One goroutine owns it, and what is below "owned".
type registration struct {
	trunk     *Trunk
	turns     *turns
	first     chan struct{} // closed with the first 200
	tried     chan struct{} // closed when the first attempt has ended, or is another gateway's
	attempted func()        // closes tried
	kick      chan struct{} // somebody wants to call, or it is another's turn

	// owned
	callID   string // for the life of the trunk (RFC 3261 10.2)
	fromTag  string
	seq      uint32
	firstErr error // of the first attempt; for anybody once tried is closed
	ask      time.Duration
	bound    *binding // nil while not registered
	doubt    *path    // of a REGISTER whose answer has not come
	failures int      // in a row
	release  func()   // lets the way to the registrar close; nil while not registered
}

func newRegistration(t *Trunk) *registration {
	r := &registration{
		trunk: t, first: make(chan struct{}), tried: make(chan struct{}), kick: make(chan struct{}, 1), callID: t.token(16), fromTag: t.newTag(),
		ask: t.cfg.Register.Expires, turns: newTurns(t.cfg.Register.Shared),
	}
	r.attempted = sync.OnceFunc(func() { close(r.tried) })
	if r.ask <= 0 {
		r.ask = registerExpires
	}
	t.vitals.health.Registration.Wanted = true
	return r
}

// run registers while it is our turn, until ctx is done; then it takes our contact away.
func (r *registration) run(ctx context.Context) {
	defer r.attempted()
	if r.trunk.cfg.Register.Ask {
		r.look(ctx)
		return
	}
	ctx, done := r.turns.begin(ctx)
	defer done()
	for r.await(ctx) {
		if r.turns.sharing != nil {
			r.trunk.env.Log.Info("it is this gateway's turn to register")
		}
		turn, end := r.turns.take(ctx)
		r.serve(turn)
		end()
		if ctx.Err() == nil {
			r.drop()
		}
	}
	r.leave() //nolint:contextcheck // ctx is done: what is left has the farewell's time
}

// serve registers until ctx is done.
func (r *registration) serve(ctx context.Context) {
	for ctx.Err() == nil {
		due := r.register(ctx)
		r.attempted()
		select {
		case <-r.kick: // has had its attempt
		default:
		}
		r.keep(ctx, due)
	}
}

// look asks the registrar once for the contacts it has.
func (r *registration) look(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, registerLimit)
	defer stop()
	p, err := r.path(ctx)
	var res *sip.Response
	if err == nil {
		res, err = r.send(ctx, r.query(p))
	}
	if err == nil && !res.IsSuccess() {
		err = &refusal{res.StatusCode, statusLine(res), retryAfter(res)}
	}
	if err != nil {
		r.failed(err)
		return
	}
	b := grantedBy(res, sip.Uri{}, 0)
	r.trunk.vitals.registered("", Registration{Wanted: true, Foreign: b.foreign})
}

// keep waits until the registration is due again, and looks meanwhile whether it still holds.
func (r *registration) keep(ctx context.Context, due time.Duration) {
	timer := time.NewTimer(due)
	defer timer.Stop()
	look := time.NewTimer(r.trunk.nextProbe())
	defer look.Stop()
	for {
		wanted := r.kick
		if r.bound == nil && !r.trunk.auth.restsUntil().IsZero() {
			wanted = nil // fail2ban counts
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-wanted:
			if r.bound == nil || r.lost(ctx) {
				return
			}
		case <-look.C:
			if r.bound != nil && r.lost(ctx) {
				return
			}
			look.Reset(r.trunk.nextProbe())
		}
	}
}

// register tries once, and returns when to do it again.
func (r *registration) register(ctx context.Context) time.Duration {
	b, err := r.bind(ctx)
	for range maxTargets {
		if err == nil || !r.mayBeElsewhere(ctx, err) {
			break
		}
		b, err = r.bind(ctx)
	}
	if ctx.Err() != nil {
		err = errStopped
	}
	select {
	case <-r.tried:
	default:
		r.firstErr = err
	}
	switch {
	case ctx.Err() != nil:
		return 0
	case errors.Is(err, errUsurped):
		r.refrain(err)
		return r.trunk.nextProbe()
	case err != nil:
		return r.failed(err)
	}
	r.hold(b)
	r.failures = 0
	r.trunk.vitals.registered(hostPort(b.contact), Registration{
		Wanted: true, Until: b.until, Granted: b.granted, Contact: b.contact.String(), Foreign: b.foreign,
	})
	select {
	case <-r.first:
	default:
		close(r.first)
	}
	return r.trunk.share(b.granted, 0.5, 0.9)
}

// bind sends REGISTER and reads what was granted. A 423 is asked again with what it wants (RFC 3261 10.2.8).
func (r *registration) bind(ctx context.Context) (*binding, error) {
	ctx, stop := context.WithTimeout(ctx, registerLimit)
	defer stop()
	p, err := r.path(ctx)
	if err != nil {
		return nil, err
	}
	p = r.trunk.oriented(ctx, p)
	if err := r.usurped(ctx, p); err != nil {
		return nil, err
	}
	var replaced, inherited *sip.ContactHeader
	for {
		sent := r.trunk.env.Now()
		req := r.request(p, r.ask)
		for _, gone := range []*sip.ContactHeader{replaced, inherited} {
			if gone != nil {
				req.AppendHeader(gone)
			}
		}
		r.doubt = &p
		res, err := r.send(ctx, req)
		if res != nil {
			r.doubt = nil
		}
		if err != nil {
			return nil, err
		}
		if least, ok := seconds(firstHeader(res, "Min-Expires")); ok && res.StatusCode == 423 && least > r.ask && least <= expiresMost {
			r.ask = least
			continue
		}
		if res.StatusCode == 503 {
			r.trunk.up.health.failed(r.trunk.endpoint(p), retryAfter(res))
		}
		if inherited == nil {
			if inherited = r.inherited(res, req.Contact().Address); inherited != nil {
				continue
			}
		}
		if !res.IsSuccess() {
			line := statusLine(res)
			if isBare403(res) && r.trunk.auth.doubts() {
				line += " (user or password may be wrong, or the account may not register)"
			}
			return nil, &refusal{res.StatusCode, line, retryAfter(res)}
		}
		r.trunk.setServiceRoutes(serviceRoutes(res))
		b := grantedBy(res, req.Contact().Address, r.ask)
		if b.granted <= 0 {
			return nil, &refusal{status: res.StatusCode, line: statusLine(res) + " and keeps our contact for no time at all"}
		}
		p.advertise = r.trunk.advertise(p)
		if now := r.trunk.contact(p).Address; hostPort(now) != hostPort(b.contact) && replaced == nil {
			if !b.rewrittenTo(now) { // we are seen elsewhere: what was registered just now reaches nobody
				replaced = removal(b.contact)
				continue
			}
			b.contact = now
		}
		b.path, b.until = p, sent.Add(b.granted)
		return &b, nil
	}
}

// send sends one REGISTER, with credentials where they are asked for, and tells the trunk's health how it went.
func (r *registration) send(ctx context.Context, req *sip.Request) (*sip.Response, error) {
	began := r.trunk.env.Now()
	res, err := r.trunk.authenticated(ctx, req, func() uint32 {
		began = r.trunk.env.Now()
		return r.next()
	})
	if res != nil {
		r.trunk.vitals.final(res, r.trunk.env.Now().Sub(began))
	}
	if _, unanswered := errors.AsType[*AuthError](err); err != nil && !unanswered {
		err = noAnswer("REGISTER", err)
	}
	return res, err
}

// failed notes why there is no registration, and returns when to try again.
func (r *registration) failed(err error) time.Duration {
	t := r.trunk
	answer, answered := errors.AsType[*refusal](err)
	auth, challenged := errors.AsType[*AuthError](err)
	decided := challenged || answered && answer.decided()
	if !answered && !challenged {
		t.vitals.miss(err)
	}
	lost := r.bound == nil || decided || !t.env.Now().Before(r.bound.until)
	t.vitals.unregistered(err, decided, lost)
	if lost {
		r.hold(nil)
	}
	t.env.Log.Warn("not registered", "err", err, "registered_still", !lost)
	most := awayMost
	if decided {
		most = refusedMost
	}
	pause := t.share(r.backoff(most), 0.5, 1)
	if answered {
		pause = max(pause, min(answer.retryAfter, refusedMost))
	}
	if challenged && auth.Refused || !t.auth.restsUntil().IsZero() {
		rest := t.auth.restsUntil().Sub(t.env.Now())
		pause = max(rest+t.share(rest, 0, 0.1), pause)
	}
	return pause
}

// backoff doubles with each failure in a row.
func (r *registration) backoff(most time.Duration) time.Duration {
	retry := r.trunk.cfg.Register.Retry
	if retry <= 0 {
		retry = registerRetry
	}
	pause := min(retry<<min(r.failures, 10), max(most, retry))
	r.failures++
	return pause
}

// lost tells whether the registration is to be made anew before its time: our address or connection is another one, or
// the registrar has forgotten us.
func (r *registration) lost(ctx context.Context) bool {
	ctx, stop := context.WithTimeout(ctx, probeLimit)
	defer stop()
	p, err := r.path(ctx)
	if err != nil || hostPort(r.trunk.contact(p).Address) != hostPort(r.bound.contact) {
		if err == nil {
			err = errors.New("our address or connection has changed")
		}
		return r.gone(ctx, err)
	}
	if r.trunk.cfg.Probe.Mode != ProbeRegister {
		return false
	}
	res, err := r.send(ctx, r.query(p))
	if err != nil {
		if res == nil && !errors.Is(ctx.Err(), context.Canceled) {
			r.trunk.vitals.miss(err)
		}
		return false
	}
	if !res.IsSuccess() {
		return false // it does not let itself be asked; it is there
	}
	b := grantedBy(res, r.bound.contact, 0)
	switch {
	case r.bound.listed && !b.listed:
		return r.gone(ctx, errors.New("the registrar has forgotten us"))
	case r.bound.seen != "" && b.seen != "" && r.bound.seen != b.seen:
		return r.gone(ctx, errors.New("a NAT gives us another address"))
	}
	return false
}

// gone notes that the registration does not hold any more.
func (r *registration) gone(ctx context.Context, why error) bool {
	if errors.Is(ctx.Err(), context.Canceled) {
		return false // we stop; nothing is lost
	}
	r.hold(nil)
	r.trunk.env.Log.Warn("registration lost", "err", why)
	r.trunk.vitals.unregistered(fmt.Errorf("registration lost: %w", why), false, true)
	return true
}

// leave takes our contact away, also where the answer that would have told us of it has not come; and only ours: "*" would
// take away those of others.
func (r *registration) leave() {
	p := r.doubt
	if r.bound != nil {
		p = &r.bound.path
	}
	if p == nil || r.turns.now() == TurnOther {
		r.hold(nil)
		return
	}
	contact := r.trunk.contact(*p).Address
	if r.trunk.bindingStays(contact) {
		r.hold(nil)
		return
	}
	ctx, stop := r.trunk.limited(farewell)
	defer stop()
	if r.usurped(ctx, *p) != nil {
		r.hold(nil)
		return
	}
	req := r.request(*p, 0)
	req.ReplaceHeader(removal(contact))
	began := r.trunk.env.Now()
	if _, err := r.send(ctx, req); err != nil {
		if errors.Is(err, errClosed) || errors.Is(err, context.Canceled) { // the farewell is over
			err = r.trunk.unheard(req, began, context.DeadlineExceeded)
		}
		r.trunk.env.Log.Warn("the registrar keeps our contact", "err", err)
	}
	r.hold(nil)
	if r.turns.sharing != nil { // calls go on without it
		r.trunk.vitals.elsewhere()
	}
}

// hold notes what is registered, nil for nothing, and keeps the way there open.
func (r *registration) hold(b *binding) {
	if r.release != nil {
		r.release()
		r.release = nil
	}
	if r.bound = b; b != nil {
		r.release = r.trunk.keepOpen(b.path)
	}
}

// wake has a registration that failed tried at once: a call is waiting for it.
func (r *registration) wake() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}
