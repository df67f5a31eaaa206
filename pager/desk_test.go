package pager_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"telgate"
	"telgate/pager"
	"telgate/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a running pager with a telephone exchange that follows a script. It lives in one bubble.
type desk struct {
	*pager.Pager
	t        *testing.T
	exchange *exchange
	begun    time.Time
	stop     context.CancelFunc // ends Run
	over     chan struct{}      // closed when Run has returned
}

// setting is what a test may change before the desk opens.
type setting struct {
	cfg     pager.Config
	people  people
	books   pager.Books
	gateway string
	outlive bool // the books outlive the gateway
	idle    bool // do not Run
	news    func(context.Context) <-chan telgate.PageID
	brake   pager.Brake
	reaper  pager.Reaper

	exchange *exchange           // that of another gateway; nil = its own
	known    func(telgate.Order) // told of every call before it is made
	own      map[string][]answer // scripts of people's own
}

// phone is one of the numbers reserved for fiction.
func phone(n int) telgate.Number {
	return telgate.Number{E164: fmt.Sprintf("+120255501%02d", n), Country: "1"}
}

// known are the people of every test: alice at 01, bob at 02, carol at 03 and 04, and the group ops of alice and bob.
func known() people {
	alice := telgate.Person{Nick: "alice", Name: "Alice", Slack: "UALICE", Numbers: []telgate.Number{phone(1)}}
	bob := telgate.Person{Nick: "bob", Name: "Bob", Slack: "UBOB", Numbers: []telgate.Number{phone(2)}}
	carol := telgate.Person{Nick: "carol", Name: "Carol", Slack: "UCAROL", Numbers: []telgate.Number{phone(3), phone(4)}}
	return people{
		"alice": {Title: "alice", People: []telgate.Person{alice}},
		"bob":   {Title: "bob", People: []telgate.Person{bob}},
		"carol": {Title: "carol", People: []telgate.Person{carol}},
		"ops":   {Title: "ops", People: []telgate.Person{alice, bob}, Prompt: "fire"},
	}
}

// open starts a desk. The zero settings try once round: what a test needs more of, it asks for.
func open(t *testing.T, script []answer, change ...func(*setting)) *desk {
	t.Helper()
	dialer, faults := plan.NewDialer(plan.DialConfig{PrefixesAllowed: []string{"+1"}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	s := &setting{
		people: known(), books: pager.NewMemory(time.Now), gateway: "one",
		cfg: pager.Config{
			Policy: telgate.Policy{AllowUsers: []string{"UASKER", "UOTHER"}, Admins: []string{"UADMIN"}},
			Plan: plan.Policy{
				Ring: 25 * time.Second, Rounds: 1, Pause: 20 * time.Second, PageLimit: 30 * time.Minute,
				BusyRetry: 5 * time.Second, BusyMax: 2,
			},
			Dialer: dialer, Trunks: []plan.Trunk{{Name: "main", Kind: plan.Carrier}, {Name: "backup", Kind: plan.Carrier}},
			Language: "en", Prompt: "alert", Confirm: telgate.ConfirmKey,
		},
	}
	for _, c := range change {
		c(s)
	}
	x := s.exchange
	if x == nil {
		x = &exchange{t: t, begun: time.Now(), script: script, up: map[string]bool{}, known: s.known, own: s.own}
	}
	ctx, stop := context.WithCancel(t.Context())
	d := &desk{
		Pager: pager.New(s.cfg, x, s.people, s.books, pager.Env{
			Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler), Gateway: s.gateway, HandOver: s.outlive, News: s.news, Brake: s.brake, Reaper: s.reaper,
		}),
		t: t, exchange: x, begun: x.begun, stop: stop, over: make(chan struct{}),
	}
	if s.idle {
		stop()
		return d
	}
	go func() {
		defer close(d.over)
		if err := d.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-d.over
	})
	synctest.Wait()
	return d
}

func rounds(n int) func(*setting) { return func(s *setting) { s.cfg.Plan.Rounds = n } }

func asker() telgate.Actor { return telgate.Actor{ID: "UASKER", Name: "Ann"} }

func request(who ...string) telgate.Request {
	return telgate.Request{Asker: asker(), Who: who, Message: "db is down"}
}

// anew is a request for a page of its own.
func anew(who ...string) telgate.Request {
	r := request(who...)
	r.New = true
	return r
}

// submit asks for a page that must be accepted.
func (d *desk) submit(r telgate.Request) telgate.PageID {
	d.t.Helper()
	receipt, err := d.Submit(d.t.Context(), r)
	if err != nil {
		d.t.Fatalf("not accepted: %v", err)
	}
	return receipt.Page
}

