package lease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Work is what a gateway does while it lives.
type Work interface {
	// Hold lets nothing begin: nobody knows whether the others still take this gateway for alive. What has begun goes on.
	Hold()
	// Fence gives everything up at once: the others go on with it.
	Fence(cause error)
	// Join goes on after a Hold, or, after a Fence, as another gateway.
	Join(id string)
}

// Config is how fast a death is noticed.
type Config struct {
	TTL  time.Duration // without a beat for so long a gateway is dead
	Beat time.Duration // between beats; a few of them fit in TTL
}

// Usual is a takeover within four seconds. Others are looked at with every beat, so a whole number of beats is a little more
// than the TTL: where it were the same, a tick that comes a moment early would cost one beat more.
func Usual() Config { return Config{TTL: 3 * time.Second, Beat: 520 * time.Millisecond} }

// Env is what the lease takes from outside.
type Env struct {
	Now   func() time.Time // with its monotonic reading
	NewID func() (string, error)
	Log   *slog.Logger
}

// Lease is one gateway's life. Its methods are for one goroutine after another.
type Lease struct {
	cfg      Config
	env      Env
	self     Self
	register Register
	work     Work
	watch    *watch
	turns    *turns // nil = there is nothing to take turns at

	good time.Time // when the last beat that succeeded was sent
	held bool
}

var errTaken = errors.New("the others took this gateway for dead")

// New returns a lease that has not been entered yet. self.ID is made here.
func New(self Self, register Register, peers Peers, work Work, cfg Config, env Env) (*Lease, error) {
	l := &Lease{cfg: cfg, env: env, self: self, register: register, work: work}
	l.watch = newWatch(peers, cfg, env)
	var err error
	if l.self.ID, err = env.NewID(); err != nil {
		return nil, fmt.Errorf("name the gateway's process: %w", err)
	}
	return l, nil
}

// Enter begins the gateway's row, before its first page.
func (l *Lease) Enter(ctx context.Context) error {
	began := l.env.Now()
	if err := l.register.Enter(ctx, l.self); err != nil {
		return fmt.Errorf("enter as gateway %s: %w", l.self.Name, err)
	}
	l.good = began
	l.turns.beat(l.self.ID, began)
	l.watch.forget()
	l.work.Join(l.self.ID)
	l.contend(ctx)
	return nil
}

// Run beats until ctx is done, which is after the last page has ended or was handed over, and takes the row out then.
func (l *Lease) Run(ctx context.Context) error {
	tick := time.NewTicker(l.cfg.Beat)
	defer tick.Stop()
	suspicion := time.NewTimer(l.cfg.TTL) // whoever is dead is not left waiting for the next beat
	defer suspicion.Stop()
	for {
		select {
		case <-tick.C:
			l.beat(ctx)
			suspicion.Reset(l.watch.left())
		case <-suspicion.C:
			l.beat(ctx)
			suspicion.Reset(l.watch.left())
		case <-ctx.Done():
			l.turns.drop() // they are free with the row
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.patience())
			defer cancel()
			if err := l.register.Leave(last, l.self.ID); err != nil {
				l.env.Log.Warn("gateway could not sign off: the others notice by themselves", "gateway", l.self.Name, "err", err)
			}
			return nil
		}
	}
}

// patience is how long one beat may take. A register that hangs is as good as none.
func (l *Lease) patience() time.Duration { return l.cfg.TTL / 3 }

// beat says once that the gateway lives, and looks after the others if it does.
func (l *Lease) beat(ctx context.Context) {
	began := l.env.Now()
	ask, cancel := context.WithTimeout(ctx, l.patience())
	alive, err := l.register.Beat(ask, l.self.ID)
	cancel()
	switch {
	case ctx.Err() != nil:
	case err != nil:
		l.watch.forget() // a silence that we may have caused ourselves proves nothing
		l.lost(err)
	case !alive:
		l.fenced(ctx)
	default:
		l.good = began
		l.turns.beat(l.self.ID, began)
		if l.held {
			l.held = false
			l.env.Log.Info("gateway says again that it lives", "gateway", l.self.Name)
			l.work.Join(l.self.ID)
			l.turns.sure()
		}
		l.watch.look(ctx, l.self)
		l.contend(ctx)
	}
}

// contend takes the turns of whoever has just been found dead, or has given them up.
func (l *Lease) contend(ctx context.Context) {
	ask, cancel := context.WithTimeout(ctx, l.patience())
	defer cancel()
	l.turns.contend(ask, l.self.ID)
}

// lost holds the work when the others may take this gateway for dead. The register may be down for all of them, so nothing is
// given up: whoever takes over rings no phone before it is surely quiet.
func (l *Lease) lost(err error) {
	if l.held || l.env.Now().Sub(l.good) < l.cfg.TTL {
		return
	}
	l.held = true
	l.env.Log.Error("gateway cannot say that it lives: calls go on, nothing begins", "gateway", l.self.Name, "err", err)
	l.work.Hold()
}

// fenced gives up and begins anew, as another process would.
func (l *Lease) fenced(ctx context.Context) {
	l.turns.drop()
	l.work.Fence(errTaken)
	l.held = true
	id, err := l.env.NewID()
	if err == nil {
		l.self.ID = id
		ask, cancel := context.WithTimeout(ctx, l.patience())
		defer cancel()
		err = l.Enter(ask)
	}
	if err != nil { // the next beat finds no row, and comes here again
		l.env.Log.Error("gateway cannot begin anew, trying again", "gateway", l.self.Name, "err", err)
		return
	}
	l.held = false
	l.env.Log.Info("gateway begins anew", "gateway", l.self.Name, "id", l.self.ID)
}
