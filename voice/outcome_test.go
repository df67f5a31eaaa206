package voice

import (
	"os"
	"strings"
	"testing"

	"telgate"
)

func TestEveryEndingHasItsOutcome(t *testing.T) {
	q := func(cause int) []string { return []string{"Q.850;cause=" + itoa(cause)} }
	const a = true // alerted
	call, trunk := telgate.ScopeCall, telgate.ScopeTrunk
	for _, c := range []struct {
		name string
		e    evidence
		want telgate.Outcome
		det  telgate.Detail
		sc   telgate.Scope
	}{
		{"we stopped", evidence{own: ownStop, status: 487, alerted: a}, telgate.OutcomeCancelled, "", ""},
		{"we stopped, a 200 crossed it", evidence{own: ownStop, late: true, status: 200}, telgate.OutcomeCancelled, "", ""},
		{"ring limit", evidence{own: ownRing, status: 487, alerted: a}, telgate.OutcomeNoAnswer, telgate.DetailRingLimit, ""},
		{"ring limit, a 200 crossed it", evidence{own: ownRing, late: true, alerted: a}, telgate.OutcomeAnswered, telgate.DetailLateAnswer, ""},
		{"setup limit, nothing came", evidence{own: ownSetup}, telgate.OutcomeTrunkFailed, telgate.DetailNoResponse, trunk},
		{"setup limit, 100 only", evidence{own: ownSetup, heard: heardTrying}, telgate.OutcomeTrunkFailed, telgate.DetailNoFinal, call},
		{"setup limit, 183", evidence{own: ownSetup, heard: heardProgress, status: 487}, telgate.OutcomeUnreachable, telgate.DetailNoAlerting, ""},
		{"first_response", evidence{own: ownNoResponse}, telgate.OutcomeTrunkFailed, telgate.DetailNoResponse, trunk},
		{"a 200 we cannot use", evidence{own: ownBadAnswer, status: 200}, telgate.OutcomeTrunkFailed, telgate.DetailUnusableAnswer, call},
		{"refused credentials that rest", evidence{auth: true, transport: true}, telgate.OutcomeTrunkFailed, telgate.DetailCredentials, trunk},
		{"not registered", evidence{noBinding: true, transport: true}, telgate.OutcomeTrunkFailed, telgate.DetailNotRegistered, trunk},
		{"a busy tone in 183", evidence{own: ownBusyTone, heard: heardProgress, status: 487}, telgate.OutcomeBusy, telgate.DetailBusyTone, ""},
		{"a busy tone after ringback", evidence{own: ownBusyTone, alerted: a, status: 487}, telgate.OutcomeBusy, telgate.DetailBusyTone, ""},
		{"a busy tone, a 200 crossed our CANCEL", evidence{own: ownBusyTone, late: true, status: 200}, telgate.OutcomeAnswered, telgate.DetailLateAnswer, ""},
		{"a congestion tone", evidence{own: ownCongestionTone, heard: heardProgress, status: 487}, telgate.OutcomeUnreachable, telgate.DetailCongestionTone, ""},
		{"a congestion tone after alerting", evidence{own: ownCongestionTone, alerted: a}, telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, ""},
		{"setup limit, SIT in 183", evidence{own: ownSetup, heard: heardProgress, sit: true, status: 487}, telgate.OutcomeUnreachable, telgate.DetailSIT, ""},
		{"SIT in 183, then 404", evidence{sit: true, status: 404, lastHope: true}, telgate.OutcomeInvalidNumber, telgate.DetailStatus, ""},
		{"SIT in 183, then 404, with a trunk left", evidence{sit: true, status: 404}, telgate.OutcomeTrunkFailed, telgate.DetailStatus, call},
		{"SIT in 183, then 503", evidence{sit: true, status: 503}, telgate.OutcomeTrunkFailed, telgate.DetailStatus, trunk},
		{"SIT after a 200 that proves nothing", evidence{own: ownSIT, sit: true, unproven: true, status: 200}, telgate.OutcomeUnreachable, telgate.DetailSIT, ""},
		{"SIT after ringback and such a 200", evidence{own: ownSIT, sit: true, unproven: true, alerted: a, status: 200}, telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, ""},
		{"BYE after a 200 that proves nothing", evidence{unproven: true, status: 200}, telgate.OutcomeUnreachable, telgate.DetailNoAlerting, ""},
		{"the same after SIT", evidence{unproven: true, sit: true, status: 200}, telgate.OutcomeUnreachable, telgate.DetailSIT, ""},
		{"the same after ringback", evidence{unproven: true, alerted: a, status: 200}, telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, ""},
		{"the same with Q.850 17", evidence{unproven: true, status: 200, q850: 17, reasons: q(17)}, telgate.OutcomeBusy, telgate.DetailQ850, ""},
		{"no RTP port", evidence{own: ownCannotListen}, telgate.OutcomeTrunkFailed, telgate.DetailLocalMedia, call},

		{"603 Network Blocked", evidence{status: 603, phrase: "Network Blocked"}, telgate.OutcomeBlocked, telgate.DetailStatus, ""},
		{"603 with analytics", evidence{status: 603, q850: 21, reasons: []string{`Q.850;cause=21;text="v=analytics1;url=x"`}}, telgate.OutcomeBlocked, telgate.DetailStatus, ""},
		{"603 after alerting, and a SIP Reason that speaks of Q.850", evidence{status: 603, alerted: a, reasons: []string{`SIP;cause=603;text="from Q.850 0"`}}, telgate.OutcomeDeclined, telgate.DetailStatus, ""},
		{"403 after alerting, likewise", evidence{status: 403, alerted: a, reasons: []string{`SIP;cause=403;text="no Q.850"`}}, telgate.OutcomeDeclined, telgate.DetailStatus, ""},
		{"488, whose Reason is about the request", evidence{status: 488, reasons: []string{`Q.850;cause=88;text="v=analytics1"`}}, telgate.OutcomeTrunkFailed, telgate.DetailStatus, call},
		{"404 with 3 of an extension", evidence{status: 404, q850: 3, reasons: q(3), extension: true, lastHope: true}, telgate.OutcomeUnreachable, telgate.DetailQ850, ""},
		{"404 of an extension", evidence{status: 404, extension: true, lastHope: true}, telgate.OutcomeInvalidNumber, telgate.DetailStatus, ""},
		{"404 with 1 of an extension", evidence{status: 404, q850: 1, reasons: q(1), extension: true, lastHope: true}, telgate.OutcomeInvalidNumber, telgate.DetailQ850, ""},
		{"404 with 28 of an extension", evidence{status: 404, q850: 28, reasons: q(28), extension: true, lastHope: true}, telgate.OutcomeInvalidNumber, telgate.DetailQ850, ""},
		{"404 with 3 of a telephone number", evidence{status: 404, q850: 3, reasons: q(3), lastHope: true}, telgate.OutcomeInvalidNumber, telgate.DetailQ850, ""},
		{"503 with 3 and a trunk left", evidence{status: 503, q850: 3, reasons: q(3)}, telgate.OutcomeTrunkFailed, telgate.DetailQ850, call},
		{"484 with a trunk left", evidence{status: 484}, telgate.OutcomeTrunkFailed, telgate.DetailStatus, call},
		{"401 again", evidence{status: 401, auth: true}, telgate.OutcomeTrunkFailed, telgate.DetailCredentials, trunk},
		{"the connection broke", evidence{transport: true}, telgate.OutcomeTrunkFailed, telgate.DetailTransport, trunk},
		{"the connection broke after alerting", evidence{transport: true, alerted: a}, telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, ""},
		{"Timer B", evidence{timeout: true}, telgate.OutcomeTrunkFailed, telgate.DetailNoResponse, trunk},
	} {
		v, row := classify(c.e)
		if v.Outcome != c.want || v.Detail != c.det || v.Scope != c.sc {
			t.Errorf("%s: %s/%s/%s by %q, want %s/%s/%s", c.name, v.Outcome, v.Detail, v.Scope, row, c.want, c.det, c.sc)
		}
	}
}

