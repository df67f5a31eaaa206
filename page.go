package telgate

import (
	"slices"
	"time"
)

// PageID names one page.
type PageID string

// Request asks for a page. The words in Who are resolved by the pager.
type Request struct {
	Key     string // idempotency: the same Key gives the first answer again; "" = none
	Asker   Actor
	Who     []string // nicknames, aliases, groups, "<@U…>"
	Message string
	New     bool // a page of its own even where one is running for the same people
	Force   bool // past the per-number limits; admins only
	All     bool // side by side, whatever the group says
}

// Receipt is the pager's answer to a request it accepted.
type Receipt struct {
	Page   PageID
	Joined bool   // the page was running already; asker and message were added to it
	Words  string // whom it is for, as resolved: "alice, bob"
}

// Way is how the people of a page are called. The zero Way is one after another, until the first confirms.
type Way struct {
	All      bool // side by side: everybody at once, each by their own numbers in order
	RollCall bool // everybody has to confirm
}

// Page is one request to reach people, and all that came of it. Values are snapshots: the pager hands out copies.
type Page struct {
	ID       PageID
	Version  int // grows with every change that can be seen
	Title    string
	Message  string
	Askers   []Asker // the first asked for it, the others joined
	State    PageState
	Result   Result // "" until it ended
	Late     bool   // confirmed after it had ended otherwise
	Accepted time.Time
	Ended    time.Time
	Wait
	Rounds  int // how many there will be
	Way     Way
	Forced  string // who had it run past the limits of numbers, if anybody
	Targets []Target
	Steps   []Step // what has happened, in order; the last may be in progress
	Stopped string // who stopped it, if anybody
}

// Wait is what a page in PageWaiting waits for. With neither, the phone rings for another page.
type Wait struct {
	WaitsFor  time.Time // when the next step begins, or how long a line is waited for
	WaitsLine string    // the trunk whose lines are all in use, "" = none
	Paused    bool      // calling is paused: see [Pause]
}

// Clone returns a deep enough copy that the receiver may be changed afterwards.
func (p Page) Clone() Page {
	p.Askers = slices.Clone(p.Askers)
	for i := range p.Askers {
		p.Askers[i].Groups = slices.Clone(p.Askers[i].Groups)
	}
	p.Targets = slices.Clone(p.Targets)
	p.Steps = slices.Clone(p.Steps)
	for i, s := range p.Steps {
		if s.Call != nil {
			c := *s.Call
			c.Keys, c.Signal.Reasons = slices.Clone(c.Keys), slices.Clone(c.Signal.Reasons)
			p.Steps[i].Call = &c
		}
	}
	return p
}

// Live is the newest call in progress, nil if none.
func (p Page) Live() *Call {
	if all := p.Lives(); len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// Lives are the calls in progress: several where people are called side by side.
func (p Page) Lives() (all []*Call) {
	for _, s := range p.Steps {
		if s.Call != nil && s.Call.Outcome == "" {
			all = append(all, s.Call)
		}
	}
	return all
}

// TargetBySlack finds the row of the person with this Slack id.
func (p Page) TargetBySlack(id string) (Target, bool) {
	for _, t := range p.Targets {
		if id != "" && t.Slack == id {
			return t, true
		}
	}
	return Target{}, false
}

// Asker is one who asked for a page, with what they said.
type Asker struct {
	Actor
	Message string
	At      time.Time
}

// PageState is where a page stands.
type PageState string

// States of a page: accepted → calling ⇄ waiting → ended.
const (
	PageAccepted PageState = "accepted"
	PageCalling  PageState = "calling"
	PageWaiting  PageState = "waiting"
	PageEnded    PageState = "ended"
)

// Result is how a page, or one target of it, ended.
type Result string

// Results. Confirmed always wins, even late; nothing else leaves an end state.
const (
	Confirmed  Result = "confirmed"
	Answered   Result = "answered" // only by policy (confirm = "answer")
	Partial    Result = "partial"  // all had to confirm, some did
	NotReached Result = "not_reached"
	Cancelled  Result = "cancelled"
	Failed     Result = "failed" // no call got beyond our trunks
)

// Results are all ways in which a page can end.
func Results() []Result { return []Result{Confirmed, Answered, Partial, NotReached, Cancelled, Failed} }

// Reached tells whether somebody was reached.
func (r Result) Reached() bool { return r == Confirmed || r == Answered }

// Target is one person of a page.
type Target struct {
	Nick   string
	Name   string
	Slack  string
	Result Result // "" while the page runs
	By     string // who confirmed: a masked number, or a Slack id
	Via    Via
	At     time.Time

	CalledBack time.Time // when they rang us after we rang them; that confirms nothing
}

// Via is how a target was reached.
type Via string

// Ways to confirm.
const (
	ViaKey   Via = "key"
	ViaSlack Via = "slack"
	ViaPick  Via = "answer" // by policy confirm = "answer"
)

// Step is one entry of a page's log: a call, or a step that was not dialled.
type Step struct {
	N      int // from 1
	Round  int // from 1
	Person string
	Number Number
	Call   *Call // nil where skipped
	Skip   SkipReason
	At     time.Time
}

// SkipReason says why a step was not dialled.
type SkipReason string

// Reasons to skip a step.
const (
	SkipNone      SkipReason = ""
	SkipLimit     SkipReason = "limit"     // the number was rung too often
	SkipForbidden SkipReason = "forbidden" // emergency, short, premium or not in prefixes_allowed
	SkipResting   SkipReason = "resting"   // it may still ring from a call that was cut off, or is invalid
	SkipNoLine    SkipReason = "no_line"   // no trunk can carry it
	SkipMuted     SkipReason = "muted"     // nobody whose phone it is wants to be called now: see [Mute]
	SkipPaused    SkipReason = "paused"    // waiting: calling is paused; no step is skipped for it
	SkipEnded     SkipReason = "ended_first"
)
