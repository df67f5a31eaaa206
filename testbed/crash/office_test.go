//go:build crash

package crash

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"telgate/slack/slacktest"
)

const asker = "U0ASKER"

// office is the people who page, and the book of what they were promised.
type office struct {
	*slacktest.Workspace

	people int
	work   sync.WaitGroup

	mu    sync.Mutex
	pages []*page      // the number in a page's message is its place from 1
	busy  map[int]bool // people who are being paged
}

// page is one request. Nobody is paged twice at a time, so what a person does meanwhile belongs to it.
type page struct {
	n, person int
	asked     time.Time
	answered  time.Duration // after so long
	promise   promise
	answer    string
	cards     int
	final     string // the result on its card
	seen      time.Time
	freed     bool
}

// promise is what the asker was told.
type promise int

const (
	unasked  promise = iota // the command is under way, or nobody was there to take it
	unsure                  // no answer came: there may be a page
	refused                 // NOT accepted
	accepted                // or, without a word, a card is there
)

// patience is how long nobody asks again for a person of whom it is not known whether they are being paged.
const patience = 45 * time.Second

// fast is a clock on which an hour passes in a minute: Slack's limits on how often one may write are not what is tried.
func fast() func() time.Time {
	began := time.Now()
	return func() time.Time { return began.Add(60 * time.Since(began)) }
}

func newOffice(t *testing.T, people int) *office {
	t.Helper()
	w, err := slacktest.New(slacktest.Config{Pace: fast()})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{Workspace: w, people: people, busy: map[int]bool{}}
	t.Cleanup(func() { w.Close(); o.work.Wait() })
	w.AddUser(slacktest.User{ID: asker, Name: "asker"})
	for i := range people {
		w.AddChannel(slacktest.Channel{ID: channel(i), Name: nick(i), BotIn: true})
	}
	return o
}

func channel(i int) string { return fmt.Sprintf("C%03d", i) }

// ask has somebody paged who is not being paged already, from this one on; false where everybody is. Nobody waits for the answer.
func (o *office) ask(ctx context.Context, first int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.people {
		who := (first + i) % o.people
		if o.busy[who] {
			continue
		}
		p := &page{n: len(o.pages) + 1, person: who, asked: time.Now()}
		o.busy[who], o.pages = true, append(o.pages, p)
		o.work.Go(func() { o.request(ctx, p) })
		return true
	}
	return false
}

// request is the command of a page, until its asker knows what came of it: by the answer, by a message to the asker alone, or
// by the card.
func (o *office) request(ctx context.Context, p *page) {
	before := o.refusals(p.person)
	answer, err := o.Type(context.WithoutCancel(ctx), asker, channel(p.person), fmt.Sprintf("/tel %s crash #%d#", nick(p.person), p.n))
	how := accepted
	for end := time.Now().Add(10 * time.Second); err == nil && time.Now().Before(end); {
		if strings.Contains(answer, "NOT accepted") || o.refusals(p.person) > before {
			how = refused
			break
		}
		if o.shown(p) {
			break
		}
		o.rest(20 * time.Millisecond)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	p.answered, p.answer = time.Since(p.asked), answer
	switch {
	case errors.Is(err, slacktest.ErrDispatch):
		o.free(p)
	case err != nil:
		p.promise, p.answer = unsure, err.Error()
	default:
		if p.promise = how; how == refused {
			o.free(p)
		}
	}
}

// refusals is how often an asker was told NOT accepted about somebody.
func (o *office) refusals(person int) (n int) {
	for _, m := range o.Seen(asker, channel(person)) {
		if m.Ephemeral == asker && strings.Contains(m.Plain(), "NOT accepted") {
			n++
		}
	}
	return n
}

// shown tells whether a page has a card.
func (o *office) shown(p *page) bool { return o.shows(p) != noCard }

// rest waits a little: nobody is told when a message comes.
func (o *office) rest(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

// free: the person can be paged again. o.mu is held.
func (o *office) free(p *page) {
	if !p.freed {
		p.freed = true
		delete(o.busy, p.person)
	}
}

var (
	numbered = regexp.MustCompile(`#(\d+)#`)                                                     //nolint:gochecknoglobals // constant
	finals   = regexp.MustCompile(`Confirmed|Nobody was reached|Stopped|Failed|Answered|Partly`) //nolint:gochecknoglobals // constant
)

// look reads every card, and frees the people whose page ended.
func (o *office) look() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.pages {
		p.cards = 0
	}
	for i := range o.people {
		for _, m := range o.Messages(channel(i)) {
			if m.ThreadTS == "" && m.User != asker && m.Ephemeral == "" {
				o.card(&m)
			}
		}
	}
	for _, p := range o.pages {
		if p.promise == unsure && p.cards == 0 && time.Since(p.asked) > patience {
			o.free(p)
		}
	}
}

// card reads one. Of two cards of a page, which there are where a gateway died before it had written down that it posted one, the
// one that is done counts.
func (o *office) card(m *slacktest.Message) {
	text := m.Plain()
	found := numbered.FindStringSubmatch(text)
	if found == nil {
		return
	}
	n, err := strconv.Atoi(found[1])
	if err != nil || n < 1 || n > len(o.pages) {
		return
	}
	p, final := o.pages[n-1], ""
	if slices.ContainsFunc(m.Buttons(), func(b slacktest.Button) bool { return b.Text == "Call again" }) {
		final = finals.FindString(text)
	}
	if p.cards++; p.cards == 1 || final != "" {
		p.final = final
	}
	if p.final == "" {
		return
	}
	if p.seen.IsZero() {
		p.seen = time.Now()
	}
	o.free(p)
}

// promised are the pages that somebody counts on: accepted, or shown on a card.
func (o *office) promised() (all []page) {
	o.look()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.pages {
		if p.promise == accepted || p.cards > 0 {
			all = append(all, *p)
		}
	}
	return all
}

// answered are the requests that have their answer.
func (o *office) answered(how promise) (all []page) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.pages {
		if p.promise == how && p.answered > 0 {
			all = append(all, *p)
		}
	}
	return all
}

// shows is what Slack shows of a page.
func (o *office) shows(p *page) string {
	for _, m := range o.Messages(channel(p.person)) {
		if strings.Contains(m.Plain(), fmt.Sprintf("#%d#", p.n)) && m.User != asker {
			return m.Plain()
		}
	}
	return noCard
}

const noCard = "no card"
