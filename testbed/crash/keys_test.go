//go:build crash

package crash

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"telgate/media/mediatest"
)

// What a key is worth is seen at the telephone: who pressed it hears the thanks, or does not. Who heard them was told that the
// page is theirs: from then on it must be confirmed, whatever dies, and nobody may be rung for it. Who was cut off before that
// was told nothing. Whether their key had come in by then cannot be seen from outside, so it may be in vain; such keys are
// counted, and not judged.

// enough is how much of the thanks somebody must have heard to have been told. Thanks begin with the next packet after the
// key and do not wait for the database: a gateway may be killed in between, and its last packets are no promise.
const enough = 500 * time.Millisecond

// farewell is the recording that says thanks, and nothing like the alert.
func farewell() []int16 { return mediatest.Speech(2*time.Second, 11) }

// thankedFor is how much of the thanks is in what was heard; 0 where it is not enough.
func thankedFor(heard []int16) time.Duration {
	said := farewell()
	m := mediatest.Correlate(heard, said[:mediatest.Samples(enough)])
	if m.Score < 0.8 || m.Offset < 0 {
		return 0
	}
	if told := time.Duration(min(len(heard)-m.Offset, len(said))) * time.Second / mediatest.Rate; told >= enough {
		return told
	}
	return 0
}

// thanksKills ends by kill -9 what somebody talks to who has just pressed the key: at some moment from the key to shortly after
// the BYE.
func (w *world) thanksKills(t *testing.T, many int) {
	t.Helper()
	for range many {
		port, pressed := w.farm.nextKey(time.Minute)
		if !pressed {
			t.Error("nobody presses a key")
			return
		}
		pass(t, time.Duration(w.dice.IntN(3000))*time.Millisecond)
		for _, g := range w.gateways {
			if g.sip == port {
				g.kill()
				g.start()
			}
		}
		for _, g := range w.gateways {
			if !g.ready(30 * time.Second) {
				t.Errorf("%s does not come back", g.name)
			}
		}
	}
}

// proven holds that somebody was told in time for a story to have tried anything.
func (c *counts) proven(t *testing.T) {
	t.Helper()
	if c.told < c.kills/2 {
		t.Errorf("%d kills, and only %d people heard the thanks", c.kills, c.told)
	}
}

// keys holds what people were told at their phones against what became of a page.
func (w *world) keys(t *testing.T, c *counts, promised []page, p *page, lines []ringing) {
	t.Helper()
	told := slices.IndexFunc(lines, func(l ringing) bool { return !l.thanked.IsZero() && w.only(promised, p, &l) })
	pressed := slices.IndexFunc(lines, func(l ringing) bool { return len(l.pressed) > 0 })
	switch {
	case told >= 0:
		c.told++
		l := lines[told]
		if again := w.rungAfter(promised, p, lines, l.thanked); p.final != "Confirmed" || again != nil {
			c.vain++
			t.Errorf("page #%d for %s: the key in the call that began at %s was answered with %s of thanks, and then: %s",
				p.n, nick(p.person), l.began.Format(clock), l.thanks, afterwards(p, again))
		}
	case pressed >= 0 && (p.final != "Confirmed" || w.rungAfter(promised, p, lines, lines[pressed].pressed[0]) != nil):
		c.untold++
	}
}

// rungAfter is a ring for a page that began after a moment; nil if none.
func (w *world) rungAfter(promised []page, p *page, lines []ringing, at time.Time) *ringing {
	i := slices.IndexFunc(lines, func(l ringing) bool { return l.began.After(at) && w.only(promised, p, &l) })
	if i < 0 {
		return nil
	}
	return &lines[i]
}

func afterwards(p *page, again *ringing) string {
	if again != nil {
		return fmt.Sprintf("%s was rung at %s", again.user, again.began.Format(clock))
	}
	return fmt.Sprintf("it is %q", p.final)
}

// of are the rings for a page: at a phone of the person, in a call that began while the page ran.
func (w *world) of(lines []ringing, p *page) (mine []ringing) {
	phones := w.phones(p.person)
	for _, l := range lines {
		if slices.Contains(phones, l.user) && l.began.After(p.asked) && (p.seen.IsZero() || l.began.Before(p.seen)) {
			mine = append(mine, l)
		}
	}
	return mine
}

// only tells whether a ring was for this page and cannot have been for another one: people may share a phone.
func (w *world) only(promised []page, p *page, l *ringing) bool {
	return !slices.ContainsFunc(promised, func(other page) bool {
		return other.n != p.n && len(w.of([]ringing{*l}, &other)) > 0
	})
}
