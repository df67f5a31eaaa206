package directory

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"telgate"
	"telgate/directory/feed"
)

// Source is where a group or rota gets its people from, beside the configuration. The zero Source is none.
type Source struct {
	Address    string // an http(s) URL, a file or a folder
	Format     string // "ical", "json", "csv", "toml", "" = by the address
	Token      string
	Refresh    time.Duration
	StaleAfter time.Duration
}

// feed makes the source of a roster, if it has any.
func (d *Directory) feed(r *roster, path string, s Source) []telgate.Fault {
	if s.Address == "" {
		return nil
	}
	var err error
	r.feed, err = feed.New(feed.Config{
		Name: path, Address: s.Address, Kind: feed.Kind(s.Format), Token: s.Token, Refresh: s.Refresh, StaleAfter: s.StaleAfter, Zone: r.zone,
	}, feed.Env{
		Now: d.env.Now, Jitter: d.env.Jitter, HTTP: d.env.HTTP, TOML: d.env.TOML, Find: d.Find, Copies: d.env.Copies, Keeps: d.env.Keeps, Log: d.env.Log,
	})
	if err != nil {
		return []telgate.Fault{{Path: path + ".source", Message: err.Error()}}
	}
	return nil
}

// Find is whom a word of a source means: besides what Resolve knows, a Slack id, an e-mail address, or a full name.
func (d *Directory) Find(word string) (feed.Found, bool) {
	e, err := d.somebody(word)
	if err == nil {
		return feed.Found{Title: d.title(e), Person: e.person()}, true
	}
	i, ok := d.slack[word]
	if !ok {
		i, ok = d.names[fold(word)]
	}
	if !ok || i < 0 {
		return feed.Found{}, false
	}
	return feed.Found{Title: d.people[i].Nick, Person: true}, true
}

// complete puts the system's own where nothing was given.
func (e Env) complete() Env {
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.Rand == nil {
		e.Rand = rand.Reader
	}
	if e.Covers == nil {
		e.Covers = NewCoverBook("")
	}
	if e.Log == nil {
		e.Log = slog.New(slog.DiscardHandler)
	}
	return e
}

// Load takes up what was kept before: the sources' last good copies, and covers. An error tells what could not be had; the
// rest is there.
func (d *Directory) Load(ctx context.Context) error {
	err := d.readCovers(ctx)
	for _, f := range d.feeds() {
		err = errors.Join(err, f.Load())
	}
	return err
}

func (d *Directory) feeds() []*feed.Feed {
	var all []*feed.Feed
	for _, r := range d.rosters {
		if r.feed != nil {
			all = append(all, r.feed)
		}
	}
	return all
}

// Refresh reads every source once, side by side. What went wrong is in [Directory.Sources].
func (d *Directory) Refresh(ctx context.Context) {
	var reading sync.WaitGroup
	for _, f := range d.feeds() {
		reading.Go(func() { _ = f.Refresh(ctx) }) // its state has the error
	}
	reading.Wait()
}

// coversEvery is how often covers are read again: another gateway may have been told of one.
const coversEvery = time.Second

// Run reads sources and covers again and again until ctx is done.
func (d *Directory) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	for _, f := range d.feeds() {
		parts.Go(func() { f.Run(ctx) })
	}
	defer parts.Wait()
	again := time.NewTicker(coversEvery)
	defer again.Stop()
	broken := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
		err := d.readCovers(ctx)
		if err != nil && !broken && ctx.Err() == nil {
			d.env.Log.WarnContext(ctx, "covers cannot be read; those known are used", "err", err)
		}
		broken = err != nil
	}
}

// Sources is how each source stands.
func (d *Directory) Sources() []telgate.SourceState {
	var all []telgate.SourceState
	for _, r := range d.rosters {
		if r.feed == nil {
			continue
		}
		s := r.feed.State()
		all = append(all, telgate.SourceState{
			Of: fmt.Sprintf("%ss.%s", r.kind, r.nick), From: s.From, Fetched: s.Fetched, Stale: s.Stale, Problem: s.Problem, Notes: s.Notes,
		})
	}
	return all
}
