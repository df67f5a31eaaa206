package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"telgate"
)

func somebody(nick string, numbers ...string) telgate.Person {
	p := telgate.Person{Nick: nick}
	for _, n := range numbers {
		p.Numbers = append(p.Numbers, telgate.Number{Extension: n, Trunk: "main"})
	}
	return p
}

// play runs a plan against outcomes by number and writes down what happened, calls taking no time.
func play(p Plan, outcome func(number string, nth int) telgate.Outcome) []string {
	now := time.Unix(0, 0)
	s := &Progress{Began: now}
	rung := map[string]int{}
	var log []string
	for range 100 {
		switch m := p.Next(s, now); m.Kind {
		case MoveDial:
			n := m.Entry.Number.Extension
			rung[n]++
			log = append(log, fmt.Sprintf("%d:%s", m.Round, n))
			p.Note(s, m.Entry, outcome(n, rung[n]), now)
			p.Done(s, m.Entry)
		case MoveWait:
			log = append(log, fmt.Sprint("+", m.Until.Sub(now)))
			now = m.Until
		case MoveCalls, MoveEnd:
			return append(log, "end")
		}
	}
	return append(log, "never ends")
}

func TestAPlanGoesRoundByRound(t *testing.T) {
	policy := Policy{Ring: 25 * time.Second, Rounds: 2, Pause: 20 * time.Second, PageLimit: 30 * time.Minute, BusyRetry: 5 * time.Second, BusyMax: 2}
	always := func(o telgate.Outcome) func(string, int) telgate.Outcome {
		return func(string, int) telgate.Outcome { return o }
	}
	short := policy
	short.PageLimit = 10 * time.Second
	for _, c := range []struct {
		name    string
		policy  Policy
		people  []telgate.Person
		outcome func(string, int) telgate.Outcome
		want    []string
	}{
		{
			"everyone is tried before the pause", policy,
			[]telgate.Person{somebody("alice", "1", "2"), somebody("bob", "3")},
			always(telgate.OutcomeNoAnswer),
			[]string{"1:1", "1:2", "1:3", "+20s", "2:1", "2:2", "2:3", "end"},
		},
		{
			"a shared phone is rung once a round", policy,
			[]telgate.Person{somebody("alice", "1"), somebody("bob", "1")},
			always(telgate.OutcomeNoAnswer),
			[]string{"1:1", "+20s", "2:1", "end"},
		},
		{
			"a busy number is rung again while others go on, at most twice a round", policy,
			[]telgate.Person{somebody("alice", "1"), somebody("bob", "2")},
			func(n string, _ int) telgate.Outcome {
				if n == "1" {
					return telgate.OutcomeBusy
				}
				return telgate.OutcomeNoAnswer
			},
			[]string{"1:1", "1:2", "+5s", "1:1", "+5s", "1:1", "+20s", "2:1", "2:2", "+5s", "2:1", "+5s", "2:1", "end"},
		},
		{
			"a number that does not exist is not rung again", policy,
			[]telgate.Person{somebody("alice", "1", "2")},
			func(n string, _ int) telgate.Outcome {
				if n == "1" {
					return telgate.OutcomeInvalidNumber
				}
				return telgate.OutcomeNoAnswer
			},
			[]string{"1:1", "1:2", "+20s", "2:2", "end"},
		},
		{
			"without a number that exists there is no second round", policy,
			[]telgate.Person{somebody("alice", "1")},
			always(telgate.OutcomeInvalidNumber),
			[]string{"1:1", "end"},
		},
		{
			"the page's limit cuts a pause short", short,
			[]telgate.Person{somebody("alice", "1")},
			always(telgate.OutcomeNoAnswer),
			[]string{"1:1", "+10s", "end"},
		},
		{"nobody", policy, nil, always(telgate.OutcomeNoAnswer), []string{"end"}},
	} {
		if got := play(Build(c.people, c.policy), c.outcome); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %v\nwant %v", c.name, got, c.want)
		}
	}
}