// ringing asks for a page that must be accepted, and waits until its first phone rings.
func (d *desk) ringing(r telgate.Request) telgate.PageID {
	d.t.Helper()
	id := d.submit(r)
	d.until(id, telgate.EventRinging)
	return id
}

// refused asks for a page that must be refused.
func (d *desk) refused(r telgate.Request) *telgate.Refusal {
	d.t.Helper()
	receipt, err := d.Submit(d.t.Context(), r)
	refusal, ok := errors.AsType[*telgate.Refusal](err)
	if !ok {
		d.t.Fatalf("accepted as %+v, %v", receipt, err)
	}
	return refusal
}

// page is the newest state of a page that must be there.
func (d *desk) page(id telgate.PageID) telgate.Page {
	d.t.Helper()
	p, err := d.Page(d.t.Context(), id)
	if err != nil || p == nil {
		d.t.Fatalf("no page %q, %v", id, err)
	}
	return *p
}

// pages are all pages there are.
func (d *desk) pages() []telgate.Page {
	d.t.Helper()
	all, err := d.Pages(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// until lets events pass until one of this kind, and fails where the page ends without it.
func (d *desk) until(id telgate.PageID, kind telgate.EventKind) telgate.Event {
	d.t.Helper()
	ctx, enough := context.WithCancel(d.t.Context())
	defer enough()
	for ev := range d.Follow(ctx, id) {
		if ev.Kind == kind {
			return ev
		}
	}
	d.t.Fatalf("page %s ended without %s", id, kind)
	return telgate.Event{}
}

// end waits for a page's end and returns it with all its events.
func (d *desk) end(id telgate.PageID) (telgate.Page, []telgate.Event) {
	d.t.Helper()
	var events []telgate.Event
	for ev := range d.Follow(d.t.Context(), id) {
		events = append(events, ev)
	}
	return d.page(id), events
}

// at waits until so long after the desk was opened.
func (d *desk) at(since time.Duration) {
	timer := time.NewTimer(time.Until(d.begun.Add(since)))
	defer timer.Stop()
	<-timer.C
	synctest.Wait()
}

// rang checks which calls were made, "when person number trunk".
func (d *desk) rang(want ...string) {
	d.t.Helper()
	if diff := cmp.Diff(want, d.exchange.calls()); diff != "" {
		d.t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// results are a page's result, then those of its targets.
func results(p telgate.Page) []telgate.Result {
	all := []telgate.Result{p.Result}
	for _, t := range p.Targets {
		all = append(all, t.Result)
	}
	return all
}

func kinds(events []telgate.Event) []telgate.EventKind {
	var all []telgate.EventKind
	for _, ev := range events {
		all = append(all, ev.Kind)
	}
	return all
}

func outcomes(p telgate.Page) []telgate.Outcome {
	var all []telgate.Outcome
	for _, s := range p.Steps {
		if s.Call != nil {
			all = append(all, s.Call.Outcome)
		}
	}
	return all
}

func skips(p telgate.Page) []telgate.SkipReason {
	var all []telgate.SkipReason
	for _, s := range p.Steps {
		if s.Call == nil {
			all = append(all, s.Skip)
		}
	}
	return all
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// people is a directory by word.
type people map[string]telgate.Match

func (p people) Resolve(word string) (telgate.Match, error) {
	if m, ok := p[word]; ok {
		return m, nil
	}
	return telgate.Match{}, &telgate.Refusal{Reason: telgate.RefusedUnknownName, Subject: word, Message: "Nobody is called so."}
}

// exchange is a Caller that answers by script, one entry a call; the last entry answers all further ones. It fails the
// test where one number is rung twice at once.
type exchange struct {
	t     *testing.T
	begun time.Time

	mu     sync.Mutex
	script []answer
	log    []string
	orders []telgate.Order
	causes []telgate.StopCause // of the calls that were stopped
	up     map[string]bool
	known  func(telgate.Order)
	own    map[string][]answer // scripts of people's own, for calls that are side by side
}

// answer is how one call goes. The exchange fills in what every call has.
type answer func(ctx context.Context, emit func(telgate.Event)) telgate.Call

func (x *exchange) Call(ctx context.Context, order *telgate.Order, emit func(telgate.Event)) *telgate.Call {
	o := *order
	if x.known != nil {
		x.known(o)
	}
	play := x.dial(o)
	tell := func(ev telgate.Event) {
		ev.Time, ev.Page, ev.Order = time.Now(), o.Page, &o
		emit(ev)
	}
	tell(telgate.Event{Kind: telgate.EventDialing})
	dialed := time.Now()
	c := play(ctx, tell)
	c.Order, c.State, c.Times.Dialed, c.Times.Ended = o, telgate.CallEnded, dialed, time.Now()
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.up, o.Number.Key())
	if cause, ok := errors.AsType[*telgate.StopCause](context.Cause(ctx)); ok {
		x.causes = append(x.causes, *cause)
	}
	return &c
}

func (x *exchange) dial(o telgate.Order) answer {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.up[o.Number.Key()] {
		x.t.Errorf("%s is rung twice at once", o.Number)
	}
	x.up[o.Number.Key()] = true
	x.orders = append(x.orders, o)
	x.log = append(x.log, fmt.Sprintf("%v %s %s %s", time.Since(x.begun), o.Person, o.Number, o.Trunk))
	if len(x.script) == 0 && len(x.own[o.Person]) == 0 {
		x.t.Errorf("nobody expected a call to %s", o.Person)
		return ends(0, telgate.OutcomeTrunkFailed, telgate.DetailBadRequest)
	}
	if own := x.own[o.Person]; len(own) > 0 {
		x.own[o.Person] = own[min(1, len(own)-1):]
		return own[0]
	}
	play := x.script[0]
	if len(x.script) > 1 {
		x.script = x.script[1:]
	}
	return play
}

func (x *exchange) calls() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]string(nil), x.log...)
}

func (x *exchange) stopped() []telgate.StopCause {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]telgate.StopCause(nil), x.causes...)
}

