package voice

import (
	"slices"
	"strings"

	"telgate"
)

// ownEnd is why we ended a call ourselves; it comes before everything the peer says afterwards.
type ownEnd int

const (
	ownNone           ownEnd = iota
	ownStop                  // the page no longer wants it
	ownRing                  // ring limit after alerting
	ownSetup                 // setup limit without alerting
	ownNoResponse            // not even 100 within first_response, and another trunk is left
	ownBusyTone              // a busy tone was heard for long enough
	ownCongestionTone        // a congestion tone
	ownSIT                   // a special information tone after a 200 that is not the callee
	ownBadAnswer             // the 2xx carries nothing we can use
	ownCannotListen          // no port or offer of ours: nothing was sent
)

// heard is how much the peer had said by then.
type heard int

const (
	heardNothing  heard = iota
	heardTrying         // 100 only
	heardProgress       // any other 1xx
)

// evidence is what the rows below are matched against.
type evidence struct {
	own       ownEnd
	heard     heard
	alerted   bool
	late      bool // a 2xx came after our CANCEL
	unproven  bool // a 2xx came from a trunk whose answer proves nothing, and the callee did not
	sit       bool // a special information tone was heard
	auth      bool // challenged again after correct credentials
	noBinding bool // the trunk would not register us, and no INVITE was sent
	transport bool // DNS, connect or send failed
	timeout   bool // the transaction ended without a final response
	status    int
	phrase    string
	q850      int
	reasons   []string
	extension bool // of a PBX was called, and no telephone number
	lastHope  bool // no other eligible trunk is left, and those before did not know the number either
}

// verdict is what a row says.
type verdict struct {
	Outcome telgate.Outcome
	Detail  telgate.Detail
	Scope   telgate.Scope
}

// row is one line of the outcome table: the first that matches decides.
type row struct {
	name string // the line in docs and tests
	when func(evidence) bool
	then verdict
}

// classify gives the verdict on a call that was not answered. Calls that were answered are judged in answered.go.
func classify(e evidence) (verdict, string) {
	e = e.normal()
	for _, r := range table() {
		if r.when(e) {
			return r.then, r.name
		}
	}
	return verdict{telgate.OutcomeTrunkFailed, telgate.DetailStatus, telgate.ScopeCall}, "nothing else matches"
}

// normal drops what must not decide: Q.850 causes that are not specific, and every Reason on a status that is about the
// request itself, and reads an unknown status as the x00 of its class (RFC 3261 8.1.3.2).
func (e evidence) normal() evidence {
	if slices.Contains([]int{401, 407, 421, 422, 488, 491}, e.status) {
		e.q850, e.reasons = 0, nil
	}
	if !slices.Contains(knownStatuses(), e.status) && e.status >= 300 {
		e.status = e.status / 100 * 100
	}
	return e
}

func knownStatuses() []int {
	return []int{
		400, 401, 402, 403, 404, 405, 406, 407, 408, 410, 413, 414, 415, 416, 420, 421, 422, 423, 428, 433, 436, 437, 438,
		480, 481, 482, 483, 484, 485, 486, 487, 488, 489, 491, 493, 494,
		500, 501, 502, 503, 504, 505, 513, 580, 600, 603, 604, 606, 607, 608,
	}
}

