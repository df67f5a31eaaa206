package storetest

import (
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"telgate"
	"telgate/pager"
)

//nolint:gochecknoglobals // a table of tests
var archive = []test{
	{name: "a mute is kept in place of the one before, until it is over", run: func(s *suite) {
		at := func(seconds int) time.Time { return time.Date(2026, 8, 1, 12, 0, seconds, 0, time.UTC) }
		for _, m := range []telgate.Mute{
			{Nick: "alice", Until: at(60), By: "U1", At: at(0)},
			{Nick: "bob", Until: at(30), By: "UADMIN", At: at(1)},
			{Nick: "alice", Until: at(90), By: "U1", At: at(2)},
		} {
			if err := s.a.Pages.PutMute(s.Context(), &m); err != nil {
				s.Fatal(err)
			}
		}
		want := []telgate.Mute{{Nick: "bob", Until: at(30), By: "UADMIN", At: at(1)}, {Nick: "alice", Until: at(90), By: "U1", At: at(2)}}
		for after, want := range map[int][]telgate.Mute{0: want, 30: want[1:], 90: nil} {
			got, err := s.b.Pages.Mutes(s.Context(), at(after))
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
				s.Errorf("after %d: %v (-want +got):\n%s", after, err, diff)
			}
		}
	}},
	{name: "a page that is not there is nil", run: func(s *suite) {
		if p, err := s.a.Pages.Page(s.Context(), "p0"); p != nil || err != nil {
			s.Errorf("Page: %v, %v", p, err)
		}
	}},
	{name: "every fact of a page and its calls is kept", run: func(s *suite) {
		p := Full()
		var zero []string
		findZero(reflect.ValueOf(p), "page", &zero)
		for _, field := range zero {
			s.Errorf("the test says nothing about %s", field)
		}
		first := page("p1", "alice")
		first.Askers, first.Way, first.Forced = p.Clone().Askers, p.Way, p.Forced
		h := s.accept(acceptance(first))
		s.save(s.a, &pager.Change{Hold: h, Page: p})
		s.same(s.b, p)
	}},
	{name: "steps before the first that changed are kept as they are", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		s.begin(s.a, begins(h, &p, "c1", number(1), "main"), pager.Granted)
		f := over(&p, telgate.OutcomeBusy)
		s.save(s.a, &pager.Change{Hold: h, Page: p, Freed: []pager.Freed{f}})
		want := p.Clone()
		p.Steps[0] = telgate.Step{}
		p.Steps = append(p.Steps, telgate.Step{N: 2, Round: 1, Person: "alice", Number: number(2), Skip: telgate.SkipNoLine, At: accepted()})
		p.Version++
		s.save(s.a, &pager.Change{Hold: h, Page: p, From: 1})
		want.Steps, want.Version = append(want.Steps, p.Steps[1]), p.Version
		s.same(s.a, want)
	}},
	{name: "pages that run are found, and the newest that ended, newest first", run: func(s *suite) {
		for _, id := range []telgate.PageID{"p1", "p2", "p3", "p4", "p5", "p6"} {
			p := page(id, "alice")
			h := s.accept(acceptance(p))
			if id != "p2" && id != "p6" {
				p.State, p.Result, p.Version = telgate.PageEnded, telgate.NotReached, 2
				s.save(s.a, &pager.Change{Hold: h, Page: p})
			}
		}
		for most, want := range map[int]string{-1: "p6p2", 1: "p5", 3: "p5p4p3", 10: "p5p4p3p1"} {
			got, err := s.b.Pages.Running(s.Context())
			if most > 0 {
				got, err = s.b.Pages.Ended(s.Context(), most)
			}
			var ids []string
			for _, p := range got {
				ids = append(ids, string(p.ID))
				if len(p.Targets) != 1 || len(p.Askers) != 1 {
					s.Errorf("page %+v", p)
				}
			}
			if err != nil || strings.Join(ids, "") != want {
				s.Errorf("the newest %d: %s, %v, want %s", most, ids, err, want)
			}
		}
	}},
	{name: "who was rung is found by the number, at either side, for the newest page", run: func(s *suite) {
		shared := []string{"alice", "bob"}
		old := page("p1", "alice")
		h := s.accept(acceptance(old))
		b := begins(h, &old, "c1", number(1), "main")
		b.Nicks = []string{"alice"}
		s.begin(s.a, b, pager.Granted)
		b = begins(h, &old, "c1b", number(2), "main")
		b.Nicks = []string{"alice"}
		s.begin(s.a, b, pager.Granted)
		old.State, old.Result = telgate.PageEnded, telgate.NotReached
		free := []pager.Freed{over(&old, telgate.OutcomeNoAnswer), {Call: "c1", Number: number(1).Key()}}
		s.save(s.a, &pager.Change{Hold: h, Page: old, From: 2, Freed: free})
		p := page("p2", shared...)
		h = s.accept(acceptance(p))
		b = begins(h, &p, "c2", number(1), "main")
		b.Nicks = shared
		s.begin(s.a, b, pager.Granted)
		call(&p, "c3", number(3), "main") // which was forwarded: its second INVITE rings another phone
		forwarded := &pager.Beginning{
			Change: pager.Change{Hold: h, Page: p.Clone(), From: 1}, Call: "c3", Number: number(4).Key(), Trunk: "main", Counts: true, Nicks: shared[:1],
			RingUntil: b.RingUntil,
		}
		s.begin(s.a, forwarded, pager.Granted)
		for _, c := range []struct {
			keys   []string
			within time.Duration
			want   *pager.Rung
		}{
			{[]string{number(1).Key()}, time.Hour, &pager.Rung{Page: "p2", Nicks: shared, Number: number(1)}},
			{[]string{number(2).Key()}, time.Hour, &pager.Rung{Page: "p1", Nicks: shared[:1], Number: number(2)}},
			{[]string{number(9).Key(), number(2).Key(), number(1).Key()}, time.Hour, &pager.Rung{Page: "p1", Nicks: shared[:1], Number: number(2)}},
			{[]string{number(4).Key()}, time.Hour, &pager.Rung{Page: "p2", Nicks: shared[:1], Number: number(3)}},
			{[]string{number(1).Key()}, -time.Hour, nil},
			{[]string{number(9).Key()}, time.Hour, nil},
			{nil, time.Hour, nil},
		} {
			for _, at := range []Side{s.a, s.b} {
				got, err := at.Pages.Rang(s.Context(), c.keys, c.within)
				if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
					s.Errorf("%v within %v: %v (-want +got):\n%s", c.keys, c.within, err, diff)
				}
			}
		}
	}},
	{name: "a page that has ended is amended by who read its newest version", run: func(s *suite) {
		p := page("p1", "alice")
		h := s.accept(acceptance(p))
		if err := s.a.Pages.Amend(s.Context(), &p, 1); !errors.Is(err, pager.ErrFenced) {
			s.Errorf("a page that runs was amended: %v", err)
		}
		p.State, p.Result, p.Version, p.Ended = telgate.PageEnded, telgate.NotReached, 2, accepted().Add(time.Hour)
		p.Targets[0].Result = telgate.NotReached
		s.save(s.a, &pager.Change{Hold: h, Page: p})
		p.Result, p.Late, p.Version = telgate.Confirmed, true, 3
		t := &p.Targets[0]
		t.Result, t.By, t.Via, t.At = telgate.Confirmed, "UA", telgate.ViaSlack, accepted()
		p.Askers = append(p.Askers, telgate.Asker{Actor: telgate.Actor{ID: "U2"}, Message: "too", At: accepted()})
		for _, want := range []error{nil, pager.ErrFenced} { // the second read version 2 as well
			if err := s.b.Pages.Amend(s.Context(), &p, 2); !errors.Is(err, want) {
				s.Errorf("Amend: %v, want %v", err, want)
			}
		}
		s.same(s.a, p)
		if err := s.b.Pages.Amend(s.Context(), &telgate.Page{ID: "p0"}, 0); !errors.Is(err, pager.ErrFenced) {
			s.Errorf("a page that is not there was amended: %v", err)
		}
	}},
}

