package web

import (
	"net/http"
	"time"

	"telgate"
)

// Status is how the gateway stands.
type Status struct {
	V        int            `json:"v"`
	Gateway  string         `json:"gateway"` // gateway.name
	Version  string         `json:"version"`
	PID      int            `json:"pid"`
	Started  time.Time      `json:"started"`
	Config   string         `json:"config"`
	State    State          `json:"state"`
	Paused   *telgate.Pause `json:"paused,omitempty"`
	Store    string         `json:"store"` // without its password
	Slack    string         `json:"slack"` // "connected", "off", or what is wrong
	Trunks   []TrunkStatus  `json:"trunks"`
	Pages    []PageStatus   `json:"pages"` // that have not ended
	Warnings []string       `json:"warnings,omitempty"`

	Mutes    []MuteLine      `json:"mutes,omitempty"`    // who is not called now, the soonest to be called again first
	Gateways []GatewayStatus `json:"gateways,omitempty"` // that share the store, this one too; the longest there first
}

// GatewayStatus is one of the gateways that share a store.
type GatewayStatus struct {
	Gateway string    `json:"gateway"` // gateway.name
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Self    bool      `json:"self,omitempty"`
	Differs bool      `json:"differs,omitempty"` // its configuration is not this one's: the same page ends differently on each
}

// State says whether pages are taken.
type State string

// States of a gateway.
const (
	Serving  State = "serves"
	Draining State = "drains" // it stops when its calls have ended
	Paused   State = "paused" // the kill switch is thrown
)

// TrunkStatus is how a trunk stands.
type TrunkStatus struct {
	Trunk   string `json:"trunk"`
	State   string `json:"state"` // "up", "down" or "unknown"
	Calls   int    `json:"calls"`
	Waiting int    `json:"waiting,omitempty"` // pages that wait for a line
	Problem string `json:"problem,omitempty"`

	RegisteredBy string `json:"registered_by,omitempty"` // gateway.name of whoever has register_by = "lease" of the trunk now
}

// PageStatus is a page that runs, in short.
type PageStatus struct {
	Page     telgate.PageID    `json:"page"`
	Title    string            `json:"title"`
	State    telgate.PageState `json:"state"`
	Accepted time.Time         `json:"accepted"`
	Asker    string            `json:"asker"`
}

// status is GET /v1/status.
func (a *API) status(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	if err := a.mayLook(r, by); err != nil {
		return err
	}
	s := a.ports.Gateway.Status(r.Context())
	s.V = telgate.EventVersion
	write(w, http.StatusOK, s)
	return nil
}

func (a *API) mayLook(r *http.Request, by telgate.Actor) error {
	if err := newQuery(r).err; err != nil {
		return err
	}
	if !a.policy().May(by, telgate.ActLook, nil) {
		return &Error{Reason: telgate.RefusedNotAllowed, Message: "You may not look here."}
	}
	return nil
}
