// Package storetest is one suite for everything that keeps pages: SQLite, PostgreSQL and pager.Memory pass it. It says in
// tests what the ports of pager and lease say in words.
package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"telgate"
	"telgate/lease"
	"telgate/pager"
)

// Pages are the ports of pager.
type Pages interface {
	pager.Ledger
	pager.Handover
	pager.Archive
	pager.Finder
	pager.Mutes
}

// Gateways are the ports of lease.
type Gateways interface {
	lease.Register
	lease.Peers
	lease.Turns
}

// Side is what one gateway has of a store.
type Side struct {
	Pages    Pages
	Gateways Gateways // nil where there is only one gateway: what is about others is left out then
}

// Run runs the suite. Each test opens a store of its own, empty, as two gateways have it: they are the same where only one
// process can have it. What open opens it closes at the end of its test.
func Run(t *testing.T, open func(t *testing.T) (Side, Side)) {
	t.Helper()
	for _, part := range []struct {
		name  string
		tests []test
	}{{"accept", accepting}, {"begin", beginning}, {"fence", fencing}, {"hands", hands}, {"archive", archive}, {"bury", burying}, {"turns", turning}, {"race", racing}} {
		t.Run(part.name, func(t *testing.T) {
			for _, x := range part.tests {
				t.Run(strings.ReplaceAll(x.name, " ", "_"), func(t *testing.T) {
					a, b := open(t)
					if x.others && a.Gateways == nil {
						t.Skip("there is only one gateway here")
					}
					s := &suite{T: t, a: a, b: b}
					s.enter(a, gatewayA)
					s.enter(b, gatewayB)
					x.run(s)
				})
			}
		})
	}
}

// The gateways that every test has.
const (
	gatewayA = "gateway-a"
	gatewayB = "gateway-b"
)

type test struct {
	name   string
	run    func(s *suite)
	others bool // it needs more than one gateway
}

// suite is what a test of a store has at hand.
type suite struct {
	*testing.T
	a, b Side
}

func (s *suite) enter(at Side, gateway string) {
	s.Helper()
	if at.Gateways == nil {
		return
	}
	if err := at.Gateways.Enter(s.Context(), lease.Self{ID: gateway, Name: gateway[len(gateway)-1:], Version: "1", Config: "c"}); err != nil {
		s.Fatal(err)
	}
}

// accepted is when pages are accepted by their gateways' clocks.
func accepted() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC) }

// page is a page that was just accepted.
func page(id telgate.PageID, nicks ...string) telgate.Page {
	p := telgate.Page{
		ID: id, Version: 1, Title: strings.Join(nicks, ", "), Message: "db is down", State: telgate.PageAccepted, Accepted: accepted(), Rounds: 3,
		Askers: []telgate.Asker{{Actor: telgate.Actor{ID: "U1", Name: "Ann", Team: "T1", Channel: "C1", Groups: []string{"S1"}}, Message: "db is down", At: accepted()}},
	}
	for _, nick := range nicks {
		p.Targets = append(p.Targets, telgate.Target{Nick: nick, Name: "Name of " + nick, Slack: "U" + nick})
	}
	return p
}

// acceptance has a page of gateway A's kept, without limits.
func acceptance(p telgate.Page) *pager.Acceptance {
	return &pager.Acceptance{Hold: pager.Hold{Page: p.ID, Gateway: gatewayA, Token: 1}, Page: p, Course: []byte("course of " + p.ID)}
}

// number is a phone; its key is "+1202555" and four digits.
func number(n int) telgate.Number {
	return telgate.Number{E164: fmt.Sprintf("+1202555%04d", n), Country: "1", Label: "mobile", Ring: 20 * time.Second}
}

// accept keeps a page that must be new.
func (s *suite) accept(a *pager.Acceptance) pager.Hold {
	s.Helper()
	got, err := s.a.Pages.Accept(s.Context(), a)
	if err != nil || got.Verdict != pager.AcceptNew || got.Receipt.Page != a.Page.ID || got.Receipt.Joined || got.Receipt.Words != a.Page.Title {
		s.Fatalf("Accept %s: %+v, %v", a.Page.ID, got, err)
	}
	return a.Hold
}

// answer keeps a page or not, as the verdict wants.
func (s *suite) answer(a *pager.Acceptance, want pager.AcceptVerdict) telgate.Receipt {
	s.Helper()
	got, err := s.a.Pages.Accept(s.Context(), a)
	if err != nil || got.Verdict != want {
		s.Fatalf("Accept %s: %+v, %v, want verdict %d", a.Page.ID, got, err, want)
	}
	return got.Receipt
}

