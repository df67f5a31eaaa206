package telgate

import "time"

// AuditEntry is one thing that somebody did to the gateway or had it do, for whoever reviews it later.
type AuditEntry struct {
	Time   time.Time `json:"time"`
	Actor  string    `json:"actor"` // a Slack user id, "local:NAME", or "gateway"
	From   AuditFrom `json:"from"`
	Act    AuditAct  `json:"act"`
	Page   PageID    `json:"page,omitempty"`
	Who    string    `json:"who,omitempty"`    // whom it concerns: nicknames
	Detail string    `json:"detail,omitempty"` // a few words, such as why; no number
}

// AuditFrom is where a deed came in.
type AuditFrom string

// Ways in.
const (
	FromSocket AuditFrom = "socket" // the gateway's own socket
	FromSlack  AuditFrom = "slack"
	FromSignal AuditFrom = "signal" // sent to the process
	FromDirect AuditFrom = "direct" // "call --direct", which asked no gateway
)

// AuditAct is what was done.
type AuditAct string

// What is kept in the audit.
const (
	AuditPaged     AuditAct = "paged"
	AuditForced    AuditAct = "forced" // paged past the limits
	AuditJoined    AuditAct = "joined"
	AuditRefused   AuditAct = "refused"
	AuditStopped   AuditAct = "stopped"
	AuditNext      AuditAct = "called_next" // had the next step begin
	AuditConfirmed AuditAct = "confirmed"
	AuditReloaded  AuditAct = "reloaded"
	AuditPaused    AuditAct = "paused"
	AuditResumed   AuditAct = "resumed"
	AuditCovered   AuditAct = "covered"
	AuditMuted     AuditAct = "muted"
	AuditUnmuted   AuditAct = "unmuted"
	AuditForgot    AuditAct = "forgot"
	AuditBackedUp  AuditAct = "backed_up"
)
