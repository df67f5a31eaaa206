package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"time"

	"telgate"
)

// patience is for requests that take the gateway a while: a reload, a backup.
const patience = 5 * time.Minute

// administer reads the request of an administrator.
func (a *API) administer(w http.ResponseWriter, r *http.Request, by telgate.Actor, in any) error {
	if err := errors.Join(newQuery(r).err, read(r, in)); err != nil {
		return err
	}
	if !a.policy().May(by, telgate.ActRun, nil) {
		return &Error{Reason: telgate.RefusedNotAllowed, Message: "Only an administrator may do that."}
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience)) // a recorder in a test has none
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return nil
}

// Reloaded is what came of a reload.
type Reloaded struct {
	V       int      `json:"v"`
	Changed []string `json:"changed"`           // tables that count from now on
	Restart []string `json:"restart,omitempty"` // keys that differ and need a restart

	Kept     []string `json:"kept,omitempty"`     // what was tried and does not work, so that the old stays, each with why
	Warnings []string `json:"warnings,omitempty"` // what counts, and does not work yet
}

// reload is POST /v1/reload.
func (a *API) reload(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	if err := a.administer(w, r, by, &struct{}{}); err != nil {
		return err
	}
	done, err := a.ports.Gateway.Reload(r.Context(), by)
	if err != nil {
		return &Error{Reason: ReasonConfig, Message: err.Error()}
	}
	done.V = telgate.EventVersion
	write(w, http.StatusOK, done)
	return nil
}

// PauseRequest throws the kill switch.
type PauseRequest struct {
	Why    string `json:"why,omitempty"`
	HangUp bool   `json:"hang_up,omitempty"` // end what is in progress, too
}

// Done is the answer of what only has to be done. Which fields are set depends on the request.
type Done struct {
	V     int `json:"v"`
	Pages int `json:"pages"` // pause: stopped; forget: from which numbers were erased
}

// pause is POST /v1/pause.
func (a *API) pause(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	var in PauseRequest
	if err := a.administer(w, r, by, &in); err != nil {
		return err
	}
	stopped, err := a.ports.Switch.Pause(r.Context(), by, line(in.Why), in.HangUp)
	return a.done(w, Done{Pages: stopped}, err)
}

// resume is POST /v1/resume.
func (a *API) resume(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	if err := a.administer(w, r, by, &struct{}{}); err != nil {
		return err
	}
	return a.done(w, Done{}, a.ports.Switch.Resume(r.Context(), by))
}

// BackupRequest names a file on the gateway's machine.
type BackupRequest struct {
	File string `json:"file"` // absolute; it must not exist
}

// backup is POST /v1/backup.
func (a *API) backup(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	var in BackupRequest
	if err := a.administer(w, r, by, &in); err != nil {
		return err
	}
	switch {
	case !by.Local:
		return &Error{Reason: telgate.RefusedNotAllowed, Message: "A backup is made on the gateway's own machine."}
	case !filepath.IsAbs(in.File):
		return bad(`"file" is not the whole path of a file`)
	}
	return a.done(w, Done{}, a.ports.Keeper.Backup(r.Context(), by, in.File))
}

// ForgetRequest names a person.
type ForgetRequest struct {
	Person string `json:"person"` // nickname
}

// forget is POST /v1/forget.
func (a *API) forget(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	var in ForgetRequest
	if err := a.administer(w, r, by, &in); err != nil {
		return err
	}
	if in.Person == "" {
		return bad(`"person" names nobody`)
	}
	n, err := a.ports.Keeper.Forget(r.Context(), by, in.Person)
	return a.done(w, Done{Pages: n}, err)
}

// done answers what was only to be done.
func (a *API) done(w http.ResponseWriter, d Done, err error) error {
	if err != nil {
		return err
	}
	d.V = telgate.EventVersion
	write(w, http.StatusOK, d)
	return nil
}

// audit is GET /v1/audit: one entry a line, newest first.
func (a *API) audit(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	q := newQuery(r, "since", "until", "limit")
	since, until, limit := q.time("since"), q.time("until"), q.number("limit", pageDefault, pageMost)
	if q.err != nil {
		return q.err
	}
	if !a.policy().May(by, telgate.ActRun, nil) {
		return &Error{Reason: telgate.RefusedNotAllowed, Message: "Only an administrator may see that."}
	}
	found, err := a.ports.Audit.Audit(r.Context(), since, until, limit)
	if err != nil {
		return err
	}
	s := newStream(w)
	for _, e := range found {
		b, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if err := s.line(b); err != nil {
			return err
		}
	}
	return nil
}