func TestTrunksAreOrderedByHealthAndNeverForbidden(t *testing.T) {
	now := time.Unix(1000, 0)
	trunks := []Trunk{{Name: "a", Kind: PBX}, {Name: "b", Kind: PBX}, {Name: "us", Kind: Carrier, Prefixes: []string{"+1"}}}
	d := dialer(t)
	for _, c := range []struct {
		name   string
		number telgate.Number
		health map[string]Health
		tried  []string
		want   Choice
		ok     bool
	}{
		{"the first in order", telgate.Number{E164: "+819012345678"}, nil, nil, Choice{"a", false}, true},
		{"a resting one comes last", telgate.Number{E164: "+819012345678"}, map[string]Health{"a": {RestUntil: now.Add(time.Minute)}}, nil, Choice{"b", false}, true},
		{
			"all rest: the one that rests shortest",
			telgate.Number{E164: "+819012345678"},
			map[string]Health{"a": {RestUntil: now.Add(time.Minute)}, "b": {RestUntil: now.Add(time.Second)}},
			nil,
			Choice{"b", false},
			true,
		},
		{"rest that is over does not count", telgate.Number{E164: "+819012345678"}, map[string]Health{"a": {RestUntil: now.Add(-1)}}, nil, Choice{"a", false}, true},
		{"not twice in a step", telgate.Number{E164: "+819012345678"}, nil, []string{"a"}, Choice{"b", true}, true},
		{"all tried", telgate.Number{E164: "+819012345678"}, nil, []string{"a", "b"}, Choice{}, false},
		{"a pinned number", telgate.Number{E164: "+12025550123", Trunk: "us"}, nil, nil, Choice{"us", true}, true},
		{"an extension has one trunk", telgate.Number{Extension: "7100", Trunk: "b"}, nil, nil, Choice{"b", true}, true},
	} {
		got, ok, err := d.Route(c.number, trunks, c.health, c.tried, now)
		if got != c.want || ok != c.ok || err != nil {
			t.Errorf("%s: %v %v %v", c.name, got, ok, err)
		}
	}
	if _, ok, err := d.Route(telgate.Number{E164: "+861012345678"}, trunks, nil, nil, now); ok || err == nil {
		t.Error("a forbidden number is routed")
	}
}

func TestATrunkThatFailsRestsLongerEachTime(t *testing.T) {
	now := time.Unix(1000, 0)
	failed := telgate.Call{Outcome: telgate.OutcomeTrunkFailed, Scope: telgate.ScopeTrunk}
	refused := telgate.Call{Outcome: telgate.OutcomeTrunkFailed, Scope: telgate.ScopeTrunk, Detail: telgate.DetailCredentials, Times: telgate.CallTimes{Dialed: now}}
	for _, c := range []struct {
		name  string
		call  telgate.Call
		times int
		want  time.Duration
	}{
		{"once", failed, 1, 5 * time.Second},
		{"twice", failed, 2, 10 * time.Second},
		{"for ever", failed, 40, 5 * time.Minute},
		{"wrong password", refused, 1, time.Minute},
		{"wrong password, again and again", refused, 40, 15 * time.Minute},
	} {
		var h Health
		for range c.times {
			h = h.After(&c.call, now)
		}
		if got := h.RestUntil.Sub(now); got != c.want {
			t.Errorf("%s: rests %v, want %v", c.name, got, c.want)
		}
		if h = h.After(&telgate.Call{Outcome: telgate.OutcomeBusy}, now); h != (Health{}) {
			t.Errorf("%s: a call that got through leaves %v", c.name, h)
		}
	}
}

func TestASharedPhoneIsRungOnceAndReachesAllWhoseItIs(t *testing.T) {
	desk := telgate.Number{Extension: "7100", Trunk: "main"}
	own := telgate.Number{Extension: "7101", Trunk: "main"}
	p := Build([]telgate.Person{{Nick: "a", Numbers: []telgate.Number{desk, desk}}, {Nick: "b", Numbers: []telgate.Number{own, desk}}}, Policy{})
	if len(p.Entries) != 2 {
		t.Errorf("%d entries", len(p.Entries))
	}
	if got := p.Reaches(desk); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("the desk reaches %v", got)
	}
	if got := p.Reaches(own); !slices.Equal(got, []string{"b"}) {
		t.Errorf("b's own reaches %v", got)
	}
}