// call is one more step of a page, whose call is about to begin.
func call(p *telgate.Page, id telgate.CallID, n telgate.Number, trunk string) {
	step := telgate.Step{N: len(p.Steps) + 1, Round: 1, Person: p.Targets[0].Nick, Number: n, At: accepted()}
	step.Call = &telgate.Call{State: telgate.CallDialing, Order: telgate.Order{
		Call: id, Page: p.ID, Person: step.Person, Step: step.N, Round: step.Round, Number: n, Trunk: trunk, Ring: n.Ring,
	}}
	p.Steps = append(p.Steps, step)
	p.State = telgate.PageCalling
	p.Version++
}

// over ends the last call of a page.
func over(p *telgate.Page, o telgate.Outcome) pager.Freed {
	last := &p.Steps[len(p.Steps)-1]
	ended := *last.Call
	ended.State, ended.Outcome, ended.Times.Ended = telgate.CallEnded, o, accepted().Add(time.Minute)
	last.Call = &ended
	p.Version++
	return pager.Freed{Call: ended.Call, Number: last.Number.Key()}
}

// heard has the confirm key heard in the last call of a page: the page is confirmed, and the call still up.
func heard(p *telgate.Page) {
	last := &p.Steps[len(p.Steps)-1]
	up := *last.Call
	up.State, up.Keys = telgate.CallAnswered, []telgate.Key{{Digit: "1", Via: "rfc4733", After: 4 * time.Second, Confirms: true}}
	last.Call = &up
	p.Result, p.Version = telgate.Confirmed, p.Version+1
	for i := range p.Targets {
		p.Targets[i].Result, p.Targets[i].By, p.Targets[i].Via, p.Targets[i].At = telgate.Confirmed, up.Number.String(), telgate.ViaKey, accepted().Add(time.Minute)
	}
}

// beginning adds a call to a page and is the question whether it may begin.
func begins(h pager.Hold, p *telgate.Page, id telgate.CallID, n telgate.Number, trunk string) *pager.Beginning {
	call(p, id, n, trunk)
	return &pager.Beginning{
		Change: pager.Change{Hold: h, Page: p.Clone(), From: len(p.Steps) - 1},
		Call:   id, Number: n.Key(), Trunk: trunk, Counts: true, RingUntil: time.Now().Add(time.Hour),
	}
}

// begin asks whether a call may begin, and wants this verdict.
func (s *suite) begin(at Side, b *pager.Beginning, want pager.GrantVerdict) pager.Grant {
	s.Helper()
	got, err := at.Pages.Begin(s.Context(), b)
	if err != nil || got.Verdict != want {
		s.Fatalf("Begin %s: %+v, %v, want verdict %d", b.Call, got, err, want)
	}
	return got
}

func (s *suite) save(at Side, c *pager.Change) {
	s.Helper()
	if err := at.Pages.Save(s.Context(), c); err != nil {
		s.Fatalf("Save %s: %v", c.Hold.Page, err)
	}
}

// handOver lets go of a page, and has gateway B claim it.
func (s *suite) handOver(h pager.Hold, p telgate.Page) pager.Record {
	s.Helper()
	s.save(s.a, &pager.Change{Hold: h, Page: p, From: len(p.Steps), HandOver: true, Due: time.Now().Add(-time.Second)})
	records, err := s.b.Pages.Claim(s.Context(), gatewayB, 10)
	if err != nil || len(records) != 1 || records[0].Hold.Page != h.Page || records[0].Gateway != gatewayB || records[0].Token != h.Token+1 {
		s.Fatalf("Claim: %+v, %v", records, err)
	}
	return records[0]
}

// same wants a page to be kept like this.
func (s *suite) same(at Side, want telgate.Page) {
	s.Helper()
	got, err := at.Pages.Page(s.Context(), want.ID)
	if err != nil || got == nil {
		s.Fatalf("Page %s: %v, %v", want.ID, got, err)
	}
	if diff := cmp.Diff(want, *got, cmpopts.EquateEmpty()); diff != "" {
		s.Errorf("page %s is kept otherwise (-want +got):\n%s", want.ID, diff)
	}
}

// inbox wants so many messages for a gateway.
func (s *suite) inbox(at Side, gateway string, want int) []pager.Message {
	s.Helper()
	got, err := at.Pages.Inbox(s.Context(), gateway)
	if err != nil || len(got) != want {
		s.Fatalf("Inbox of %s: %d messages, %v, want %d", gateway, len(got), err, want)
	}
	return got
}