func TestEveryRefusalHasItsOutcome(t *testing.T) {
	for _, r := range refusals() {
		e := evidence{status: r.status, q850: max(0, r.q850), alerted: r.rings, heard: heardProgress, lastHope: true}
		if r.q850 >= 0 {
			e.reasons = []string{"Q.850;cause=" + itoa(r.q850)}
		}
		if v, row := classify(e); v != r.want {
			t.Errorf("%s: %v by %q, want %v", r.name, v, row, r.want)
		}
	}
}

// refusal is a final response, and what it means where no other trunk is left.
type refusal struct {
	name   string
	status int
	q850   int // no = no Reason header
	rings  bool
	want   verdict
}

const no = -1

func refusals() []refusal {
	call, trunk := telgate.ScopeCall, telgate.ScopeTrunk
	return []refusal{
		{"302", 302, no, false, verdict{telgate.OutcomeRedirected, telgate.DetailStatus, ""}},
		{"380, alerted", 380, no, true, verdict{telgate.OutcomeRedirected, telgate.DetailStatus, ""}},
		{"607", 607, no, false, verdict{telgate.OutcomeDeclined, telgate.DetailStatus, ""}},
		{"608", 608, no, true, verdict{telgate.OutcomeBlocked, telgate.DetailStatus, ""}},
		{"433", 433, no, false, verdict{telgate.OutcomeBlocked, telgate.DetailStatus, ""}},
		{"428", 428, no, false, verdict{telgate.OutcomeBlocked, telgate.DetailStatus, ""}},
		{"438", 438, no, false, verdict{telgate.OutcomeBlocked, telgate.DetailStatus, ""}},

		{"486", 486, no, false, verdict{telgate.OutcomeBusy, telgate.DetailStatus, ""}},
		{"486 after alerting", 486, no, true, verdict{telgate.OutcomeBusy, telgate.DetailStatus, ""}},
		{"600", 600, no, false, verdict{telgate.OutcomeBusy, telgate.DetailStatus, ""}},
		{"503 with 17", 503, 17, false, verdict{telgate.OutcomeBusy, telgate.DetailQ850, ""}},
		{"603", 603, no, true, verdict{telgate.OutcomeDeclined, telgate.DetailStatus, ""}},
		{"603 with 21", 603, 21, false, verdict{telgate.OutcomeDeclined, telgate.DetailQ850, ""}},
		{"480 with 21", 480, 21, true, verdict{telgate.OutcomeDeclined, telgate.DetailQ850, ""}},
		{"603 with 31, which says nothing", 603, 31, true, verdict{telgate.OutcomeDeclined, telgate.DetailStatus, ""}},
		{"603 with 16 after alerting", 603, 16, true, verdict{telgate.OutcomeNoAnswer, telgate.DetailStatus, ""}},
		{"603 with 0 after alerting", 603, 0, true, verdict{telgate.OutcomeNoAnswer, telgate.DetailStatus, ""}},
		{"603 with 19 after alerting", 603, 19, true, verdict{telgate.OutcomeNoAnswer, telgate.DetailStatus, ""}},
		{"603 with 16", 603, 16, false, verdict{telgate.OutcomeDeclined, telgate.DetailStatus, ""}},
		{"403 after alerting", 403, no, true, verdict{telgate.OutcomeDeclined, telgate.DetailStatus, ""}},
		{"403 with 21 after alerting", 403, 21, true, verdict{telgate.OutcomeDeclined, telgate.DetailQ850, ""}},

		{"480 after alerting", 480, no, true, verdict{telgate.OutcomeNoAnswer, telgate.DetailStatus, ""}},
		{"408 after alerting", 408, no, true, verdict{telgate.OutcomeNoAnswer, telgate.DetailStatus, ""}},
		{"487 after alerting", 487, no, true, verdict{telgate.OutcomeNoAnswer, telgate.DetailStatus, ""}},
		{"503 with 34 after alerting", 503, 34, true, verdict{telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, ""}},
		{"404 after alerting", 404, 1, true, verdict{telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, ""}},
		{"480 with 19", 480, 19, false, verdict{telgate.OutcomeNoAnswer, telgate.DetailQ850, ""}},

		{"404 with 1", 404, 1, false, verdict{telgate.OutcomeInvalidNumber, telgate.DetailQ850, ""}},
		{"503 with 22", 503, 22, false, verdict{telgate.OutcomeInvalidNumber, telgate.DetailQ850, ""}},
		{"503 with 28 from the last trunk", 503, 28, false, verdict{telgate.OutcomeInvalidNumber, telgate.DetailQ850, ""}},
		{"502 with 27", 502, 27, false, verdict{telgate.OutcomeUnreachable, telgate.DetailQ850, ""}},
		{"503 with 18", 503, 18, false, verdict{telgate.OutcomeUnreachable, telgate.DetailQ850, ""}},
		{"403 with 57", 403, 57, false, verdict{telgate.OutcomeTrunkFailed, telgate.DetailQ850, call}},
		{"480 with 38", 480, 38, false, verdict{telgate.OutcomeTrunkFailed, telgate.DetailQ850, trunk}},

		{"480", 480, no, false, verdict{telgate.OutcomeUnreachable, telgate.DetailStatus, ""}},
		{"480 with 16, which says nothing", 480, 16, false, verdict{telgate.OutcomeUnreachable, telgate.DetailStatus, ""}},
		{"487", 487, no, false, verdict{telgate.OutcomeUnreachable, telgate.DetailStatus, ""}},
		{"504", 504, no, false, verdict{telgate.OutcomeUnreachable, telgate.DetailStatus, ""}},
		{"410", 410, no, false, verdict{telgate.OutcomeInvalidNumber, telgate.DetailStatus, ""}},
		{"404 from the last trunk", 404, no, false, verdict{telgate.OutcomeInvalidNumber, telgate.DetailStatus, ""}},
		{"403", 403, no, false, verdict{telgate.OutcomeTrunkFailed, telgate.DetailStatus, call}},
		{"488 with 21, whose Reason is about the request", 488, 17, false, verdict{telgate.OutcomeTrunkFailed, telgate.DetailStatus, call}},
		{"493", 493, no, false, verdict{telgate.OutcomeTrunkFailed, telgate.DetailStatus, call}},
		{"606", 606, no, false, verdict{telgate.OutcomeTrunkFailed, telgate.DetailStatus, call}},
		{"an unknown 4xx is a 400", 499, no, false, verdict{telgate.OutcomeTrunkFailed, telgate.DetailStatus, call}},
		{"an unknown 6xx is a 600", 699, no, false, verdict{telgate.OutcomeBusy, telgate.DetailStatus, ""}},
		{"503", 503, no, false, verdict{telgate.OutcomeTrunkFailed, telgate.DetailStatus, trunk}},
		{"580", 580, no, false, verdict{telgate.OutcomeTrunkFailed, telgate.DetailStatus, trunk}},
		{"an unknown 5xx is a 500", 599, no, false, verdict{telgate.OutcomeTrunkFailed, telgate.DetailStatus, trunk}},
	}
}

