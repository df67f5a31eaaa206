package telgate

// Outcome is the one way a call ended.
type Outcome string

// The outcomes of a call. Only OutcomeConfirmed reached somebody, and OutcomeAnswered where the policy says so.
const (
	OutcomeConfirmed     Outcome = "confirmed"      // the confirm key came from the callee's own dialog
	OutcomeAnswered      Outcome = "answered"       // picked up, and ended without the key
	OutcomeVoicemail     Outcome = "voicemail"      // a machine picked up
	OutcomeNoAnswer      Outcome = "no_answer"      // it rang, and nobody picked up
	OutcomeBusy          Outcome = "busy"           // the callee is on another call
	OutcomeDeclined      Outcome = "declined"       // the callee pressed reject
	OutcomeUnreachable   Outcome = "unreachable"    // the network never made it ring
	OutcomeBlocked       Outcome = "blocked"        // the network or callee rejects our caller id
	OutcomeRedirected    Outcome = "redirected"     // the peer named another address, not followed
	OutcomeInvalidNumber Outcome = "invalid_number" // the number does not exist
	OutcomeTrunkFailed   Outcome = "trunk_failed"   // the call got no further than our trunk
	OutcomeCancelled     Outcome = "cancelled"      // stopped by a person or because it was no longer needed
	OutcomeLost          Outcome = "lost"           // the gateway died meanwhile: it may have rung
)

// Outcomes lists every outcome, in the order of documentation.
func Outcomes() []Outcome {
	return []Outcome{
		OutcomeConfirmed, OutcomeAnswered, OutcomeVoicemail, OutcomeNoAnswer, OutcomeBusy, OutcomeDeclined,
		OutcomeUnreachable, OutcomeBlocked, OutcomeRedirected, OutcomeInvalidNumber, OutcomeTrunkFailed,
		OutcomeCancelled, OutcomeLost,
	}
}

// Scope says how far a trunk failure reaches: this call only, or the trunk as a whole, which then rests.
type Scope string

// Scopes of OutcomeTrunkFailed; every other outcome has none.
const (
	ScopeNone  Scope = ""
	ScopeCall  Scope = "call"
	ScopeTrunk Scope = "trunk"
)

// Alerting says how we know that the phone rang.
type Alerting string

// Evidence of alerting.
const (
	AlertingNone      Alerting = "none"
	AlertingSignalled Alerting = "signalled" // a 180
	AlertingInband    Alerting = "inband"    // ringback heard in early media
)

// EarlyAudio is what was heard before the answer.
type EarlyAudio string

// Early audio as far as it is told apart; the most telling of what was heard. On a trunk without answer supervision it
// includes what was heard after the 200 and before the callee.
const (
	EarlyNone       EarlyAudio = "none"
	EarlyUnknown    EarlyAudio = "unknown"    // media was offered, and nothing in it was known
	EarlySpeech     EarlyAudio = "speech"     // an announcement, or music
	EarlyRingback   EarlyAudio = "ringback"   // somewhere a phone rang
	EarlyCongestion EarlyAudio = "congestion" // fast busy
	EarlyBusy       EarlyAudio = "busy"
	EarlySIT        EarlyAudio = "sit" // special information tone: an announcement about a failure
)

// Detail narrows an outcome down; it is for people and metrics, no rule branches on it but where a constant is named.
type Detail string

// Details of outcomes.
const (
	DetailNone           Detail = ""
	DetailNoAudio        Detail = "no_audio"         // answered: neither RTP nor a report came
	DetailHungUpEarly    Detail = "hung_up_early"    // answered: the callee hung up before hearing the prompt
	DetailHungUp         Detail = "hung_up"          // answered: the callee hung up without the key
	DetailNoKey          Detail = "no_key"           // answered: listened to the end, pressed nothing that counts
	DetailListened       Detail = "listened"         // answered: listened long enough to count where the policy is "answer"
	DetailLateAnswer     Detail = "late_answer"      // the 200 crossed our CANCEL
	DetailHeld           Detail = "held"             // answered: the callee held the call to its end
	DetailRingLimit      Detail = "ring_limit"       // no_answer: our own limit
	DetailEndedByNetwork Detail = "ended_by_network" // no_answer: an error after alerting; answered: the dialog was lost
	DetailNoAlerting     Detail = "no_alerting"      // unreachable: a 1xx, and no alerting within setup
	DetailNoResponse     Detail = "no_response"      // trunk_failed: nothing came back at all
	DetailNoFinal        Detail = "no_final"         // trunk_failed: 100 and then nothing
	DetailCredentials    Detail = "credentials"      // trunk_failed: refused after correct authentication
	DetailNotRegistered  Detail = "not_registered"   // trunk_failed: the trunk would not register us; nothing was sent
	DetailTransport      Detail = "transport"        // trunk_failed: DNS, connect, TLS or local send error
	DetailUnusableAnswer Detail = "unusable_answer"  // trunk_failed: a 200 whose SDP we cannot use
	DetailLocalMedia     Detail = "local_media"      // trunk_failed: no RTP port was left here
	DetailBadRequest     Detail = "bad_request"      // trunk_failed: the call could not be built
	DetailStatus         Detail = "status"           // the status alone decided
	DetailQ850           Detail = "q850"             // the Q.850 cause decided
	DetailMayHaveRung    Detail = "may_have_rung"    // lost
	DetailBusyTone       Detail = "busy_tone"        // busy: by its tone, for 3 s
	DetailCongestionTone Detail = "congestion_tone"  // unreachable: by its tone, for 3 s
	DetailSIT            Detail = "sit"              // unreachable: a special information tone was heard
	DetailDiversion      Detail = "diversion"        // voicemail: the network says that it forwarded the call to a mailbox
	DetailNotHuman       Detail = "not_human"        // answered: ringback, a busy tone or a fax was heard, and no key came
)
