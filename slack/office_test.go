package slack_test

import (
	"context"
	"log/slog"
	"math"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"telgate"
	"telgate/slack"
	"telgate/slack/slacktest"
)

const patience = 10 * time.Second

// office is a workspace, a pager of paper, and the room under test between them.
type office struct {
	*slacktest.Workspace
	t     *testing.T
	slack *slack.Slack
	pages *paper
	feed  slack.Feed // nil = pages
	stop  func()     // ends Run, and waits for it
	cfg   slack.Config
	shelf slack.Shelf
	kill  slack.Switch
	mutes slack.Mutes
}

// change is what a test wants otherwise.
type change struct {
	config    func(*slack.Config)
	workspace slacktest.Config
	alone     bool // do not wait for connections: there will be none
	shelf     slack.Shelf
	kill      slack.Switch
	mutes     slack.Mutes
}

func open(t *testing.T, c change) *office {
	t.Helper()
	w, err := slacktest.New(c.workspace)
	if err != nil {
		t.Fatal(err)
	}
	for id, name := range map[string]string{"U0GRACE": "grace", "U0ALICE": "alice", "U0EVE": "eve"} {
		w.AddUser(slacktest.User{ID: id, Name: name})
	}
	w.AddUser(slacktest.User{ID: "U0GUEST", Name: "guest", Restricted: true})
	w.AddUserGroup("S0OPS", "ops", "U0ALICE")
	w.AddChannel(slacktest.Channel{ID: "C0OPS", Name: "ops", BotIn: true})
	w.AddChannel(slacktest.Channel{ID: "C0HALL", Name: "hall"})
	w.AddChannel(slacktest.Channel{ID: "G0SECRET", Name: "secret", Private: true})
	as := w.Config()
	cfg := slack.Config{
		Mode: slack.ModeSocket, BotToken: as.BotToken, AppToken: as.AppToken, SigningSecret: as.SigningSecret, Command: "/tel",
		APIURL: w.APIURL(), GatewayName: "test",
		Policy: telgate.Policy{AllowChannels: []string{"C0OPS", "G0SECRET"}, AllowGroups: []string{"S0OPS"}, Admins: []string{"U0ROOT"}},
	}
	if c.config != nil {
		c.config(&cfg)
	}
	o := &office{Workspace: w, t: t, pages: newPaper(cfg.Policy), cfg: cfg, shelf: c.shelf, kill: c.kill, mutes: c.mutes}
	if o.shelf == nil {
		o.shelf = slack.NewMemoryShelf()
	}
	t.Cleanup(w.Close)
	o.run()
	if cfg.Mode == slack.ModeHTTP {
		server := httptest.NewServer(o.slack.Handler())
		t.Cleanup(server.Close)
		w.SetRequestURL(server.URL)
	}
	if cfg.Mode == slack.ModeSocket && !c.alone {
		o.until("two sockets", func() bool { return w.Sockets() == 2 })
	}
	return o
}

// run has a gateway's room serve the office.
func (o *office) run() {
	o.t.Helper()
	var err error
	var feed slack.Feed = o.pages
	if o.feed != nil {
		feed = o.feed
	}
	if o.slack, err = slack.New(o.cfg, o.pages, feed, o.pages, o.shelf, slack.Env{Now: time.Now, Log: slog.New(slog.DiscardHandler), Switch: o.kill, Mutes: o.mutes}); err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(o.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- o.slack.Run(ctx) }()
	o.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			o.t.Error(err)
		}
	})
	o.t.Cleanup(o.stop)
}

// next is the office with the next gateway.
func (o *office) next() *office {
	o.t.Helper()
	later := *o
	later.run()
	return &later
}

// until waits for something to be seen in the workspace.
func (o *office) until(what string, done func() bool) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), patience)
	defer cancel()
	if err := o.Wait(ctx, done); err != nil {
		o.t.Fatalf("%s: %v; in #ops: %s", what, err, o.plain("C0OPS"))
	}
}

// types is a command that is not answered at once.
func (o *office) types(user, channel, text string) {
	o.t.Helper()
	if answer, err := o.Type(o.t.Context(), user, channel, text); err != nil || answer != "" {
		o.t.Fatalf("%s types %q: %q, %v", user, text, answer, err)
	}
}

// reads waits until somebody sees words in a conversation.
func (o *office) reads(user, channel, words string) {
	o.t.Helper()
	o.until(user+" reads "+words, func() bool {
		return slices.ContainsFunc(o.Seen(user, channel), func(m slacktest.Message) bool {
			return strings.Contains(m.Plain()+m.Text, words)
		})
	})
}