func TestOnceAPhoneWasAlertedNothingIsATrunksFailure(t *testing.T) {
	for status := 300; status < 700; status++ {
		for _, q850 := range []int{0, 1, 16, 17, 21, 27, 34, 38, 41, 47, 58} {
			v, row := classify(evidence{status: status, alerted: true, q850: q850, reasons: []string{"Q.850;cause=" + itoa(q850)}})
			if v.Outcome == telgate.OutcomeTrunkFailed || v.Outcome == telgate.OutcomeInvalidNumber || v.Scope != telgate.ScopeNone {
				t.Errorf("%d with %d is %s by %q", status, q850, v.Outcome, row)
			}
		}
	}
}

func TestEveryRowOfTheTableCanBeReached(t *testing.T) {
	reached := map[string]bool{}
	for own := ownNone; own <= ownCannotListen; own++ {
		for h := heardNothing; h <= heardProgress; h++ {
			for i := range 8 {
				_, row := classify(evidence{own: own, heard: h, late: i&1 > 0, alerted: i&2 > 0, sit: i&4 > 0})
				reached[row] = true
			}
		}
	}
	for status := 300; status < 700; status++ {
		for q850 := -1; q850 < 60; q850++ {
			for i := range 8 {
				e := evidence{status: status, alerted: i&1 > 0, lastHope: i&2 > 0, q850: max(0, q850), heard: heardProgress}
				if q850 >= 0 {
					e.reasons = []string{"Q.850;cause=" + itoa(q850)}
				} else if i&4 > 0 {
					e.reasons = []string{"SIP;cause=580;text=\"v=analytics1\""}
				}
				_, row := classify(e)
				reached[row] = true
			}
		}
	}
	for _, e := range []evidence{
		{auth: true, status: 401},
		{noBinding: true, transport: true},
		{transport: true},
		{transport: true, heard: heardTrying},
		{timeout: true},
		{unproven: true, status: 200},
		{unproven: true, status: 200, sit: true},
		{extension: true, status: 404, q850: 3, reasons: []string{"Q.850;cause=3"}},
	} {
		_, row := classify(e)
		reached[row] = true
	}
	for _, r := range table() {
		if !reached[r.name] {
			t.Errorf("no call can end by %q", r.name)
		}
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestTheDocumentationNamesEveryOutcomeAndDetail(t *testing.T) {
	page, err := os.ReadFile("../docs/outcomes.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{} // of an outcome with its scope: what the second column says
	outcome := ""
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 { // of another table
			continue
		}
		if first := strings.ReplaceAll(strings.TrimSpace(cells[1]), "`", ""); first != "" {
			outcome = first
		}
		said[outcome] += cells[2] + ","
	}
	told := func(o telgate.Outcome, d telgate.Detail, s telgate.Scope) {
		key := string(o)
		if s != telgate.ScopeNone {
			key += ", scope " + string(s)
		}
		if details, ok := said[key]; !ok || d != "" && !strings.Contains(details, "`"+string(d)+"`") {
			t.Errorf("docs/outcomes.md does not name %s/%s", key, d)
		}
	}
	for _, r := range table() {
		told(r.then.Outcome, r.then.Detail, r.then.Scope)
	}
	for _, o := range telgate.Outcomes() {
		if o != telgate.OutcomeTrunkFailed {
			told(o, "", "")
		}
	}
	for _, d := range []telgate.Detail{ // what the table does not decide
		telgate.DetailNoAudio, telgate.DetailHungUpEarly, telgate.DetailHungUp, telgate.DetailNoKey, telgate.DetailListened, telgate.DetailHeld,
		telgate.DetailEndedByNetwork, telgate.DetailNotHuman,
	} {
		told(telgate.OutcomeAnswered, d, "")
	}
	told(telgate.OutcomeVoicemail, telgate.DetailDiversion, "")
	told(telgate.OutcomeLost, telgate.DetailMayHaveRung, "")
}
