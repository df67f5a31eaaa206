package telgate_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telgate"
)

func TestMayTellsWhoMayDoWhat(t *testing.T) {
	policy := telgate.Policy{
		AllowUsers: []string{"UUSER", "UGUEST"}, AllowGroups: []string{"SONCALL"}, AllowChannels: []string{"COPS"},
		Admins: []string{"UADMIN", "UGUESTADMIN"}, SeeNumbers: []string{"USEE"},
	}
	page := telgate.Page{
		Targets: []telgate.Target{{Nick: "alice", Slack: "UTARGET"}, {Nick: "bob"}},
		Askers:  []telgate.Asker{{Actor: telgate.Actor{ID: "UASKED"}}, {Actor: telgate.Actor{ID: "UJOINED"}}, {}},
	}
	type row struct {
		who  string
		by   telgate.Actor
		page []telgate.Action // what they may do without a page
		with []telgate.Action // and to this page
	}
	const (
		ask     = telgate.ActPage
		another = telgate.ActNew
		force   = telgate.ActForce
		stop    = telgate.ActStop
		confirm = telgate.ActConfirm
		see     = telgate.ActSee
		look    = telgate.ActLook
	)
	may := func(a ...telgate.Action) []telgate.Action { return a }
	for _, c := range []row{
		{"a stranger", telgate.Actor{ID: "UEVE"}, nil, nil},
		{"nobody", telgate.Actor{}, nil, nil},
		{"an allowed user", telgate.Actor{ID: "UUSER"}, may(ask, another, look), may(ask, another, look)},
		{"a member of an allowed group", telgate.Actor{ID: "U1", Groups: []string{"SX", "SONCALL"}}, may(ask, another, look), may(ask, another, look)},
		{"a member of another group", telgate.Actor{ID: "U1", Groups: []string{"SX"}}, nil, nil},
		{"somebody in an allowed channel", telgate.Actor{ID: "U1", Channel: "COPS"}, may(ask, another, look), may(ask, another, look)},
		{"somebody in another channel", telgate.Actor{ID: "U1", Channel: "CX"}, nil, nil},
		{"a guest who is allowed by id", telgate.Actor{ID: "UGUEST", Guest: true}, nil, nil},
		{"a guest in an allowed channel", telgate.Actor{ID: "U1", Channel: "COPS", Guest: true}, nil, nil},
		{"an administrator", telgate.Actor{ID: "UADMIN"}, may(ask, another, force, stop, see, look), may(ask, another, force, stop, see, look)},
		{"an administrator who is a guest", telgate.Actor{ID: "UGUESTADMIN", Guest: true}, nil, nil},
		{"one who may see numbers", telgate.Actor{ID: "USEE"}, may(see), may(see)},
		{"a guest who may see numbers", telgate.Actor{ID: "USEE", Guest: true}, nil, nil},
		{"the asker", telgate.Actor{ID: "UASKED"}, nil, may(stop)},
		{"one who joined", telgate.Actor{ID: "UJOINED"}, nil, may(stop)},
		{"the target", telgate.Actor{ID: "UTARGET"}, nil, may(stop, confirm)},
		{"the target as a guest", telgate.Actor{ID: "UTARGET", Guest: true}, nil, may(stop, confirm)},
		{"the command line", telgate.Actor{ID: "local:root", Local: true}, may(ask, another, force, stop, see, look), may(ask, another, force, stop, see, look)},
		{"the command line as the target", telgate.Actor{ID: "UTARGET", Local: true}, may(ask, another, force, stop, see, look), may(ask, another, force, stop, confirm, see, look)},
	} {
		for _, act := range []telgate.Action{ask, another, force, stop, confirm, see, look, "unknown"} {
			if act == "unknown" && c.by.Local {
				continue
			}
			if got, want := policy.May(c.by, act, nil), slices.Contains(c.page, act); got != want {
				t.Errorf("%s may %s: %v, want %v", c.who, act, got, want)
			}
			if got, want := policy.May(c.by, act, &page), slices.Contains(c.with, act); got != want {
				t.Errorf("%s may %s this page: %v, want %v", c.who, act, got, want)
			}
		}
	}
}

func TestTheZeroPolicyAllowsNobodyFromSlack(t *testing.T) {
	for _, act := range constants(t, "policy.go", "Action") {
		for _, by := range []telgate.Actor{{}, {ID: "U1"}, {ID: "U1", Channel: "C1", Groups: []string{"S1", ""}}} {
			if (telgate.Policy{}).May(by, telgate.Action(act), &telgate.Page{Targets: []telgate.Target{{Nick: "bob"}}}) {
				t.Errorf("%+v may %s", by, act)
			}
		}
	}
}

