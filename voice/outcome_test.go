package voice

import (
	"testing"

	"telgate"
)

func TestEveryEndingHasItsOutcome(t *testing.T) {
	q := func(cause int) []string { return []string{"Q.850;cause=" + itoa(cause)} }
	refused := func(status, q850 int, alerted bool) evidence {
		e := evidence{status: status, q850: q850, alerted: alerted, heard: heardProgress, lastHope: true}
		if q850 >= 0 {
			e.reasons = q(q850)
		}
		e.q850 = max(0, q850)
		return e
	}
	const a, no = true, -1 // alerted; no Reason header
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
		{"no RTP port", evidence{own: ownCannotListen}, telgate.OutcomeTrunkFailed, telgate.DetailLocalMedia, call},

		{"302", refused(302, no, false), telgate.OutcomeRedirected, telgate.DetailStatus, ""},
		{"380, alerted", refused(380, no, a), telgate.OutcomeRedirected, telgate.DetailStatus, ""},
		{"607", refused(607, no, false), telgate.OutcomeDeclined, telgate.DetailStatus, ""},
		{"608", refused(608, no, a), telgate.OutcomeBlocked, telgate.DetailStatus, ""},
		{"433", refused(433, no, false), telgate.OutcomeBlocked, telgate.DetailStatus, ""},
		{"428", refused(428, no, false), telgate.OutcomeBlocked, telgate.DetailStatus, ""},
		{"438", refused(438, no, false), telgate.OutcomeBlocked, telgate.DetailStatus, ""},
		{"603 Network Blocked", evidence{status: 603, phrase: "Network Blocked"}, telgate.OutcomeBlocked, telgate.DetailStatus, ""},
		{"603 with analytics", evidence{status: 603, q850: 21, reasons: []string{`Q.850;cause=21;text="v=analytics1;url=x"`}}, telgate.OutcomeBlocked, telgate.DetailStatus, ""},

		{"486", refused(486, no, false), telgate.OutcomeBusy, telgate.DetailStatus, ""},
		{"486 after alerting", refused(486, no, a), telgate.OutcomeBusy, telgate.DetailStatus, ""},
		{"600", refused(600, no, false), telgate.OutcomeBusy, telgate.DetailStatus, ""},
		{"503 with 17", refused(503, 17, false), telgate.OutcomeBusy, telgate.DetailQ850, ""},
		{"603", refused(603, no, a), telgate.OutcomeDeclined, telgate.DetailStatus, ""},
		{"603 with 21", refused(603, 21, false), telgate.OutcomeDeclined, telgate.DetailQ850, ""},
		{"480 with 21", refused(480, 21, a), telgate.OutcomeDeclined, telgate.DetailQ850, ""},
		{"603 with 31, which says nothing", refused(603, 31, a), telgate.OutcomeDeclined, telgate.DetailStatus, ""},
		{"603 with 16 after alerting", refused(603, 16, a), telgate.OutcomeNoAnswer, telgate.DetailStatus, ""},
		{"603 with 0 after alerting", refused(603, 0, a), telgate.OutcomeNoAnswer, telgate.DetailStatus, ""},
		{"603 with 19 after alerting", refused(603, 19, a), telgate.OutcomeNoAnswer, telgate.DetailStatus, ""},
		{"603 with 16", refused(603, 16, false), telgate.OutcomeDeclined, telgate.DetailStatus, ""},
		{"403 after alerting", refused(403, no, a), telgate.OutcomeDeclined, telgate.DetailStatus, ""},
		{"403 with 21 after alerting", refused(403, 21, a), telgate.OutcomeDeclined, telgate.DetailQ850, ""},

		{"480 after alerting", refused(480, no, a), telgate.OutcomeNoAnswer, telgate.DetailStatus, ""},
		{"408 after alerting", refused(408, no, a), telgate.OutcomeNoAnswer, telgate.DetailStatus, ""},
		{"487 after alerting", refused(487, no, a), telgate.OutcomeNoAnswer, telgate.DetailStatus, ""},
		{"503 with 34 after alerting", refused(503, 34, a), telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, ""},
		{"404 after alerting", refused(404, 1, a), telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, ""},
		{"480 with 19", refused(480, 19, false), telgate.OutcomeNoAnswer, telgate.DetailQ850, ""},

		{"404 with 1", refused(404, 1, false), telgate.OutcomeInvalidNumber, telgate.DetailQ850, ""},
		{"503 with 22", refused(503, 22, false), telgate.OutcomeInvalidNumber, telgate.DetailQ850, ""},
		{"503 with 28 from the last trunk", refused(503, 28, false), telgate.OutcomeInvalidNumber, telgate.DetailQ850, ""},
		{"503 with 3 and a trunk left", evidence{status: 503, q850: 3, reasons: q(3)}, telgate.OutcomeTrunkFailed, telgate.DetailQ850, call},
		{"502 with 27", refused(502, 27, false), telgate.OutcomeUnreachable, telgate.DetailQ850, ""},
		{"503 with 18", refused(503, 18, false), telgate.OutcomeUnreachable, telgate.DetailQ850, ""},
		{"403 with 57", refused(403, 57, false), telgate.OutcomeTrunkFailed, telgate.DetailQ850, call},
		{"480 with 38", refused(480, 38, false), telgate.OutcomeTrunkFailed, telgate.DetailQ850, trunk},

		{"480", refused(480, no, false), telgate.OutcomeUnreachable, telgate.DetailStatus, ""},
		{"480 with 16, which says nothing", refused(480, 16, false), telgate.OutcomeUnreachable, telgate.DetailStatus, ""},
		{"487", refused(487, no, false), telgate.OutcomeUnreachable, telgate.DetailStatus, ""},
		{"504", refused(504, no, false), telgate.OutcomeUnreachable, telgate.DetailStatus, ""},
		{"410", refused(410, no, false), telgate.OutcomeInvalidNumber, telgate.DetailStatus, ""},
		{"404 from the last trunk", refused(404, no, false), telgate.OutcomeInvalidNumber, telgate.DetailStatus, ""},
		{"484 with a trunk left", evidence{status: 484}, telgate.OutcomeTrunkFailed, telgate.DetailStatus, call},
		{"403", refused(403, no, false), telgate.OutcomeTrunkFailed, telgate.DetailStatus, call},
		{"488 with 21, whose Reason is about the request", refused(488, 17, false), telgate.OutcomeTrunkFailed, telgate.DetailStatus, call},
		{"493", refused(493, no, false), telgate.OutcomeTrunkFailed, telgate.DetailStatus, call},
		{"606", refused(606, no, false), telgate.OutcomeTrunkFailed, telgate.DetailStatus, call},
		{"an unknown 4xx is a 400", refused(499, no, false), telgate.OutcomeTrunkFailed, telgate.DetailStatus, call},
		{"an unknown 6xx is a 600", refused(699, no, false), telgate.OutcomeBusy, telgate.DetailStatus, ""},
		{"401 again", evidence{status: 401, auth: true}, telgate.OutcomeTrunkFailed, telgate.DetailCredentials, trunk},
		{"503", refused(503, no, false), telgate.OutcomeTrunkFailed, telgate.DetailStatus, trunk},
		{"580", refused(580, no, false), telgate.OutcomeTrunkFailed, telgate.DetailStatus, trunk},
		{"an unknown 5xx is a 500", refused(599, no, false), telgate.OutcomeTrunkFailed, telgate.DetailStatus, trunk},
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
			for _, late := range []bool{false, true} {
				_, row := classify(evidence{own: own, heard: h, late: late})
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
	for _, e := range []evidence{{auth: true, status: 401}, {transport: true}, {transport: true, heard: heardTrying}, {timeout: true}} {
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
