// Package pager runs pages: it accepts a request, has the numbers of its plan rung one after another, and keeps what came
// of it.
//
// One goroutine owns one page from acceptance to its end; everybody else sends it messages. What comes next and over
// which trunk is decided by package plan, calls are made by a [Caller], pages are kept by a [Journal]. The package knows
// no SIP, no Slack and no files, and it calls nobody back: whoever wants to know reads [Pager.Changed] or
// [Pager.Follow].
package pager

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"telgate"
	"telgate/plan"
)

// Config is how pages are run.
type Config struct {
	Policy    telgate.Policy
	Plan      plan.Policy
	Dialer    plan.Dialer
	Trunks    []plan.Trunk // in order
	Language  string       // of people who have none
	Prompt    string
	Confirm   telgate.Confirm
	PerNumber int // calls to one number an hour, 0 = no limit
	PerAsker  int // pages by one asker an hour, 0 = no limit
}

// Env is what the pager takes from outside.
type Env struct {
	Now  func() time.Time
	Rand io.Reader
	Log  *slog.Logger
}

// Pager runs pages. Its methods are safe for concurrent use.
type Pager struct {
	cfg     Config
	env     Env
	caller  Caller
	people  Directory
	journal Journal
	phones  *phones
	trunks  *trunks
	lines   *lines
	doubts  *doubts
	rung    *rung
	askers  *window
	watch   *watchers

	intake chan struct{} // one request is accepted after another

	mu       sync.Mutex
	ctx      context.Context //nolint:containedctx // the life of every page, given by Run
	stop     context.CancelCauseFunc
	draining bool
	running  map[telgate.PageID]*run
	answers  map[string]answer // by idempotency key
	work     sync.WaitGroup
}

// answer is what a request with this key was told.
type answer struct {
	receipt telgate.Receipt
	at      time.Time
}

// answerLife is how long a repeated request is recognised: Slack repeats deliveries for minutes.
const answerLife = 15 * time.Minute

// New returns a Pager that accepts nothing before it runs.
func New(cfg Config, caller Caller, people Directory, journal Journal, env Env) *Pager {
	return &Pager{
		cfg: cfg, env: env, caller: caller, people: people, journal: journal,
		phones: newPhones(cfg.PerNumber, env.Now), trunks: &trunks{health: map[string]plan.Health{}},
		askers: newWindow(cfg.PerAsker, env.Now), watch: newWatchers(), intake: make(chan struct{}, 1),
		lines: newLines(cfg.Trunks, env.Now), doubts: newDoubts(), rung: newRung(),
		running: map[telgate.PageID]*run{}, answers: map[string]answer{},
	}
}

// Start lets pages be accepted until ctx is done; then calls are hung up, and [Pager.Drain] waits for their end.
func (p *Pager) Start(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ctx, p.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { p.stop(&telgate.StopCause{Why: telgate.StopGateway}) })
}

// Run accepts pages until ctx is done, hangs up what is in progress then, and returns when every page has ended.
func (p *Pager) Run(ctx context.Context) error {
	p.Start(ctx)
	<-ctx.Done()
	p.refuseNew()
	p.work.Wait()
	return nil
}

// Drain accepts no more pages and begins no more steps; it returns when the calls in progress have ended, or ctx is done.
func (p *Pager) Drain(ctx context.Context) {
	p.refuseNew()
	p.mu.Lock()
	for _, r := range p.running {
		r.drain()
	}
	p.mu.Unlock()
	over := make(chan struct{})
	go func() { p.work.Wait(); close(over) }()
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

// Page is the newest state of a page.
func (p *Pager) Page(id telgate.PageID) (telgate.Page, bool) { return p.journal.Load(id) }

// Pages are the running and the recent pages, newest first.
func (p *Pager) Pages() []telgate.Page { return p.journal.All() }

// TrunkStands takes what a trunk's own signalling, its probes and registration, says of it. It orders trunks from the next
// step on, and forbids none.
func (p *Pager) TrunkStands(trunk string, s plan.Standing) { p.trunks.stands(trunk, s) }

// Changed tells which pages have changed, merged where the reader is slow; it is closed when ctx is done.
func (p *Pager) Changed(ctx context.Context) <-chan telgate.PageID { return p.watch.changed(ctx) }

// Follow gives every event of a page from its first on, and is closed after page_ended, or when ctx is done. Of a page that ended
// long ago nothing is kept but its last state.
func (p *Pager) Follow(ctx context.Context, id telgate.PageID) <-chan telgate.Event {
	if page, ok := p.journal.Load(id); ok && page.State == telgate.PageEnded && !p.watch.keeps(id) {
		none := make(chan telgate.Event)
		close(none)
		return none
	}
	return p.watch.follow(ctx, id)
}
