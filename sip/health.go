package sip

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// State is whether a trunk can be expected to take calls.
type State string

// States of a trunk.
const (
	StateUnknown State = "unknown" // nothing was heard of it yet
	StateUp      State = "up"
	StateDown    State = "down"
)

// DownReason says why a trunk is down.
type DownReason string

// Reasons of StateDown.
const (
	DownNoAnswer      DownReason = "no_answer"      // two probes or calls in a row were not answered
	DownTransport     DownReason = "transport"      // it does not resolve, or cannot be connected to
	DownStatus        DownReason = "status"         // it answers 408 or 503
	DownCredentials   DownReason = "credentials"    // it refused user or password; nothing is sent until RestUntil
	DownRefused       DownReason = "refused"        // its registrar refused the registration
	DownNotRegistered DownReason = "not_registered" // the registration is lost, and could not be renewed yet
)

// Health is what is known of a trunk.
type Health struct {
	State        State
	Reason       DownReason // "" unless down
	Since        time.Time  // of State; zero before anything was heard
	Latency      time.Duration
	Failure      string // the last one, in words; it stays when all is well again
	FailedAt     time.Time
	RestUntil    time.Time // no INVITE and no REGISTER is sent until then; zero = they may
	Registration Registration
}

// Registration is what the registrar granted.
type Registration struct {
	Wanted  bool
	Until   time.Time // zero unless registered
	Granted time.Duration
	Contact string   // that is registered, "" unless registered
	Foreign []string // contacts of others under our address of record
	Failure string   // of the last attempt, "" where it succeeded
	Refused bool     // that failure is the registrar's decision, not silence

	Elsewhere bool // it is another gateway's turn to register: see [Sharing]
}

// Registered tells whether the registration lasts at this moment.
func (r Registration) Registered(now time.Time) bool { return now.Before(r.Until) }

const missesDown = 2 // in a row

// vitals gather what a trunk's health is made of, from probes, calls and the registration.
type vitals struct {
	now   func() time.Time
	rests func() time.Time

	changed chan Health // holds the newest that was not read

	mu       sync.Mutex
	misses   int
	missed   DownReason
	heard    bool   // it answered once
	once     bool   // it was registered
	bound    string // what is registered, as host:port
	health   Health
	observed Health // as told last
}

func newVitals(now func() time.Time, rests func() time.Time) *vitals {
	return &vitals{now: now, rests: rests, changed: make(chan Health, 1), health: Health{State: StateUnknown}}
}

// Health is what is known of the trunk now.
func (t *Trunk) Health() Health {
	t.vitals.mu.Lock()
	defer t.vitals.mu.Unlock()
	t.vitals.judgeLocked()
	return t.vitals.health
}

// HealthChanged has the newest health whenever its state, its reason or its registration has changed; it is for one reader,
// and never closed.
func (t *Trunk) HealthChanged() <-chan Health { return t.vitals.changed }

// answered: the trunk is there. latency is 0 where it was not measured.
func (v *vitals) answered(latency time.Duration) {
	v.change(func() {
		v.misses, v.heard = 0, true
		if latency > 0 {
			v.health.Latency = latency
		}
	})
}

// miss counts something the trunk did not answer, or only with 408 or 503.
func (v *vitals) miss(err error) {
	v.change(func() {
		v.misses++
		v.missed = missReason(err)
		v.failLocked(err)
	})
}

// final judges a final response: all but 408 and 503 say that the trunk is there.
func (v *vitals) final(res *sip.Response, latency time.Duration) {
	if aliveStatus(res.StatusCode) {
		v.answered(latency)
		return
	}
	v.miss(&statusError{res.StatusCode, statusLine(res)})
}

// unanswered: a challenge was not answered. Only where it refused us does that say something about the trunk.
func (v *vitals) unanswered(err error) {
	v.change(func() {
		if auth, ok := errors.AsType[*AuthError](err); ok && auth.Refused {
			v.failLocked(err)
		}
	})
}

// registered keeps what the registrar granted.
func (v *vitals) registered(contact string, r Registration) {
	v.change(func() {
		v.once, v.bound = true, contact
		v.health.Registration = r
	})
}

// elsewhere: it is another gateway's turn to register. Calls over the trunk need no registration of ours then.
func (v *vitals) elsewhere() {
	v.change(func() {
		v.bound, v.health.Registration = "", Registration{Wanted: true, Elsewhere: true}
	})
}

// contact is what is registered, as host:port; "" while nothing is.
func (v *vitals) contact() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.bound
}

// unregistered: an attempt failed, or the binding is lost. What was granted before lasts until its time where lost is false.
func (v *vitals) unregistered(err error, refused, lost bool) {
	v.change(func() {
		r := &v.health.Registration
		r.Failure, r.Refused, r.Elsewhere = err.Error(), refused, false
		if lost || refused {
			r.Until, r.Granted, r.Contact, r.Foreign, v.bound = time.Time{}, 0, "", nil, ""
		}
		v.failLocked(err)
	})
}

func (v *vitals) failLocked(err error) {
	v.health.Failure, v.health.FailedAt = err.Error(), v.now()
}

// change applies something that was learned, and tells if the verdict is another one now.
func (v *vitals) change(learn func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	learn()
	v.judgeLocked()
	h, o := v.health, v.observed
	if h.State == o.State && h.Reason == o.Reason && h.RestUntil.Equal(o.RestUntil) && h.Registration.Until.Equal(o.Registration.Until) &&
		h.Registration.Elsewhere == o.Registration.Elsewhere {
		return
	}
	v.observed = h
	select {
	case <-v.changed: // nobody has read it
	default:
	}
	v.changed <- h // there is room: only this lock fills it
}

// judgeLocked gives the verdict.
func (v *vitals) judgeLocked() {
	h := &v.health
	state, reason := StateUnknown, DownReason("")
	r := &h.Registration
	h.RestUntil = v.rests()
	wanted := r.Wanted && !r.Elsewhere
	switch registered := r.Registered(v.now()); {
	case !h.RestUntil.IsZero():
		state, reason = StateDown, DownCredentials
	case wanted && r.Refused && !registered:
		state, reason = StateDown, DownRefused
	case v.misses >= missesDown:
		state, reason = StateDown, v.missed
	case wanted && !registered && v.once:
		state, reason = StateDown, DownNotRegistered
	case v.heard && (!wanted || registered):
		state = StateUp
	}
	if state != h.State {
		h.Since = v.now()
	}
	h.State, h.Reason = state, reason
}

// statusError is a final response that says that the trunk is not to be had.
type statusError struct {
	status int
	line   string
}

func (e *statusError) Error() string { return "answered " + e.line }

func missReason(err error) DownReason {
	if _, ok := errors.AsType[*statusError](err); ok {
		return DownStatus
	}
	if _, ok := errors.AsType[*SendError](err); ok || errors.Is(err, sip.ErrTransactionTransport) {
		return DownTransport
	}
	return DownNoAnswer
}

// aliveStatus tells whether a final status says that the trunk is there.
func aliveStatus(status int) bool { return status >= 200 && status != 408 && status != 503 }

// noAnswer puts the deadline of a request that nobody answered into words, if that is not done yet.
func noAnswer(what string, err error) error {
	if _, said := errors.AsType[*silence](err); said {
		return err
	}
	if isTimeout(err) {
		return fmt.Errorf("no answer to %s", what)
	}
	return fmt.Errorf("%s: %w", what, err)
}
