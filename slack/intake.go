package slack

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// seenFor is how long a repeated delivery is recognised: Slack repeats at once, after a minute and after five, and
	// others have seen ten.
	seenFor = 15 * time.Minute
	seenMax = 20000 // keys remembered; beyond that the oldest go first
	// outstandingMax is how many deliveries may wait for an answer; a gateway that far behind says so.
	outstandingMax = 256
)

// delivery is one thing somebody did in Slack, however it came. Exactly one of command and click is set.
type delivery struct {
	keys    []string // any of them seen before makes it a repetition
	command *command
	click   *click
	done    chan struct{} // closed when it was carried out; made by accept
}

func (d delivery) user() string {
	if d.click != nil {
		return d.click.User
	}
	return d.command.User
}

// key is the name of the request in this delivery: the same for every repetition, so that its effect happens once even
// where the repetition was not recognised here.
func (d delivery) key() string {
	if len(d.keys) == 0 {
		return ""
	}
	return "slack " + d.keys[0]
}

// sight is when a delivery came first, and what is closed when it was carried out.
type sight struct {
	at   time.Time
	done <-chan struct{}
}

// verdict is what the intake made of a delivery. Whatever it is, the delivery is acknowledged.
type verdict int

const (
	taken    verdict = iota
	repeated         // it was taken before
	busy             // too many are waiting: not taken
	stopping         // the gateway stops: not taken
)

// ackPatience is how long an acknowledgement waits for what was asked to be done: a page that Slack has heard about is a
// page that is kept. Slack itself waits 3 s; who asks is answered by then in any case. A gateway that is so far behind that it
// acknowledges what it has not done yet must not die before it has.
const ackPatience = 2500 * time.Millisecond

// intake takes deliveries from all transports. accept never blocks; run works them off, those of one user in order.
type intake struct {
	now    func() time.Time
	log    *slog.Logger
	handle func(context.Context, delivery)
	work   chan delivery

	mu          sync.Mutex
	seen        map[string]sight
	order       []string // of seen, oldest first
	outstanding int
	closed      bool
	idle        chan struct{} // closed when outstanding falls to 0; nil while nobody waits
}

func newIntake(now func() time.Time, log *slog.Logger, handle func(context.Context, delivery)) *intake {
	return &intake{now: now, log: log, handle: handle, work: make(chan delivery, outstandingMax), seen: map[string]sight{}}
}

// accept takes a delivery unless it is a repetition or cannot be taken. It does not wait for anything. done is closed when
// the delivery was carried out, the first time where this is a repetition; nil where it was not taken.
func (in *intake) accept(d delivery) (v verdict, done <-chan struct{}) {
	in.mu.Lock()
	defer in.mu.Unlock()
	now := in.now()
	in.forget(now)
	for _, k := range d.keys {
		if first, known := in.seen[k]; known {
			return repeated, first.done
		}
	}
	if in.closed && d.command != nil { // a click, such as Hang up, is good to the last moment
		return stopping, nil
	}
	if in.outstanding >= outstandingMax {
		return busy, nil
	}
	d.done = make(chan struct{})
	for _, k := range d.keys {
		in.seen[k] = sight{now, d.done}
		in.order = append(in.order, k)
	}
	in.outstanding++
	in.work <- d // has room for every outstanding delivery
	return taken, d.done
}

func (in *intake) forget(now time.Time) {
	for len(in.order) > 0 && (len(in.order) > seenMax || now.Sub(in.seen[in.order[0]].at) >= seenFor) {
		delete(in.seen, in.order[0])
		in.order = in.order[1:]
	}
}

// run works deliveries off until ctx is done and the ones in work have returned.
func (in *intake) run(ctx context.Context) {
	queues := map[string][]delivery{} // by user; an entry exists while one of theirs is in work
	done := make(chan string)
	var working sync.WaitGroup
	defer working.Wait()
	start := func(d delivery) {
		working.Go(func() {
			in.one(ctx, d)
			select {
			case done <- d.user():
			case <-ctx.Done():
			}
		})
	}
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-in.work:
			if q, working := queues[d.user()]; working {
				queues[d.user()] = append(q, d)
				continue
			}
			queues[d.user()] = nil
			start(d)
		case user := <-done:
			q := queues[user]
			if len(q) == 0 {
				delete(queues, user)
				continue
			}
			queues[user] = q[1:]
			start(q[0])
		}
	}
}

// one handles a delivery. A panic in it must not end the calls in progress: it is logged and costs that delivery.
func (in *intake) one(ctx context.Context, d delivery) {
	defer in.finished()
	defer close(d.done)
	defer func() {
		if p := recover(); p != nil {
			in.log.ErrorContext(ctx, "slack delivery panicked", "panic", p, "key", d.key())
		}
	}()
	in.handle(ctx, d)
}

func (in *intake) finished() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.outstanding--
	if in.outstanding == 0 && in.idle != nil {
		close(in.idle)
		in.idle = nil
	}
}

// close refuses commands from now on.
func (in *intake) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
}

// drain waits until nothing is in work any more, or the time is over.
func (in *intake) drain(limit time.Duration) {
	in.mu.Lock()
	if in.outstanding == 0 {
		in.mu.Unlock()
		return
	}
	if in.idle == nil {
		in.idle = make(chan struct{})
	}
	idle := in.idle
	in.mu.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}
