package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"telgate"
)

// CoverRequest asks for a cover, or for its end.
type CoverRequest struct {
	For  string `json:"for"`            // whose turns: a person or a rota
	By   string `json:"by,omitempty"`   // who takes them
	When string `json:"when,omitempty"` // "until 18:00", "for 2h", "from 20:00 until 22:00"
}

// CoverLine is a cover.
type CoverLine struct {
	V     int       `json:"v"`
	For   string    `json:"for"`
	By    string    `json:"by"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	Asker string    `json:"asker"`
}

func lineOf(c telgate.Cover) CoverLine {
	return CoverLine{V: telgate.EventVersion, For: c.For, By: c.By, From: c.From, Until: c.Until, Asker: c.Asker}
}

// covers is GET /v1/covers: those in force and to come, one a line.
func (a *API) covers(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	if err := a.mayLook(r, by); err != nil {
		return err
	}
	return writeCovers(w, a.ports.Covers.Covers())
}

// cover is POST /v1/cover.
func (a *API) cover(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	o, err := a.coverOrder(r, by)
	if err != nil {
		return err
	}
	if o.When == "" {
		return bad(`"when" is needed, such as "until 18:00"`)
	}
	c, err := a.ports.Covers.Cover(r.Context(), o)
	if err != nil {
		return err
	}
	write(w, http.StatusOK, lineOf(c))
	return nil
}

// uncover is POST /v1/uncover: the covers that it ended, one a line.
func (a *API) uncover(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	o, err := a.coverOrder(r, by)
	if err != nil {
		return err
	}
	ended, err := a.ports.Covers.Uncover(r.Context(), o)
	if err != nil {
		return err
	}
	return writeCovers(w, ended)
}

func (a *API) coverOrder(r *http.Request, by telgate.Actor) (telgate.CoverOrder, error) {
	var in CoverRequest
	err := errors.Join(newQuery(r).err, read(r, &in))
	switch {
	case err != nil:
	case line(in.For) == "":
		err = bad(`"for" names nobody`)
	case !a.policy().May(by, telgate.ActCover, nil):
		err = &Error{Reason: telgate.RefusedNotAllowed, Message: "You may not say who stands in for whom."}
	}
	return telgate.CoverOrder{Asker: by, For: line(in.For), By: line(in.By), When: line(in.When)}, err
}

func writeCovers(w http.ResponseWriter, covers []telgate.Cover) error {
	s := newStream(w)
	for _, c := range covers {
		b, err := json.Marshal(lineOf(c))
		if err != nil {
			return err
		}
		if err := s.line(b); err != nil {
			return err
		}
	}
	return nil
}