func (o *office) plain(channel string) string {
	var all []string
	for _, m := range o.Messages(channel) {
		all = append(all, m.Plain())
	}
	return strings.Join(all, "\n--\n")
}

// card waits for the only message in a channel to say something.
func (o *office) card(channel, words string) slacktest.Message {
	o.t.Helper()
	var card slacktest.Message
	o.until("card says "+words, func() bool {
		for _, m := range o.Messages(channel) {
			if m.ThreadTS == "" && strings.Contains(m.Plain(), words) {
				card = m
				return true
			}
		}
		return false
	})
	return card
}

// paper is a pager that does what the test says.
type paper struct {
	policy telgate.Policy

	mu       sync.Mutex
	requests []telgate.Request
	pages    []telgate.Page
	covers   []telgate.Cover
	orders   []telgate.CoverOrder
	changes  chan telgate.PageID
}

func newPaper(p telgate.Policy) *paper {
	return &paper{policy: p, changes: make(chan telgate.PageID, 1000)}
}

func (p *paper) Submit(_ context.Context, r telgate.Request) (telgate.Receipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.policy.May(r.Asker, telgate.ActPage, nil) {
		return telgate.Receipt{}, &telgate.Refusal{Reason: telgate.RefusedNotAllowed, Message: "You may not."}
	}
	if r.Who[0] != "alice" && r.Who[0] != "<@U0ALICE>" {
		return telgate.Receipt{}, &telgate.Refusal{Reason: telgate.RefusedUnknownName, Message: "Nobody is called \"" + r.Who[0] + "\".", Subject: r.Who[0]}
	}
	p.requests = append(p.requests, r)
	id := telgate.PageID("p" + string(rune('0'+len(p.pages))))
	p.pages = append(p.pages, telgate.Page{
		ID: id, Version: 1, Title: "alice", Message: r.Message, State: telgate.PageAccepted, Accepted: time.Now(), Rounds: 1,
		Askers: []telgate.Asker{{Actor: r.Asker}}, Targets: []telgate.Target{{Nick: "alice", Name: "Alice", Slack: "U0ALICE"}},
	})
	return telgate.Receipt{Page: id, Words: "alice"}, nil
}

// accept is a page that was asked for past Slack, or before.
func (p *paper) accept(askers ...telgate.Asker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pages = append(p.pages, telgate.Page{
		ID: telgate.PageID("p" + string(rune('0'+len(p.pages)))), Version: 1, Title: "alice", State: telgate.PageAccepted, Accepted: time.Now(), Rounds: 1,
		Askers: askers, Targets: []telgate.Target{{Nick: "alice", Name: "Alice", Slack: "U0ALICE"}},
	})
}

func (p *paper) Stop(ctx context.Context, id telgate.PageID, by telgate.Actor) error {
	page, _ := p.Page(ctx, id)
	if !p.policy.May(by, telgate.ActStop, page) {
		return &telgate.Refusal{Reason: telgate.RefusedNotAllowed, Message: "Not yours to stop."}
	}
	p.turn(id, func(page *telgate.Page) {
		page.State, page.Result, page.Stopped = telgate.PageEnded, telgate.Cancelled, by.ID
	})
	return nil
}

func (p *paper) Next(ctx context.Context, id telgate.PageID, by telgate.Actor) error {
	page, _ := p.Page(ctx, id)
	if !p.policy.May(by, telgate.ActStop, page) {
		return &telgate.Refusal{Reason: telgate.RefusedNotAllowed, Message: "Not yours."}
	}
	p.turn(id, func(page *telgate.Page) { page.Rounds = 9 })
	return nil
}

func (p *paper) Confirm(ctx context.Context, id telgate.PageID, by telgate.Actor) error {
	page, _ := p.Page(ctx, id)
	if !p.policy.May(by, telgate.ActConfirm, page) {
		return &telgate.Refusal{Reason: telgate.RefusedNotAllowed, Message: "Only who is called may."}
	}
	p.turn(id, func(page *telgate.Page) { confirmed(page, telgate.ViaSlack) })
	return nil
}

func confirmed(page *telgate.Page, via telgate.Via) {
	page.State, page.Result = telgate.PageEnded, telgate.Confirmed
	page.Targets = []telgate.Target{{Nick: "alice", Name: "Alice", Slack: "U0ALICE", Result: telgate.Confirmed, Via: via, At: time.Now()}}
}

// turn changes a page and tells.
func (p *paper) turn(id telgate.PageID, how func(*telgate.Page)) {
	p.quietly(id, how)
	p.changes <- id
}

// quietly changes a page and tells nobody.
func (p *paper) quietly(id telgate.PageID, how func(*telgate.Page)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.pages {
		if p.pages[i].ID == id {
			page := p.pages[i].Clone()
			how(&page)
			page.Version++
			p.pages[i] = page
		}
	}
}