// table is the outcome table. Groups are numbered as the order of evidence: (1) our own end, (3) what has its own status,
// (4) busy and declined with or without alerting, (5) alerted, (6) the specific Q.850 cause, (7) the status. (2) is a 2xx.
func table() []row {
	call, trunk := telgate.ScopeCall, telgate.ScopeTrunk
	return slices.Concat(ownRows(), []row{
		// (3)
		{"3xx", class(3), verdict{telgate.OutcomeRedirected, telgate.DetailStatus, ""}},
		{"607 unwanted", status(607), verdict{telgate.OutcomeDeclined, telgate.DetailStatus, ""}},
		{"608, 433, 428, 436–438", status(608, 433, 428, 436, 437, 438), verdict{telgate.OutcomeBlocked, telgate.DetailStatus, ""}},
		{"603 Network Blocked, or analytics in Reason", analytics, verdict{telgate.OutcomeBlocked, telgate.DetailStatus, ""}},
		// (4)
		{"Q.850 17", cause(17), verdict{telgate.OutcomeBusy, telgate.DetailQ850, ""}},
		{"Q.850 21, with any status", cause(21), verdict{telgate.OutcomeDeclined, telgate.DetailQ850, ""}},
		{"486, 600", status(486, 600), verdict{telgate.OutcomeBusy, telgate.DetailStatus, ""}},
		{"603 without a Reason", every(status(603), noReason), verdict{telgate.OutcomeDeclined, telgate.DetailStatus, ""}},
		{"603 with 0, 16 or 19 after alerting", every(alerted, status(603), cause(0, 16, 19)), verdict{telgate.OutcomeNoAnswer, telgate.DetailStatus, ""}},
		{"603 without a specific Q.850, or with 19", every(status(603), either(not(specific), cause(19))), verdict{telgate.OutcomeDeclined, telgate.DetailStatus, ""}},
		{"403 after alerting, no Reason", every(alerted, status(403), noReason), verdict{telgate.OutcomeDeclined, telgate.DetailStatus, ""}},
		// (5)
		{"Q.850 19", every(cause(19), not(status(603))), verdict{telgate.OutcomeNoAnswer, telgate.DetailQ850, ""}},
		{"408, 480, 487 after alerting", every(alerted, status(408, 480, 487)), verdict{telgate.OutcomeNoAnswer, telgate.DetailStatus, ""}},
		{"anything else after alerting", alerted, verdict{telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, ""}},
		// (6)
		{"Q.850 1, 22", cause(1, 22), verdict{telgate.OutcomeInvalidNumber, telgate.DetailQ850, ""}},
		{"Q.850 3 of an extension: the PBX knows it, and has no telephone for it", every(extension, cause(3)), verdict{telgate.OutcomeUnreachable, telgate.DetailQ850, ""}},
		{"Q.850 2, 3, 28 from the last trunk", every(cause(2, 3, 28), lastHope), verdict{telgate.OutcomeInvalidNumber, telgate.DetailQ850, ""}},
		{"Q.850 2, 3, 28 with a trunk left", cause(2, 3, 28), verdict{telgate.OutcomeTrunkFailed, telgate.DetailQ850, call}},
		{"Q.850 18, 20, 27", cause(18, 20, 27), verdict{telgate.OutcomeUnreachable, telgate.DetailQ850, ""}},
		{"Q.850 52, 54, 55, 57", cause(52, 54, 55, 57), verdict{telgate.OutcomeTrunkFailed, telgate.DetailQ850, call}},
		{"Q.850 34, 38, 41, 42, 44, 47, 58", cause(34, 38, 41, 42, 44, 47, 58), verdict{telgate.OutcomeTrunkFailed, telgate.DetailQ850, trunk}},
		// (7)
		{"SIT, and the gateway hung up before the callee came", every(unproven, sit), verdict{telgate.OutcomeUnreachable, telgate.DetailSIT, ""}},
		{"the gateway hung up before the callee came", unproven, verdict{telgate.OutcomeUnreachable, telgate.DetailNoAlerting, ""}},
		{"480, 408, 504, 487", status(480, 408, 504, 487), verdict{telgate.OutcomeUnreachable, telgate.DetailStatus, ""}},
		{"410", status(410), verdict{telgate.OutcomeInvalidNumber, telgate.DetailStatus, ""}},
		{"404, 484, 485, 604 from the last trunk", every(status(404, 484, 485, 604), lastHope), verdict{telgate.OutcomeInvalidNumber, telgate.DetailStatus, ""}},
		{"404, 484, 485, 604 with a trunk left", status(404, 484, 485, 604), verdict{telgate.OutcomeTrunkFailed, telgate.DetailStatus, call}},
		{"401, 407 after authentication", either(authRefused, status(401, 407)), verdict{telgate.OutcomeTrunkFailed, telgate.DetailCredentials, trunk}},
		{"not registered: no INVITE was sent", func(e evidence) bool { return e.noBinding }, verdict{telgate.OutcomeTrunkFailed, telgate.DetailNotRegistered, trunk}},
		{"the connection broke after the trunk had taken the call: it may ring", func(e evidence) bool { return e.transport && e.heard != heardNothing }, verdict{telgate.OutcomeTrunkFailed, telgate.DetailNoFinal, trunk}},
		{"no network to the trunk", func(e evidence) bool { return e.transport }, verdict{telgate.OutcomeTrunkFailed, telgate.DetailTransport, trunk}},
		{"the transaction timed out", func(e evidence) bool { return e.timeout }, verdict{telgate.OutcomeTrunkFailed, telgate.DetailNoResponse, trunk}},
		{"5xx, 513, 580", class(5), verdict{telgate.OutcomeTrunkFailed, telgate.DetailStatus, trunk}},
		{"402, 403, 405, 406, 413–416, 420, 421, 482, 483, 488, 493, 606 and other 4xx", either(class(4), class(6)), verdict{telgate.OutcomeTrunkFailed, telgate.DetailStatus, call}},
	})
}