func TestAWrongCountryIsAFault(t *testing.T) {
	for _, c := range []struct {
		format Format
		good   bool
	}{
		{Format{Style: National, Country: "JP"}, true},
		{Format{Style: E164}, true},
		{Format{Style: National}, false},
		{Format{Style: National, Country: "1"}, false},
		{Format{Style: E164, Country: "Japan"}, false},
	} {
		if err := c.format.Check(); (err == nil) != c.good {
			t.Errorf("%+v: %v", c.format, err)
		} else if err != nil && !strings.Contains(err.Error(), "country") {
			t.Errorf("%+v: the key is country: %v", c.format, err)
		}
	}
}

func TestATrunkThatIsDownIsTriedLastAndOneThatWouldSendNothingAfterIt(t *testing.T) {
	now := time.Unix(1000, 0)
	d, faults := NewDialer(DialConfig{PrefixesAllowed: []string{"+81"}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	trunks := []Trunk{{Name: "refused"}, {Name: "down"}, {Name: "resting"}, {Name: "up"}}
	health := map[string]Health{
		"refused": {Standing: Standing{Down: true, Refused: now.Add(time.Minute)}},
		"down":    {Standing: Standing{Down: true}},
		"resting": {RestUntil: now.Add(time.Hour)},
	}
	var tried []string
	for _, want := range []string{"up", "resting", "down", "refused"} {
		c, ok, err := d.Route(telgate.Number{E164: "+819012345678"}, trunks, health, tried, now)
		if !ok || err != nil || c.Trunk != want || c.Last != (want == "refused") {
			t.Errorf("%+v %v %v, want %s", c, ok, err, want)
		}
		tried = append(tried, c.Trunk)
	}
	if c, _, _ := d.Route(telgate.Number{E164: "+819012345678"}, trunks[:2], health, nil, now.Add(2*time.Minute)); c.Trunk != "refused" {
		t.Errorf("after its rest %s is first", c.Trunk)
	}
}

func TestACallThatWasNotSentLeavesTheTrunksHealthAlone(t *testing.T) {
	h := Health{RestUntil: time.Unix(2000, 0), Failures: 3, Standing: Standing{Down: true}}
	for _, detail := range []telgate.Detail{telgate.DetailCredentials, telgate.DetailNotRegistered} {
		c := telgate.Call{Outcome: telgate.OutcomeTrunkFailed, Scope: telgate.ScopeTrunk, Detail: detail}
		if got := h.After(&c, time.Unix(1000, 0)); got != h {
			t.Errorf("%s: %+v", detail, got)
		}
	}
}

func TestTheLastPersonRingsAfterAtMost(t *testing.T) {
	people := []telgate.Person{somebody("alice", "1", "2"), somebody("bob", "2"), somebody("carol", "3", "4")}
	for _, c := range []struct {
		way  telgate.Way
		want time.Duration
	}{
		{telgate.Way{}, 90 * time.Second},
		{telgate.Way{All: true}, 45 * time.Second}, // bob's only phone is also alice's second
	} {
		p := Build(people, Policy{Ring: 25 * time.Second, Way: c.way})
		if got := p.LastRingsAfter(20 * time.Second); got != c.want {
			t.Errorf("%+v: after %v, want %v", c.way, got, c.want)
		}
	}
}

func TestAPlanWrittenByTheVersionBeforeHuntsForTheFirst(t *testing.T) {
	p, err := Decode([]byte(`{"policy":{"ring":"25s","rounds":1,"pause":"0s","page_limit":"30m0s","busy_retry":"20s","busy_max":2},` +
		`"entries":[{"person":{"nick":"alice"},"number":{"extension":"1","trunk":"pbx"},"ring":"25s"}]}`))
	if err != nil || p.Policy.Way != (telgate.Way{}) {
		t.Fatal(p.Policy, err)
	}
	s, err := p.DecodeProgress([]byte(`{"began":"2026-01-01T00:00:00Z","round":1,"next":0}`))
	if err != nil || p.Next(&s, s.Began).Kind != MoveDial {
		t.Error(err)
	}
}