func (x *exchange) order(i int) telgate.Order {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.orders[i]
}

// ends is a phone that rings for so long and then ends so, unless it is hung up first.
func ends(after time.Duration, o telgate.Outcome, detail telgate.Detail) answer {
	return func(ctx context.Context, emit func(telgate.Event)) telgate.Call {
		emit(telgate.Event{Kind: telgate.EventRinging, Status: 180})
		return hold(ctx, after, telgate.Call{Outcome: o, Detail: detail})
	}
}

// rings is nobody picking up within 25 s.
func rings() answer { return ends(25*time.Second, telgate.OutcomeNoAnswer, telgate.DetailRingLimit) }

// confirms is somebody picking up after so long and pressing the key a second later.
func confirms(after time.Duration) answer {
	return func(ctx context.Context, emit func(telgate.Event)) telgate.Call {
		emit(telgate.Event{Kind: telgate.EventRinging, Status: 180})
		if c := hold(ctx, after, telgate.Call{}); c.Outcome != "" {
			return c
		}
		emit(telgate.Event{Kind: telgate.EventAnswered})
		if c := hold(ctx, time.Second, telgate.Call{}); c.Outcome != "" {
			return c
		}
		key := pressed()
		emit(telgate.Event{Kind: telgate.EventKey, Key: &key})
		return telgate.Call{Outcome: telgate.OutcomeConfirmed}
	}
}

// thanked is somebody who presses the key a second after picking up, who did so after so long, and is thanked for three seconds;
// a call that is stopped meanwhile ends at once. How it ended, all in all, is what it says then.
func thanked(after time.Duration, as telgate.Outcome) answer {
	return func(ctx context.Context, emit func(telgate.Event)) telgate.Call {
		if c := confirms(after)(ctx, emit); c.Outcome != telgate.OutcomeConfirmed {
			return c
		}
		c := telgate.Call{Outcome: as, Keys: []telgate.Key{pressed()}}
		if said := hold(ctx, 3*time.Second, c); said.Outcome == as {
			return said
		}
		return c
	}
}

// pressed is the confirm key, in time.
func pressed() telgate.Key { return telgate.Key{Digit: "1", Via: "rfc4733", Confirms: true} }

// fails is a trunk that refuses without any alerting.
func fails(detail telgate.Detail) answer {
	return func(context.Context, func(telgate.Event)) telgate.Call {
		return telgate.Call{Outcome: telgate.OutcomeTrunkFailed, Detail: detail, Scope: telgate.ScopeTrunk}
	}
}

// deaf is a call that does not end by being hung up but only when told to, and how.
func deaf(result <-chan telgate.Call) answer {
	return func(_ context.Context, emit func(telgate.Event)) telgate.Call {
		emit(telgate.Event{Kind: telgate.EventRinging, Status: 180})
		return <-result
	}
}

func hold(ctx context.Context, long time.Duration, c telgate.Call) telgate.Call {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
		return c
	case <-ctx.Done():
		return telgate.Call{Outcome: telgate.OutcomeCancelled}
	}
}

// in runs a test in a bubble of its own, with its own clock.
func in(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}