func TestAnEmptyEntryOfAPolicyAllowsNobody(t *testing.T) {
	policy := telgate.Policy{AllowChannels: []string{""}}
	if policy.May(telgate.Actor{ID: "U1"}, telgate.ActPage, nil) {
		t.Error("whoever asks outside a conversation may")
	}
}

func TestNumbersPrintMasked(t *testing.T) {
	for _, c := range []struct {
		number            telgate.Number
		masked, whole, at string
	}{
		{telgate.Number{E164: "+819012345678", Country: "81"}, "+81…78", "+819012345678", "+819012345678"},
		{telgate.Number{E164: "+12025550123", Country: "1"}, "+1…23", "+12025550123", "+12025550123"},
		{telgate.Number{E164: "+442079460000", Country: "44", Trunk: "main", Label: "desk"}, "+44…00", "+442079460000", "+442079460000"},
		{telgate.Number{E164: "+81123", Country: "81"}, "+81…23", "+81123", "+81123"},
		{telgate.Number{E164: "+8112", Country: "81"}, "…", "+8112", "+8112"},
		{telgate.Number{E164: "+81", Country: "81"}, "…", "+81", "+81"},
		{telgate.Number{E164: "+819012345678"}, "+…78", "+819012345678", "+819012345678"},
		{telgate.Number{}, "…", "", ""},
		{telgate.Number{Extension: "7100", Trunk: "pbx"}, "sip:7100@pbx", "sip:7100@pbx", "7100@pbx"},
	} {
		n := c.number
		for what, got := range map[string]string{
			"String": n.String(), "LogValue": n.LogValue().String(), "%v": fmt.Sprintf("%v", n), "%q": strings.Trim(fmt.Sprintf("%q", n), `"`),
			"%+v": fmt.Sprintf("%+v", n), "pointer": fmt.Sprintf("%v", &n),
		} {
			if got != c.masked {
				t.Errorf("%s of %s is %q, want %q", what, c.whole, got, c.masked)
			}
		}
		if n.Whole() != c.whole || n.Key() != c.at {
			t.Errorf("whole %q, key %q; want %q, %q", n.Whole(), n.Key(), c.whole, c.at)
		}
	}
}

func TestALogNeverHoldsAWholeNumber(t *testing.T) {
	n := telgate.Number{E164: "+819012345678", Country: "81"}
	for name, handler := range map[string]func(*strings.Builder) slog.Handler{
		"text": func(b *strings.Builder) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *strings.Builder) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b strings.Builder
		slog.New(handler(&b)).With("with", n).WithGroup("g").Info("call", "number", n, "pointer", &n, slog.Group("h", "number", n))
		if log := b.String(); strings.Contains(log, "12345") || strings.Count(log, "+81…78") != 4 {
			t.Errorf("%s: %s", name, log)
		}
	}
}

func TestANumberInsideSomethingElseIsMaskedToo(t *testing.T) {
	o := telgate.Order{Person: "alice", Number: telgate.Number{E164: "+819012345678", Country: "81"}}
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("call", "order", o)
	slog.New(slog.NewTextHandler(&b, nil)).Info("call", "order", o)
	j, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"log": b.String(), "json": string(j), "%v": fmt.Sprintf("%v", o), "%+v": fmt.Sprintf("%+v", o), "%#v": fmt.Sprintf("%#v", o),
	} {
		if strings.Contains(text, "12345678") {
			t.Errorf("%s: %s", what, text)
		}
	}
}

// full is a page with something in every field.
func full(t *testing.T) telgate.Page {
	t.Helper()
	var p telgate.Page
	fill(t, reflect.ValueOf(&p).Elem())
	return p
}

func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(moment(0)))
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 4))
		fill(t, v.Index(0))
		fill(t, v.Index(1))
	case v.Kind() == reflect.Struct:
		for _, f := range v.Fields() {
			fill(t, f)
		}
	case v.CanInt():
		v.SetInt(7)
	case v.CanUint():
		v.SetUint(7)
	case v.Kind() == reflect.String:
		v.SetString("x")
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	default:
		t.Fatalf("a page has a %s", v.Type())
	}
}

