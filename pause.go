package telgate

import "time"

// Pause is the kill switch, thrown: nothing new is dialled until somebody resumes.
type Pause struct {
	By    string    `json:"by"` // who threw it: a Slack user id, or "local:NAME"
	At    time.Time `json:"at"`
	Where string    `json:"where,omitempty"` // the gateway that was told so; it counts for all of them
	Why   string    `json:"why,omitempty"`
}

// Refusal is the answer to a request while nothing may be dialled.
func (p Pause) Refusal() *Refusal {
	m := "NOT accepted: calling was paused by " + p.By + " at " + p.At.UTC().Format("15:04:05 UTC on 2 January")
	if p.Why != "" {
		m += " (" + p.Why + ")"
	}
	return &Refusal{Reason: RefusedNotReady, Pause: &p, Message: m + ". Call by hand, or have it resumed (telgate resume)."}
}
