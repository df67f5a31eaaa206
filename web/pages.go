package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"unicode/utf8"

	"telgate"
)

// Bounds of what may be asked for.
const (
	mostWords    = 100
	wordRunes    = 100
	messageRunes = 500
	keyBytes     = 200
	pageDefault  = 100
	pageMost     = 10_000
)

// KeyHeader names a request for a page: a second one with the same key gets the answer of the first.
const KeyHeader = "Idempotency-Key"

// PageRequest asks for a page.
type PageRequest struct {
	Who     []string `json:"who"` // nicknames, aliases, groups
	Message string   `json:"message,omitempty"`
	New     bool     `json:"new,omitempty"`   // a page of its own, also where one is running for the same people
	Force   bool     `json:"force,omitempty"` // past the limits of a number
	All     bool     `json:"all,omitempty"`   // everybody at once, whatever the group says
}

// PageReceipt is the answer.
type PageReceipt struct {
	V      int            `json:"v"`
	Page   telgate.PageID `json:"page"`
	Joined bool           `json:"joined,omitempty"`
	Words  string         `json:"words"` // whom it is for
}

// submit is POST /v1/pages.
func (a *API) submit(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	var in PageRequest
	if err := errors.Join(newQuery(r).err, read(r, &in)); err != nil {
		return err
	}
	request, err := in.request(by, r.Header.Get(KeyHeader))
	if err != nil {
		return err
	}
	receipt, err := a.ports.Pages.Submit(r.Context(), request)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if receipt.Joined {
		status = http.StatusOK
	}
	w.Header().Set("Location", Version+"/pages/"+string(receipt.Page))
	write(w, status, PageReceipt{V: telgate.EventVersion, Page: receipt.Page, Joined: receipt.Joined, Words: receipt.Words})
	return nil
}

func (in *PageRequest) request(by telgate.Actor, key string) (telgate.Request, error) {
	out := telgate.Request{Asker: by, Message: line(in.Message), New: in.New, Force: in.Force, All: in.All}
	switch {
	case len(in.Who) == 0:
		return out, bad(`"who" names nobody`)
	case len(in.Who) > mostWords:
		return out, bad(fmt.Sprintf(`"who" names more than %d`, mostWords))
	case utf8.RuneCountInString(out.Message) > messageRunes:
		return out, bad(fmt.Sprintf(`"message" is longer than %d characters`, messageRunes))
	case len(key) > keyBytes:
		return out, bad(fmt.Sprintf("%s is longer than %d bytes", KeyHeader, keyBytes))
	}
	for _, word := range in.Who {
		word = line(word)
		if word == "" || utf8.RuneCountInString(word) > wordRunes {
			return out, bad(fmt.Sprintf(`"who" has a name that is empty or longer than %d characters`, wordRunes))
		}
		out.Who = append(out.Who, word)
	}
	if key != "" { // one of another asker, or of Slack, is another key
		out.Key = "api:" + by.ID + ":" + key
	}
	return out, nil
}

// page is GET /v1/pages/{id}.
func (a *API) page(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	q := newQuery(r, "numbers", "trace")
	f := a.form(q, by)
	if q.err != nil {
		return q.err
	}
	page, err := a.find(r)
	if err != nil {
		return err
	}
	writeObject(w, f.page(*page))
	return nil
}

// find is the page that a path names.
func (a *API) find(r *http.Request) (*telgate.Page, error) {
	page, err := a.ports.Feed.Page(r.Context(), telgate.PageID(r.PathValue("id")))
	if err == nil && page == nil {
		err = errNoPage()
	}
	return page, err
}

func errNoPage() error {
	return &Error{Reason: ReasonNotFound, Message: "There is no such page."}
}

// pages is GET /v1/pages: one page a line, newest first; in short where "form" says so.
func (a *API) pages(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	q := newQuery(r, "numbers", "trace", "state", "since", "until", "person", "result", "limit", "form")
	f := a.form(q, by)
	h := HistoryQuery{
		Since: q.time("since"), Until: q.time("until"), Person: q.text("person"), Result: telgate.Result(q.text("result")),
		Limit: q.number("limit", pageDefault, pageMost),
	}
	state, length := q.text("state"), q.text("form")
	switch {
	case state != "" && state != "running":
		q.fault("state", `is not "running"`)
	case h.Result != "" && !slices.Contains(telgate.Results(), h.Result):
		q.fault("result", fmt.Sprintf("is none of the results of a page: %v", telgate.Results()))
	case length != "" && length != ShortForm:
		q.fault("form", `is not "`+ShortForm+`"`)
	case length != "" && (f.numbers || f.trace):
		q.fault("form", "has neither whole numbers nor SIP messages")
	}
	if q.err != nil {
		return q.err
	}
	if length == ShortForm {
		found, err := a.inShort(r.Context(), state, h)
		if err != nil {
			return err
		}
		return list(w, found, telgate.Summary.JSON)
	}
	find := a.ports.History.History
	if state == "running" {
		find = func(ctx context.Context, _ HistoryQuery) ([]telgate.Page, error) { return a.ports.Feed.Running(ctx) }
	}
	found, err := find(r.Context(), h)
	if err != nil {
		return err
	}
	return list(w, found, f.page)
}

// ShortForm is the value of "form" for pages in short: see [telgate.Summary].
const ShortForm = "short"

func (a *API) inShort(ctx context.Context, state string, h HistoryQuery) ([]telgate.Summary, error) {
	if state == "" {
		return a.ports.History.Summaries(ctx, h)
	}
	running, err := a.ports.Feed.Running(ctx)
	found := make([]telgate.Summary, len(running))
	for i := range running {
		found[i] = running[i].Summary()
	}
	return found, err
}

// list answers with one line for each that was found. The lines leave together, as far as a buffer takes them.
func list[T any](w http.ResponseWriter, found []T, write func(T) []byte) error {
	s := newStream(w)
	for i := range found {
		if err := s.put(write(found[i])); err != nil {
			return err
		}
	}
	return s.flush()
}

// stop is POST /v1/pages/{id}/stop.
func (a *API) stop(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	return a.act(w, r, by, a.ports.Pages.Stop)
}

// confirm is POST /v1/pages/{id}/confirm: by the person who is called, and by nobody else.
func (a *API) confirm(w http.ResponseWriter, r *http.Request, by telgate.Actor) error {
	return a.act(w, r, by, a.ports.Pages.Confirm)
}

// act does something to the page that a path names, and answers with the page as it is then.
func (a *API) act(w http.ResponseWriter, r *http.Request, by telgate.Actor, do func(context.Context, telgate.PageID, telgate.Actor) error) error {
	if err := errors.Join(newQuery(r).err, read(r, &struct{}{})); err != nil {
		return err
	}
	if err := do(r.Context(), telgate.PageID(r.PathValue("id")), by); err != nil {
		if refusal, ok := errors.AsType[*telgate.Refusal](err); ok && refusal.Reason == telgate.RefusedUnknownName {
			return errNoPage()
		}
		return err
	}
	page, err := a.find(r)
	if err != nil {
		return err
	}
	writeObject(w, page.JSON(false))
	return nil
}
