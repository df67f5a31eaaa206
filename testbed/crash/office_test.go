//go:build crash

package crash

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"telgate/media/mediatest"
	"telgate/slack/slacktest"
)

const asker = "U0ASKER"

// office is the people who page, and the book of what they were promised.
type office struct {
	*slacktest.Workspace

	mu    sync.Mutex
	pages map[int]*page // by the number in its message
	busy  map[int]bool  // people who are being paged
}

// page is one request.
type page struct {
	n, person int
	accepted  bool // Slack showed no failure, and nobody said NOT accepted
	answer    string
	final     string
}

// fast is a clock on which an hour passes in a minute: Slack's limits on how often one may write are not what is tried.
func fast() func() time.Time {
	began := time.Now()
	return func() time.Time { return began.Add(60 * time.Since(began)) }
}

func newOffice(t *testing.T, people int) *office {
	t.Helper()
	w, err := slacktest.New(slacktest.Config{Now: fast()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	w.AddUser(slacktest.User{ID: asker, Name: "asker"})
	for i := range people {
		w.AddChannel(slacktest.Channel{ID: channel(i), Name: nick(i), BotIn: true})
	}
	return &office{Workspace: w, pages: map[int]*page{}, busy: map[int]bool{}}
}

func channel(i int) string { return fmt.Sprintf("C%03d", i) }

// ask has somebody paged who is not being paged already; false where everybody is.
func (o *office) ask(ctx context.Context, n int, people int, first int) bool {
	o.mu.Lock()
	who := -1
	for i := range people {
		if x := (first + i) % people; !o.busy[x] {
			who = x
			break
		}
	}
	if who < 0 {
		o.mu.Unlock()
		return false
	}
	p := &page{n: n, person: who}
	o.busy[who], o.pages[n] = true, p
	o.mu.Unlock()
	answer, err := o.Type(ctx, asker, channel(who), fmt.Sprintf("/tel %s crash #%d#", nick(who), n))
	o.mu.Lock()
	defer o.mu.Unlock()
	p.accepted, p.answer = err == nil && answer == "", answer
	if err != nil || answer != "" {
		p.answer = fmt.Sprint(answer, err)
	}
	return true
}

var (
	numbered = regexp.MustCompile(`#(\d+)#`)                                                     //nolint:gochecknoglobals // constant
	finals   = regexp.MustCompile(`Confirmed|Nobody was reached|Stopped|Failed|Answered|Partly`) //nolint:gochecknoglobals // constant
)

// look reads every card, and frees the people whose page ended.
func (o *office) look() {
	for i := range o.channels() {
		for _, m := range o.Messages(channel(i)) {
			text := m.Plain()
			found := numbered.FindStringSubmatch(text)
			if found == nil || m.ThreadTS != "" || m.User == asker {
				continue
			}
			n := 0
			_, _ = fmt.Sscan(found[1], &n)
			o.mu.Lock()
			if p := o.pages[n]; p != nil {
				p.final = ""
				if slices.ContainsFunc(m.Buttons(), func(b slacktest.Button) bool { return b.Text == "Call again" }) {
					p.final = finals.FindString(text)
				}
				if p.final != "" {
					o.busy[p.person] = false
				}
			}
			o.mu.Unlock()
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.pages {
		if !p.accepted && p.answer != "" && p.final == "" && strings.Contains(p.answer, "NOT accepted") {
			o.busy[p.person] = false
		}
	}
}

func (o *office) channels() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	most := 0
	for _, p := range o.pages {
		most = max(most, p.person+1)
	}
	return most
}

// open are the accepted pages whose card does not show an end.
func (o *office) open() (open []*page, accepted, confirmed int) {
	o.look()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.pages {
		if !p.accepted {
			continue
		}
		accepted++
		if strings.HasPrefix(p.final, "Confirmed") {
			confirmed++
		}
		if p.final == "" {
			open = append(open, p)
		}
	}
	return open, accepted, confirmed
}

// alert is a recording short enough for many calls.
func alert(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := mediatest.WriteWAV(&b, mediatest.Speech(4*time.Second, 7)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unproven are the confirmed pages of people at whose phone nobody pressed a key.
func (o *office) unproven(pressed map[string][]time.Time) (bad []*page) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.pages {
		if p.final == "Confirmed" && len(pressed[phone(p.person)]) == 0 {
			bad = append(bad, p)
		}
	}
	return bad
}

// card is what Slack shows of a page.
func (o *office) card(p *page) string {
	for _, m := range o.Messages(channel(p.person)) {
		if strings.Contains(m.Plain(), fmt.Sprintf("#%d#", p.n)) && m.User != asker {
			return m.Plain()
		}
	}
	return "no card"
}