// Full is page p1 with everything that a page can have.
func Full() telgate.Page {
	at := func(s int) time.Time { return accepted().Add(time.Duration(s) * time.Second) }
	p := page("p1", "alice")
	p.Version, p.State, p.Result, p.Late, p.Ended, p.Stopped = 7, telgate.PageEnded, telgate.Confirmed, true, at(100), "Ann"
	p.Way, p.Forced = telgate.Way{All: true, RollCall: true}, "UADMIN"
	p.Wait = telgate.Wait{WaitsFor: at(90), WaitsLine: "main", Paused: true}
	a := &p.Askers[0]
	a.Guest, a.Unknown, a.Local = true, true, true
	t := &p.Targets[0]
	t.Result, t.By, t.Via, t.At, t.CalledBack = telgate.Confirmed, "+1…01", telgate.ViaKey, at(80), at(81)
	n := telgate.Number{E164: "+12025550101", Country: "1", Extension: "7100", Trunk: "pbx", Label: "desk", Ring: 9 * time.Second}
	c := telgate.Call{
		Order: telgate.Order{
			Call: "c1", Page: "p1", Person: "alice", Step: 1, Round: 2, Number: n, Forward: "7101", Spent: time.Second, Trunk: "main",
			LastHope: true, Unheard: true, Ring: 9 * time.Second, Language: "ja", Prompt: "alert", Confirm: telgate.ConfirmKey,
		},
		State: telgate.CallEnded, Outcome: telgate.OutcomeConfirmed, Detail: telgate.DetailStatus, Scope: telgate.ScopeCall,
		Times: telgate.CallTimes{Dialed: at(1), Alerted: at(2), Answered: at(3), Ended: at(4), RingUntil: at(5)},
		Signal: telgate.Signal{
			Status: 200, Phrase: "OK", Q850: 16, Reasons: []string{"Q.850;cause=16"}, Warning: "399 x", Server: "PBX", RetryAfter: time.Second,
			RedirectTo: "7102", DivertedTo: "7103", ToTags: 2, Alerting: telgate.AlertingSignalled, SIPCallID: "x@y", Err: "none",
		},
		Audio: telgate.Audio{
			Codec: "PCMU", Media: telgate.MediaSRTP, Suite: "AES_CM_128_HMAC_SHA1_80", Early: telgate.EarlyRingback, Prompt: 7 * time.Second,
			RTP: telgate.RTP{Sent: 1, Received: 2, Lost: 3, Rejected: 4, RejectedFor: telgate.RejectedKey},
		},
		Keys:   []telgate.Key{{Digit: "1", Via: "rfc4733", After: 3 * time.Second, Early: true, Confirms: true}},
		Ending: telgate.Ending{Transport: "udp", Peer: "192.0.2.1:5060", Request: "CANCEL sip:7101@pbx SIP/2.0\r\n\r\n"},
		Trace: []telgate.SIPMessage{{
			At: at(1), Sent: true, Transport: "UDP", Local: "192.0.2.1:5060", Remote: "192.0.2.2:5060", Line: "INVITE sip:x", SDP: "audio",
			Text: "whole", Skipped: 1,
		}},
	}
	p.Steps = []telgate.Step{{N: 1, Round: 2, Person: "alice", Number: n, Call: &c, Skip: telgate.SkipEnded, At: at(1)}}
	return p
}

// findZero names the fields that have no value.
func findZero(v reflect.Value, name string, zero *[]string) {
	switch {
	case v.IsZero():
		*zero = append(*zero, name)
	case v.Kind() == reflect.Pointer:
		findZero(v.Elem(), name, zero)
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			findZero(v.Index(i), name, zero)
		}
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		for i := range v.NumField() {
			findZero(v.Field(i), name+"."+v.Type().Field(i).Name, zero)
		}
	}
}
