package web

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"telgate"
)

// desk stands in for everything behind the API.
type desk struct {
	mu       sync.Mutex
	requests []telgate.Request
	stopped  []telgate.Actor
	queries  []HistoryQuery
	pauses   []string
	files    []string
	refuse   error
	page     *telgate.Page
	events   chan telgate.Event
	left     chan struct{} // closed when a follower left
}

func newDesk() *desk {
	return &desk{
		events: make(chan telgate.Event), left: make(chan struct{}),
		page: &telgate.Page{
			ID: "p1", Version: 4, Title: "alice", State: telgate.PageCalling, Accepted: at(0),
			Steps: []telgate.Step{{N: 1, Round: 1, Person: "alice", Number: telgate.Number{E164: "+12025550123", Country: "1"}}},
		},
	}
}

func at(d time.Duration) time.Time { return time.Date(2026, 1, 31, 21, 0, 0, 0, time.UTC).Add(d) }

func (d *desk) Submit(_ context.Context, r telgate.Request) (telgate.Receipt, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests = append(d.requests, r)
	return telgate.Receipt{Page: "p1", Words: "alice"}, d.refuse
}

func (d *desk) Stop(_ context.Context, id telgate.PageID, by telgate.Actor) error {
	if id != d.page.ID {
		return &telgate.Refusal{Reason: telgate.RefusedUnknownName, Message: "There is no such page."}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = append(d.stopped, by)
	return nil
}

func (d *desk) Confirm(context.Context, telgate.PageID, telgate.Actor) error {
	return &telgate.Refusal{Reason: telgate.RefusedNotAllowed, Message: "Only the person who is called."}
}

func (d *desk) Page(_ context.Context, id telgate.PageID) (*telgate.Page, error) {
	if id != d.page.ID {
		return nil, nil
	}
	return d.page, nil
}

func (d *desk) Running(context.Context) ([]telgate.Page, error) { return []telgate.Page{*d.page}, nil }

func (d *desk) Follow(ctx context.Context, _ telgate.PageID) <-chan telgate.Event {
	out := make(chan telgate.Event)
	go func() {
		defer close(out)
		for {
			select {
			case ev, more := <-d.events:
				if !more {
					return
				}
				select {
				case out <- ev:
				case <-ctx.Done():
					close(d.left)
					return
				}
			case <-ctx.Done():
				close(d.left)
				return
			}
		}
	}()
	return out
}

func (d *desk) History(_ context.Context, q HistoryQuery) ([]telgate.Page, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queries = append(d.queries, q)
	return []telgate.Page{*d.page, {ID: "p0", Title: "bob"}}, d.refuse
}

func (d *desk) Summaries(ctx context.Context, q HistoryQuery) ([]telgate.Summary, error) {
	pages, err := d.History(ctx, q)
	return []telgate.Summary{pages[0].Summary(), pages[1].Summary()}, err
}

func (d *desk) Pause(_ context.Context, by telgate.Actor, why string, _ bool) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pauses = append(d.pauses, by.ID+": "+why)
	return 2, nil
}

func (d *desk) Resume(context.Context, telgate.Actor) error { return nil }

func (d *desk) Status(context.Context) Status { return Status{Gateway: "g", State: Serving} }

func (d *desk) Reload(context.Context, telgate.Actor) (Reloaded, error) {
	return Reloaded{Changed: []string{"people"}, Restart: []string{"sip.bind"}}, d.refuse
}

func (d *desk) Backup(_ context.Context, _ telgate.Actor, file string) error {
	d.files = append(d.files, file)
	return nil
}

func (d *desk) Forget(context.Context, telgate.Actor, string) (int, error) { return 3, nil }

func (d *desk) Audit(context.Context, time.Time, time.Time, int) ([]telgate.AuditEntry, error) {
	return []telgate.AuditEntry{{Time: at(0), Actor: "local:grace", From: telgate.FromSocket, Act: telgate.AuditPaged, Who: "alice"}}, nil
}

func (d *desk) Covers() []telgate.Cover {
	return []telgate.Cover{{For: "alice", By: "bob", From: at(0), Until: at(2 * time.Hour), Asker: "local:grace"}}
}

func (d *desk) Cover(_ context.Context, o telgate.CoverOrder) (telgate.Cover, error) {
	return telgate.Cover{For: o.For, By: o.By, From: at(0), Until: at(time.Hour), Asker: o.Asker.ID}, nil
}

func (d *desk) Uncover(context.Context, telgate.CoverOrder) ([]telgate.Cover, error) {
	return d.Covers(), nil
}

func (d *desk) Mutes() []telgate.Mute {
	return []telgate.Mute{{Nick: "alice", Until: at(2 * time.Hour), By: "U1", At: at(0)}}
}

func (d *desk) Mute(_ context.Context, o telgate.MuteOrder) (telgate.Mute, error) {
	if o.Who == "bob" {
		return telgate.Mute{}, &telgate.Refusal{Reason: telgate.RefusedTime, Message: "I cannot mute.", Subject: o.When}
	}
	m := telgate.Mute{Nick: o.Who, Until: at(time.Hour), By: o.Asker.ID, At: at(0)}
	if !o.Until.IsZero() {
		m.Until = o.Until
	}
	if o.End {
		m.Until = at(0)
	}
	return m, nil
}

func (d *desk) asked() []telgate.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.requests)
}

// opened is a desk behind its socket, until the test ends.
type opened struct {
	*desk
	api    *API
	path   string
	client *http.Client
	stop   func()
}

func open(t *testing.T) *opened {
	t.Helper()
	dir, err := os.MkdirTemp("", "tg") //nolint:usetesting // a short path, whatever the test's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := newDesk()
	api := NewAPI(Ports{Pages: d, Feed: d, Gateway: d, History: d, Switch: d, Keeper: d, Audit: d, Covers: d, Mutes: d},
		func() telgate.Policy { return telgate.Policy{} }, quiet())
	o := &opened{desk: d, api: api, path: filepath.Join(dir, SocketName)}
	s := NewSocket(dir, api, func(uint32) string { return "grace" }, quiet())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	o.stop = sync.OnceFunc(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(o.stop)
	select {
	case <-s.Listening():
	case err := <-ended:
		t.Fatal(err)
	}
	o.client = &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", o.path) },
	}}
	return o
}
