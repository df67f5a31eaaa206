// Package pager runs pages: it accepts a request, has the numbers of its plan rung one after another, and keeps what came
// of it.
//
// One goroutine owns one page from acceptance to its end, or until another gateway goes on with it; everybody else sends it
// messages. What comes next and over which trunk is decided by package plan, calls are made by a [Caller]. Pages are kept
// by a [Ledger], which is asked before a page and before each call; nothing else waits for it. The package knows no SIP, no
// Slack and no files, and it calls nobody back: whoever wants to know reads [Pager.Changed] or [Pager.Follow].
package pager

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"telgate"
	"telgate/plan"
)

// Config is how pages are run.
type Config struct {
	Policy    telgate.Policy
	Plan      plan.Policy
	Dialer    plan.Dialer
	Trunks    []plan.Trunk  // in order
	Setup     time.Duration // how long a call may take until the phone rings
	Language  string        // of people who have none
	Prompt    string
	Confirm   telgate.Confirm
	PerNumber int // calls to one number an hour, 0 = no limit
	PerAsker  int // pages by one asker an hour, 0 = no limit

	Storm  int           // pages for one person within Within, after which requests for them join one that runs; 0 = never
	Within time.Duration // of Storm
}

// Env is what the pager takes from outside.
type Env struct {
	Now      func() time.Time
	Rand     io.Reader
	Log      *slog.Logger
	Gateway  string // this process among the gateways that share the ledger, never used before; "" = there are no others
	HandOver bool   // the ledger outlives this process: pages whose gateway stops are left for the next one, not cancelled

	Brake  Brake  // the kill switch; nil = there is none
	Reaper Reaper // nil = calls of gateways that died are left to their ring time

	// News names pages that something happened to; it saves waiting for the next look. nil = none.
	News func(context.Context) <-chan telgate.PageID
}

// Pager runs pages. Its methods are safe for concurrent use.
type Pager struct {
	conf   atomic.Pointer[Config]
	env    Env
	caller Caller
	people Directory
	books  Books
	phones *phones
	trunks *trunks
	lines  *lines
	doubts *doubts
	rung   *rung
	backs  chan struct{} // incoming calls that are looked into
	watch  *watchers
	mutes  mutes
	lease  standing

	mu       sync.Mutex
	ctx      context.Context //nolint:containedctx // the life of every page, given by Start; set once
	stop     context.CancelCauseFunc
	draining bool
	running  map[telgate.PageID]*run
	past     past
	work     sync.WaitGroup // pages, their calls, and who asks for them
	sweeping sync.WaitGroup
	look     chan struct{} // look for messages and pages now
}

// New returns a Pager that accepts nothing before it runs.
func New(cfg Config, caller Caller, people Directory, books Books, env Env) *Pager {
	p := &Pager{
		env: env, caller: caller, people: people, books: books, lease: standing{gateway: cmp.Or(env.Gateway, "alone")},
		phones: newPhones(), trunks: &trunks{health: map[string]plan.Health{}}, watch: newWatchers(),
		lines: newLines(cfg.Trunks, env.Now), doubts: newDoubts(), rung: newRung(), backs: make(chan struct{}, mostBack),
		mutes: mutes{now: env.Now}, running: map[telgate.PageID]*run{}, past: newPast(), look: make(chan struct{}, 1),
	}
	p.conf.Store(&cfg)
	return p
}

// Start lets pages be accepted, and goes on with those that nobody owns, until ctx is done; then calls are hung up, and
// [Pager.Drain] waits for their end.
func (p *Pager) Start(ctx context.Context) { //nolint:contextcheck // pages outlive what they were started with
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ctx, p.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { p.stop(&telgate.StopCause{Why: telgate.StopGateway}) })
	sweeps := p.ctx
	p.sweeping.Go(func() { p.sweep(sweeps) })
}

// Run accepts pages until ctx is done, hangs up what is in progress then, and returns when every page has ended or was
// handed over.
func (p *Pager) Run(ctx context.Context) error {
	p.Start(ctx)
	<-ctx.Done()
	p.refuseNew()
	p.work.Wait()
	p.sweeping.Wait()
	return nil
}

// Drain accepts no more pages and begins no more steps; it returns when the calls in progress have ended, or ctx is done.
// A page without a call in progress ends at once, or, with HandOver, is left for the next gateway.
func (p *Pager) Drain(ctx context.Context) {
	p.refuseNew()
	p.mu.Lock()
	for _, r := range p.running {
		r.drain()
	}
	stopped := p.ctx != nil && p.ctx.Err() != nil
	p.mu.Unlock()
	over := make(chan struct{})
	go func() {
		p.work.Wait()
		if stopped {
			p.sweeping.Wait()
		}
		close(over)
	}()
	select {
	case <-over:
	case <-ctx.Done():
	}
}

func (p *Pager) refuseNew() {
	p.mu.Lock()
	p.draining = true
	p.mu.Unlock()
}

// enter counts as work until work.Done; false where no work is begun any more.
func (p *Pager) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx == nil || p.draining || p.ctx.Err() != nil {
		return false
	}
	p.work.Add(1)
	return true
}

// TrunkStands takes what a trunk's own signalling, its probes and registration, says of it. It orders trunks from the next
// step on, and forbids none.
func (p *Pager) TrunkStands(trunk string, s plan.Standing) { p.trunks.stands(trunk, s) }