// calls puts a page's only call into a state.
func (p *paper) calls(id telgate.PageID, s telgate.CallState) {
	p.turn(id, func(page *telgate.Page) {
		page.State = telgate.PageCalling
		page.Steps = []telgate.Step{{N: 1, Round: 1, Person: "alice", Call: &telgate.Call{Order: telgate.Order{Person: "alice", Round: 1}, State: s}}}
	})
}

func (p *paper) ends(id telgate.PageID, r telgate.Result) {
	p.turn(id, func(page *telgate.Page) { page.State, page.Result, page.Ended = telgate.PageEnded, r, time.Now() })
}

func (p *paper) Changed(ctx context.Context) <-chan telgate.PageID {
	out := make(chan telgate.PageID)
	go func() {
		defer close(out)
		for {
			select {
			case id := <-p.changes:
				select {
				case out <- id:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func (p *paper) Page(ctx context.Context, id telgate.PageID) (*telgate.Page, error) {
	pages, err := p.Recent(ctx, math.MaxInt)
	for i := range pages {
		if pages[i].ID == id {
			return &pages[i], err
		}
	}
	return nil, err
}

func (p *paper) Recent(_ context.Context, ended int) ([]telgate.Page, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]telgate.Page, 0, len(p.pages))
	for _, page := range slices.Backward(p.pages) {
		if page.State == telgate.PageEnded {
			ended--
		}
		if page.State != telgate.PageEnded || ended >= 0 {
			all = append(all, page.Clone())
		}
	}
	return all, nil
}

func (p *paper) asked() []telgate.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

func (p *paper) Resolve(word string) (telgate.Match, error) {
	if word != "alice" {
		return telgate.Match{}, &telgate.Refusal{Reason: telgate.RefusedUnknownName, Message: "Nobody is called \"" + word + "\".", Subject: word}
	}
	return telgate.Match{Title: "alice", People: p.People()}, nil
}

func (p *paper) People() []telgate.Person {
	return []telgate.Person{{
		Nick: "alice", Name: "Alice", Slack: "U0ALICE", Aliases: []string{"アリス"},
		Numbers: []telgate.Number{{E164: "+12025550123", Country: "1", Label: "mobile"}},
	}}
}

func (p *paper) Groups() []telgate.Group {
	return []telgate.Group{{Nick: "ops", Members: []string{"alice"}}}
}

// noon is when everything about rotas happens on paper.
func noon() time.Time { return time.Date(2026, time.November, 24, 12, 0, 0, 0, time.UTC) }

func (p *paper) OnCall() []telgate.OnCall {
	bob := []telgate.Person{{Nick: "bob", Name: "Bob"}}
	return []telgate.OnCall{
		{Rota: "duty", People: p.People(), Until: noon().Add(time.Hour), Next: bob, Covers: p.Covers()},
		{Rota: "night", Until: noon().Add(6 * time.Hour), Next: bob},
		{Rota: "office", People: bob, Fallback: true},
	}
}

func (p *paper) Sources() []telgate.SourceState {
	return []telgate.SourceState{
		{Of: "rotas.night", Fetched: noon()},
		{Of: "groups.old", Fetched: noon().Add(-48 * time.Hour), Stale: true, Problem: "answers 502"},
		{Of: "groups.gone", Problem: "cannot be asked"},
	}
}

func (p *paper) Covers() []telgate.Cover {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.covers)
}

func (p *paper) Cover(_ context.Context, o telgate.CoverOrder) (telgate.Cover, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.orders = append(p.orders, o)
	if o.For != "alice" {
		return telgate.Cover{}, &telgate.Refusal{Reason: telgate.RefusedCover, Message: "There is nothing to cover.", Subject: o.For}
	}
	if o.When == "" {
		return telgate.Cover{}, &telgate.Refusal{Reason: telgate.RefusedTime, Message: "Say how long."}
	}
	c := telgate.Cover{ID: "c1", For: o.For, By: "grace", From: noon(), Until: noon().Add(6 * time.Hour), Asker: o.Asker.ID}
	if o.By != "" {
		c.By = o.By
	}
	p.covers = append(p.covers, c)
	return c, nil
}

func (p *paper) Uncover(_ context.Context, o telgate.CoverOrder) ([]telgate.Cover, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.orders = append(p.orders, o)
	if len(p.covers) == 0 {
		return nil, &telgate.Refusal{Reason: telgate.RefusedCover, Message: "Nobody covers for alice."}
	}
	ended := p.covers
	p.covers = nil
	return ended, nil
}

// covering is what was asked of covers.
func (p *paper) covering() []telgate.CoverOrder {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.orders)
}
