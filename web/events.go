package web

import (
	"context"
	"math"
	"net/http"
	"time"

	"telgate"
)

// events is GET /v1/pages/{id}/events: one event a line from the one after "after" on, until page_ended. Where nothing
// happens an empty line says that the stream lives.
func (a *API) events(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	q := newQuery(r, "numbers", "trace", "after")
	f, after := a.form(q, by), q.number("after", 0, math.MaxInt32)
	if q.err != nil {
		return q.err
	}
	page, err := a.find(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	out := newStream(w)
	if err := out.flush(); err != nil {
		return err
	}
	if a.follow(ctx, out, page.ID, f, after) {
		return nil
	}
	page, err = a.ports.Feed.Page(ctx, page.ID) // its events are not kept any more, its end is
	if err == nil && page != nil && page.State == telgate.PageEnded {
		_ = out.line(f.event(endOf(page))) // a client that left is no fault of ours
	}
	return nil
}

// follow writes events as they come; false where it ended without the page's.
func (a *API) follow(ctx context.Context, out *stream, id telgate.PageID, f form, after int) (whole bool) {
	alive := time.NewTicker(a.alive)
	defer alive.Stop()
	events := a.ports.Feed.Follow(ctx, id)
	for {
		select {
		case ev, more := <-events:
			if !more {
				return ctx.Err() != nil
			}
			last := ev.Kind == telgate.EventPageEnded // which nobody is left without, however gateways count
			if (ev.Seq > after || last) && out.line(f.event(ev)) != nil || last {
				return true
			}
		case <-alive.C:
			if out.line(nil) != nil {
				return true
			}
		case <-a.ended:
			return true
		}
	}
}

// endOf is page_ended of a page of which nothing but its last state is known. Every event makes a version of the page, and has
// its number.
func endOf(p *telgate.Page) telgate.Event {
	return telgate.Event{
		Seq: p.Version, Time: p.Ended, Kind: telgate.EventPageEnded, Page: p.ID, Result: p.Result, Late: p.Late, People: p.Targets,
	}
}
