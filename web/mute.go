package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"telgate"
)

// MuteRequest asks for a mute, or for its end.
type MuteRequest struct {
	Who   string    `json:"who"`            // whose phones: one person
	When  string    `json:"when,omitempty"` // "until 18:00", "for 2h"
	Until time.Time `json:"until,omitzero"` // in place of when
}

// MuteLine is a mute.
type MuteLine struct {
	V     int       `json:"v"`
	Who   string    `json:"who"`
	Until time.Time `json:"until"` // unmute: since when they are called again
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// MuteLineOf is a mute as the API shows it.
func MuteLineOf(m telgate.Mute) MuteLine {
	return MuteLine{V: telgate.EventVersion, Who: m.Nick, Until: m.Until.UTC(), By: m.By, At: m.At.UTC()}
}

// mutes is GET /v1/mutes: who is not called now, one a line, the soonest to be called again first.
func (a *API) mutes(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	if err := a.mayLook(r, by); err != nil {
		return err
	}
	s := newStream(w)
	for _, m := range a.ports.Mutes.Mutes() {
		b, err := json.Marshal(MuteLineOf(m))
		if err != nil {
			return err
		}
		if err := s.line(b); err != nil {
			return err
		}
	}
	return nil
}

// mute is POST /v1/mute.
func (a *API) mute(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	return a.muting(w, r, by, false)
}

// unmute is POST /v1/unmute.
func (a *API) unmute(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	return a.muting(w, r, by, true)
}

// muting has an order carried out. Whether its asker may give it is known where it is carried out: people may mute themselves.
func (a *API) muting(w http.ResponseWriter, r *http.Request, by telgate.Actor, end bool) error {
	var in MuteRequest
	if err := errors.Join(newQuery(r).err, read(r, &in)); err != nil {
		return err
	}
	o := telgate.MuteOrder{Asker: by, Who: line(in.Who), When: line(in.When), Until: in.Until, End: end}
	switch {
	case o.Who == "":
		return bad(`"who" names nobody`)
	case end && (o.When != "" || !o.Until.IsZero()):
		return bad(`"when" and "until" are for mute: unmute ends it now`)
	case !end && (o.When == "") == o.Until.IsZero():
		return bad(`one of "when", such as "until 18:00", and "until" is needed`)
	}
	m, err := a.ports.Mutes.Mute(r.Context(), o)
	if err != nil {
		return err
	}
	write(w, http.StatusOK, MuteLineOf(m))
	return nil
}
