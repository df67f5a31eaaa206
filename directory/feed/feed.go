// Package feed keeps lists of people that live elsewhere: an iCalendar, a JSON document or a CSV, by HTTP or in a file, or a
// folder of TOML files. Each [Feed] is read again on a timer, keeps the last good copy across a restart, and never gives up
// what it has for an answer that cannot be read or that is empty.
//
// It does not know who the people are; whoever makes a Feed says so with [Env.Find].
package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"telgate/directory/rota"
)

// Kind is how a source is written.
type Kind string

// The kinds.
const (
	Calendar Kind = "ical"
	JSON     Kind = "json"
	CSV      Kind = "csv"
	TOML     Kind = "toml" // a folder of files
)

// Config is one source.
type Config struct {
	Name       string         // what it fills, "rotas.ops": in logs, and of its copy
	Address    string         // an http(s) URL or a path; never logged whole
	Kind       Kind           // "" = by the address: .ics, .json, .csv, else a folder of TOML
	Token      string         // sent as "Authorization: Bearer", "" = none
	Refresh    time.Duration  // 0 = 5 minutes
	StaleAfter time.Duration  // 0 = a day
	Zone       *time.Location // of times that are written without one
}

// Env is what a feed takes from outside.
type Env struct {
	Now    func() time.Time
	Jitter func(time.Duration) time.Duration // spreads the refreshes of several gateways; nil = none
	HTTP   *http.Client
	TOML   func(text string) (map[string]any, error)
	Find   func(word string) (Found, bool)
	Copies string // the directory of last good copies, "" = there are none
	Keeps  bool   // they are written, too
	Log    *slog.Logger
}

// Found is whom a word of a source means.
type Found struct {
	Title  string
	Person bool // false: a group or rota
}

// State is how a source stands.
type State struct {
	Content
	From    string    // the source, without what may be a password in its address
	Fetched time.Time // when what we have was last seen to be true; zero: we have nothing
	Stale   bool
	Problem string // why the last attempt failed, "" if it did not
}

// limits of one attempt.
const (
	timeout = 20 * time.Second
	largest = 4 << 20 // bytes
)

// Feed is one source. Its methods are safe for concurrent use.
type Feed struct {
	cfg    Config
	env    Env
	reader reader

	refreshing sync.Mutex // one attempt at a time

	mu      sync.Mutex
	copied  copied
	content Content
	problem string
	told    told
}

// told is what the log was told already; only Run knows.
type told struct {
	problem, stale bool
	notes          string
}

// New checks a source's address; nothing is read yet.
func New(cfg Config, env Env) (*Feed, error) {
	if cfg.Kind == "" {
		cfg.Kind = kindOf(cfg.Address)
	}
	cfg.Refresh, cfg.StaleAfter = cmp.Or(cfg.Refresh, 5*time.Minute), cmp.Or(cfg.StaleAfter, 24*time.Hour)
	r, err := newReader(cfg, env.HTTP)
	if err != nil {
		return nil, err
	}
	return &Feed{cfg: cfg, env: env, reader: r}, nil
}

// Load takes up the last good copy, if there is one for this address.
func (f *Feed) Load() error {
	if f.env.Copies == "" {
		return nil
	}
	c, err := readCopy(f.env.Copies, f.cfg)
	if err != nil || c.at.IsZero() {
		return err
	}
	content, err := f.decode(c)
	if err != nil {
		return fmt.Errorf("the last good copy of %s: %w", f.reader, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.copied, f.content = c, content
	return nil
}

// Refresh reads the source once. Its error says why what we had stays.
func (f *Feed) Refresh(ctx context.Context) error {
	f.refreshing.Lock()
	defer f.refreshing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	f.mu.Lock()
	had := f.copied
	f.mu.Unlock()
	next, err := f.reader.read(ctx, had)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("gives no whole answer in time")
	}
	if err == nil {
		err = f.take(had, next)
	} else {
		f.again(had) // time goes on: repeated events of the calendar are laid out further
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.problem = ""
	if err != nil {
		f.problem = err.Error()
	}
	return err
}

// take uses an answer if it may replace what there is, and keeps it.
func (f *Feed) take(had, next copied) error {
	next.at, next.Source = f.env.Now(), digest(f.cfg.Address)
	content, err := f.decode(next)
	f.mu.Lock()
	before := f.content.Entries
	f.mu.Unlock()
	switch {
	case err != nil:
		f.again(had)
		return err
	case content.Entries == 0 && before > 0:
		f.again(had)
		return fmt.Errorf("names nobody we know any more (before: %d); what it said before is kept. If that is meant, take the source out of the configuration", before)
	}
	f.mu.Lock()
	f.copied, f.content = next, content
	f.mu.Unlock()
	if f.env.Copies == "" || !f.env.Keeps {
		return nil
	}
	return writeCopy(f.env.Copies, f.cfg, had, next)
}

// again lays out what there is for today.
func (f *Feed) again(had copied) {
	if had.at.IsZero() {
		return
	}
	if content, err := f.decode(had); err == nil {
		f.mu.Lock()
		f.content = content
		f.mu.Unlock()
	}
}

// State is how the source stands.
func (f *Feed) State() State {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := State{Content: f.content, From: f.reader.String(), Fetched: f.copied.at, Problem: f.problem}
	s.Stale = !s.Fetched.IsZero() && f.env.Now().Sub(s.Fetched) > f.cfg.StaleAfter
	return s
}

// Run refreshes until ctx is done. What goes wrong is logged when it begins and when it is over.
func (f *Feed) Run(ctx context.Context) {
	for {
		err := f.Refresh(ctx)
		if ctx.Err() != nil {
			return
		}
		f.tell(ctx, err)
		wait := f.cfg.Refresh
		if f.env.Jitter != nil {
			wait = f.env.Jitter(wait)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (f *Feed) tell(ctx context.Context, err error) {
	s := f.State()
	log := f.env.Log.With("source", f.cfg.Name, "from", s.From)
	switch {
	case err != nil && !f.told.problem:
		log.WarnContext(ctx, "source has a problem; what it last said is used", "err", err, "copy", s.Fetched)
	case err == nil && f.told.problem:
		log.InfoContext(ctx, "source is well again")
	}
	if s.Stale && !f.told.stale {
		log.WarnContext(ctx, "source is stale", "copy", s.Fetched)
	}
	notes := strings.Join(s.Notes, "; ")
	if notes != "" && notes != f.told.notes {
		log.WarnContext(ctx, "not all of a source can be used", "notes", notes)
	}
	f.told = told{problem: err != nil, stale: s.Stale, notes: notes}
}

// At is who the source says is on call at a moment: those it always names, and those whose shift it is.
func (c Content) At(t time.Time) rota.Turn {
	turn := rota.Turn{Who: c.Always}
	if c.shifts != nil {
		turn = c.shifts.At(t)
		turn.Who = append(append([]string(nil), c.Always...), turn.Who...)
	}
	return turn
}
