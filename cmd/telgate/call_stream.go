package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"telgate"
	"telgate/config"
	"telgate/pager"
	"telgate/store"
	"telgate/web"
	"telgate/web/client"
)

// told is what the stream brings: an event, or a word about the stream itself.
type told struct {
	event telgate.Event
	raw   []byte
	say   string
}

// lastGrace is what a page may take beyond its own limits: a gateway that died is noticed, its pages are taken over.
const lastGrace = time.Minute

// longest is how long a page may live, as far as the configuration here tells: its limit, and one call that began before.
func (a *app) longest() time.Duration {
	calls := config.Default().Calls
	if a.cli.Server == "" {
		if cfg, err := a.readConfig(true); err == nil {
			calls = cfg.Calls
		}
	}
	return calls.PageLimit + calls.Setup + calls.Ring + calls.MaxDuration + lastGrace
}

// stream brings the page's events in order, each once, whatever becomes of the connection and of the gateway: as long as the page
// may live somebody who can tell is looked for. It returns when the page has ended, with an error where nobody tells how it
// goes on.
func (w *watch) stream(ctx context.Context, news chan<- told) error {
	r := &reader{
		watch: w, news: news, began: w.app.env.now(), pause: backFirst,
		form: client.Form{Numbers: w.app.cli.ShowNumbers, Trace: w.view.look.traces()},
	}
	defer r.close()
	for {
		err := w.gateway.Events(ctx, w.page, r.seq, r.form, func(line []byte) error { return r.take(ctx, line) })
		if r.over || ctx.Err() != nil {
			return nil //nolint:nilerr // the page has ended, or nobody watches any more
		}
		if e, ok := errors.AsType[*web.Error](err); ok && e.Reason != web.ReasonInternal && e.Reason != telgate.RefusedNotReady {
			return fmt.Errorf("the gateway does not know how page %s goes on: %w", w.page, e)
		}
		if !r.lost {
			r.lost = true
			_ = r.tell(ctx, told{say: "the gateway is gone; waiting for it to come back and go on with page " + string(w.page)}) // ctx is asked below
		}
		r.besides(ctx)
		if r.over {
			return nil
		}
		if w.app.env.now().Sub(r.began) > w.longest {
			return fmt.Errorf("nobody can be asked how page %s went: telgate history %s shows it when a gateway or its store answers, and its card does", w.page, w.page)
		}
		if !rest(ctx, r.pause) {
			return nil
		}
		r.pause = min(2*r.pause, backMost)
	}
}

// reader is how far a page was read.
type reader struct {
	watch   *watch
	news    chan<- told
	form    client.Form
	account pager.Account // of what was read: after a change of gateways some of it comes twice
	seq     int           // of the last event
	over    bool          // it was the page's last
	lost    bool          // the gateway is
	began   time.Time
	pause   time.Duration // before the next try
	store   *store.Store  // while no gateway runs here; nil where it is not read
	shared  bool          // it was said that the store is read
}

// take reads one event of the gateway's.
func (r *reader) take(ctx context.Context, line []byte) error {
	ev, err := telgate.ParseEvent(line)
	if err != nil {
		return err
	}
	if r.lost {
		r.lost, r.pause = false, backFirst
		r.close()
		if err := r.tell(ctx, told{say: "the gateway is back"}); err != nil {
			return err
		}
	}
	return r.pass(ctx, ev, bytes.Clone(line))
}

// pass passes an event on that is news.
func (r *reader) pass(ctx context.Context, ev telgate.Event, raw []byte) error {
	r.seq, r.over = max(r.seq, ev.Seq), ev.Kind == telgate.EventPageEnded
	if !r.account.Take(&ev) {
		return nil
	}
	return r.tell(ctx, told{event: ev, raw: raw})
}

// besides looks into a store that gateways share, while none runs here: another one goes on with the page.
func (r *reader) besides(ctx context.Context) {
	if r.store == nil && !r.open(ctx) {
		return
	}
	page, err := r.store.Page(ctx, r.watch.page)
	if err != nil || page == nil {
		r.close() // it is tried anew
		return
	}
	for _, ev := range r.account.Missing(page, r.seq, r.watch.app.env.now()) {
		raw := ev.JSON(r.form.Numbers)
		if r.form.Trace {
			raw = ev.TracedJSON(r.form.Numbers)
		}
		if r.tell(ctx, told{event: *ev, raw: raw}) != nil {
			return
		}
		r.seq, r.over = ev.Seq, ev.Kind == telgate.EventPageEnded
	}
}

// open opens the store, where it is one that gateways share and no gateway runs on this machine.
func (r *reader) open(ctx context.Context) bool {
	a := r.watch.app
	if a.cli.Server != "" {
		return false
	}
	cfg, err := a.readConfig(true)
	if err != nil || missing(cfg, "store") || !strings.HasPrefix(cfg.Store.URL.Reveal(), "postgres") {
		return false
	}
	if running, err := gatewayRuns(a.stateDir(cfg)); running || err != nil {
		return false
	}
	if r.store, err = store.Read(ctx, cfg.Store.URL.Reveal(), store.Options{Dir: a.stateDir(cfg), Now: a.env.now}); err != nil {
		r.store = nil
		return false
	}
	if !r.shared {
		r.shared = true
		_ = r.tell(ctx, told{say: "no gateway runs here: the page is followed in the store that it shares"}) // ctx is asked by the caller
	}
	return true
}

func (r *reader) close() {
	if r.store != nil {
		_ = r.store.Close() // it was only read
		r.store = nil
	}
}

func (r *reader) tell(ctx context.Context, n told) error {
	select {
	case r.news <- n:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