// shared lists what two values have in one memory.
func shared(path string, a, b reflect.Value) []string {
	var at []string
	switch {
	case a.Type() == reflect.TypeFor[time.Time]():
	case a.Kind() == reflect.Pointer:
		if a.Pointer() == b.Pointer() {
			return []string{path}
		}
		return shared(path, a.Elem(), b.Elem())
	case a.Kind() == reflect.Slice:
		if a.Pointer() == b.Pointer() {
			return []string{path}
		}
		for i := range a.Len() {
			at = append(at, shared(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i))...)
		}
	case a.Kind() == reflect.Struct:
		for i := range a.NumField() {
			at = append(at, shared(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))...)
		}
	}
	return at
}

func TestACloneIsEqualAndSharesNothingThatThePagerChanges(t *testing.T) {
	p := full(t)
	c := p.Clone()
	if diff := cmp.Diff(p, c); diff != "" {
		t.Errorf("(-page +clone):\n%s", diff)
	}
	for _, at := range shared("page", reflect.ValueOf(p), reflect.ValueOf(c)) {
		if !strings.HasSuffix(at, ".Groups") && !strings.HasSuffix(at, ".Reasons") && !strings.HasSuffix(at, ".Trace") { // never written after they are set
			t.Errorf("the clone shares %s", at)
		}
	}
	p.Steps[0].Call.Outcome, p.Steps[0].Call.Keys[0].Digit, p.Targets[0].Result = "changed", "9", "changed"
	p.Askers = append(p.Askers, telgate.Asker{})
	p.Askers[0].Message, p.Steps[1].Skip = "changed", "changed"
	if diff := cmp.Diff(full(t), c); diff != "" {
		t.Errorf("the clone changed (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(telgate.Page{}, telgate.Page{}.Clone()); diff != "" {
		t.Errorf("of nothing:\n%s", diff)
	}
}

func TestACloneSharesNothing(t *testing.T) {
	p := full(t)
	for _, at := range shared("page", reflect.ValueOf(p), reflect.ValueOf(p.Clone())) {
		if !strings.HasSuffix(at, ".Trace") { // set once, when the call is over, and large
			t.Errorf("the clone shares %s", at)
		}
	}
}

func TestTheLiveCallIsTheOneWithoutAnOutcome(t *testing.T) {
	over := telgate.Step{N: 1, Call: &telgate.Call{Outcome: telgate.OutcomeBusy}}
	skipped := telgate.Step{N: 2, Skip: telgate.SkipLimit}
	live := telgate.Step{N: 3, Call: &telgate.Call{State: telgate.CallRinging}}
	for _, c := range []struct {
		name  string
		steps []telgate.Step
		want  *telgate.Call
	}{
		{"nothing happened yet", nil, nil},
		{"all are over", []telgate.Step{over, skipped}, nil},
		{"the last is in progress", []telgate.Step{over, skipped, live}, live.Call},
		{"a step was skipped beside it", []telgate.Step{over, live, skipped}, live.Call},
	} {
		if got := (telgate.Page{Steps: c.steps}).Live(); got != c.want {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestATargetIsFoundByItsOwnSlackIdOnly(t *testing.T) {
	p := telgate.Page{Targets: []telgate.Target{{Nick: "bob"}, {Nick: "alice", Slack: "U1"}}}
	for id, want := range map[string]string{"U1": "alice", "U2": "", "": ""} {
		got, ok := p.TargetBySlack(id)
		if got.Nick != want || ok != (want != "") {
			t.Errorf("%q is %+v, %v", id, got, ok)
		}
	}
}

func TestRingAndTalkTimesAreTakenFromTheMoments(t *testing.T) {
	at := func(s int) time.Time { return moment(time.Duration(s) * time.Second) }
	for _, c := range []struct {
		name       string
		times      telgate.CallTimes
		ring, talk time.Duration
	}{
		{"nothing", telgate.CallTimes{}, 0, 0},
		{"never rang", telgate.CallTimes{Dialed: at(0), Ended: at(9)}, 0, 0},
		{"rang and was not answered", telgate.CallTimes{Dialed: at(0), Alerted: at(2), Ended: at(27)}, 25 * time.Second, 0},
		{"rang and was answered", telgate.CallTimes{Dialed: at(0), Alerted: at(2), Answered: at(5), Ended: at(20)}, 3 * time.Second, 15 * time.Second},
		{"answered without ringing", telgate.CallTimes{Dialed: at(0), Answered: at(5), Ended: at(20)}, 0, 15 * time.Second},
		{"in progress", telgate.CallTimes{Dialed: at(0), Alerted: at(2)}, 0, 0},
		{"being talked to", telgate.CallTimes{Dialed: at(0), Alerted: at(2), Answered: at(5)}, 3 * time.Second, 0},
		{"a clock that went back", telgate.CallTimes{Alerted: at(9), Answered: at(5), Ended: at(1)}, 0, 0},
	} {
		if ring, talk := c.times.RingFor(), c.times.TalkFor(); ring != c.ring || talk != c.talk {
			t.Errorf("%s: rang %v, talked %v; want %v, %v", c.name, ring, talk, c.ring, c.talk)
		}
	}
}

func TestOnlyTheKeyOrThePolicyMeansReached(t *testing.T) {
	for _, o := range telgate.Outcomes() {
		for _, detail := range []telgate.Detail{telgate.DetailNone, telgate.DetailListened, telgate.DetailNoKey, telgate.DetailLateAnswer} {
			for _, confirm := range []telgate.Confirm{telgate.ConfirmKey, telgate.ConfirmAnswer, ""} {
				c := telgate.Call{Order: telgate.Order{Confirm: confirm}, Outcome: o, Detail: detail}
				want := o == "confirmed" || o == "answered" && detail == "listened" && confirm == "answer"
				if c.Reached() != want {
					t.Errorf("%s/%s by %q reached: %v", o, detail, confirm, c.Reached())
				}
			}
		}
	}
	for r, want := range map[telgate.Result]bool{
		telgate.Confirmed: true, telgate.Answered: true, telgate.Partial: false, telgate.NotReached: false,
		telgate.Cancelled: false, telgate.Failed: false, "": false,
	} {
		if r.Reached() != want {
			t.Errorf("%q reached: %v", r, r.Reached())
		}
	}
}

func TestOutcomesListsEveryOutcomeOnce(t *testing.T) {
	var listed []string
	for _, o := range telgate.Outcomes() {
		listed = append(listed, string(o))
	}
	if diff := cmp.Diff(constants(t, "outcome.go", "Outcome"), listed); diff != "" {
		t.Errorf("(-declared +listed):\n%s", diff)
	}
}

func TestFaultsAndCausesReadAsSentences(t *testing.T) {
	for want, err := range map[string]error{
		"calls.rng: is not a key":                                  telgate.Fault{Path: "calls.rng", Message: "is not a key"},
		"line 3: calls.rng: is not a key (did you mean \"ring\"?)": telgate.Fault{Path: "calls.rng", Line: 3, Message: "is not a key", Nearest: "ring"},
		"Nobody is called so.":                                     &telgate.Refusal{Reason: telgate.RefusedUnknownName, Message: "Nobody is called so."},
		"call stopped: gateway":                                    &telgate.StopCause{Why: telgate.StopGateway},
		"call stopped: asked by U1":                                &telgate.StopCause{Why: telgate.StopAsked, By: "U1"},
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err.Error(), want)
		}
	}
}

func TestNumbersInATextAreMasked(t *testing.T) {
	for text, want := range map[string]string{
		"+1 202 555 0123 ext 5": "…23 ext 5",
		"tel:+12025550123":      "tel:…23",
		"sip:+12025550123@m":    "sip:…23@m",
		"+1 (202) 555-0123":     "…23",
		"＋８１９０１２３４５６７８":         "…７８",
		"12025550123;postd=1":   "…23;postd=1",
		"sip:7101@main":         "sip:7101@main",
		"911":                   "911",
		"tomorrow":              "tomorrow",
		"202-555-01 23 ":        "…23 ",
		"":                      "",
	} {
		if got := telgate.Masked(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

func TestAPeersWordsAreShownWithoutNumbers(t *testing.T) {
	e := telgate.Event{Kind: telgate.EventCallEnded, Ended: &telgate.Call{Signal: telgate.Signal{
		Phrase: "+819012345678 unknown", Reasons: []string{`Q.850;cause=1;text="819012345678"`}, Warning: `399 192.0.2.1:5060 "no 02012345678"`,
	}}}
	if got := string(e.JSON(false)); strings.Contains(got, "12345") || !strings.Contains(got, "+…78 unknown") || !strings.Contains(got, "192.0.2.1:5060") {
		t.Errorf("%s", got)
	}
	if got := string(e.JSON(true)); !strings.Contains(got, "+819012345678 unknown") {
		t.Errorf("%s", got)
	}
}