// ownRows is group (1): nothing the peer says about our own CANCEL may change it, but that somebody picked up is a fact.
func ownRows() []row {
	own := func(o ownEnd, more ...func(evidence) bool) func(evidence) bool {
		return func(e evidence) bool { return e.own == o && every(more...)(e) }
	}
	late := func(e evidence) bool { return e.late }
	had := func(h heard) func(evidence) bool { return func(e evidence) bool { return e.heard == h } }
	return []row{
		{"stopped", own(ownStop), verdict{telgate.OutcomeCancelled, "", ""}},
		{"no port or offer of ours", own(ownCannotListen), verdict{telgate.OutcomeTrunkFailed, telgate.DetailLocalMedia, telgate.ScopeCall}},
		{"a 2xx without usable SDP", own(ownBadAnswer), verdict{telgate.OutcomeTrunkFailed, telgate.DetailUnusableAnswer, telgate.ScopeCall}},
		{"a 2xx that crossed our CANCEL", late, verdict{telgate.OutcomeAnswered, telgate.DetailLateAnswer, ""}},
		{"ring limit", own(ownRing), verdict{telgate.OutcomeNoAnswer, telgate.DetailRingLimit, ""}},
		{"busy tone for 3 s", own(ownBusyTone), verdict{telgate.OutcomeBusy, telgate.DetailBusyTone, ""}},
		{"congestion tone for 3 s, after alerting", own(ownCongestionTone, alerted), verdict{telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, ""}},
		{"congestion tone for 3 s", own(ownCongestionTone), verdict{telgate.OutcomeUnreachable, telgate.DetailCongestionTone, ""}},
		{"SIT after alerting, from a gateway that had answered", own(ownSIT, alerted), verdict{telgate.OutcomeNoAnswer, telgate.DetailEndedByNetwork, ""}},
		{"SIT, from a gateway that had answered", own(ownSIT), verdict{telgate.OutcomeUnreachable, telgate.DetailSIT, ""}},
		{"no response at all", own(ownNoResponse), verdict{telgate.OutcomeTrunkFailed, telgate.DetailNoResponse, telgate.ScopeTrunk}},
		{"setup limit, no response at all", own(ownSetup, had(heardNothing)), verdict{telgate.OutcomeTrunkFailed, telgate.DetailNoResponse, telgate.ScopeTrunk}},
		{"setup limit, 100 only", own(ownSetup, had(heardTrying)), verdict{telgate.OutcomeTrunkFailed, telgate.DetailNoFinal, telgate.ScopeCall}},
		{"setup limit after SIT", own(ownSetup, sit), verdict{telgate.OutcomeUnreachable, telgate.DetailSIT, ""}},
		{"setup limit, another 1xx", own(ownSetup), verdict{telgate.OutcomeUnreachable, telgate.DetailNoAlerting, ""}},
	}
}

func status(codes ...int) func(evidence) bool {
	return func(e evidence) bool { return slices.Contains(codes, e.status) }
}

func class(hundreds int) func(evidence) bool {
	return func(e evidence) bool { return e.status/100 == hundreds }
}

func cause(codes ...int) func(evidence) bool {
	return func(e evidence) bool { return e.hasReason() && slices.Contains(codes, e.q850) }
}

func every(conditions ...func(evidence) bool) func(evidence) bool {
	return func(e evidence) bool {
		return !slices.ContainsFunc(conditions, func(c func(evidence) bool) bool { return !c(e) })
	}
}

func either(conditions ...func(evidence) bool) func(evidence) bool {
	return func(e evidence) bool {
		return slices.ContainsFunc(conditions, func(c func(evidence) bool) bool { return c(e) })
	}
}

func not(c func(evidence) bool) func(evidence) bool {
	return func(e evidence) bool { return !c(e) }
}

func alerted(e evidence) bool     { return e.alerted }
func lastHope(e evidence) bool    { return e.lastHope }
func extension(e evidence) bool   { return e.extension }
func authRefused(e evidence) bool { return e.auth }
func unproven(e evidence) bool    { return e.unproven }
func sit(e evidence) bool         { return e.sit }
func noReason(e evidence) bool    { return !e.hasReason() }

// specific tells whether the Q.850 cause says more than "the call ended".
func specific(e evidence) bool {
	return cause(1, 2, 3, 17, 18, 19, 20, 21, 22, 27, 28, 34, 38, 41, 42, 44, 47, 52, 54, 55, 57, 58)(e)
}

// hasReason: a cause of 0 counts only where a Reason header really said so, in its protocol and not in its text.
func (e evidence) hasReason() bool {
	return slices.ContainsFunc(e.reasons, func(r string) bool {
		protocol, _, _ := strings.Cut(r, ";")
		return strings.EqualFold(strings.TrimSpace(protocol), "q.850")
	})
}

// analytics recognises calls refused by a carrier's robocall filter: 603 "Network Blocked" (ATIS-1000099), or its Reason
// text v=analytics1 and the like.
func analytics(e evidence) bool {
	if e.status == 603 && strings.EqualFold(strings.TrimSpace(e.phrase), "network blocked") {
		return true
	}
	return slices.ContainsFunc(e.reasons, func(r string) bool {
		return strings.Contains(strings.ToLower(r), "v=analytics")
	})
}
