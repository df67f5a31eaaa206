package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"telgate"
)

// bodyBytes is how large a request may be.
const bodyBytes = 64 << 10

// read takes the body of a request: exactly one object, and nothing in it that is not known. An empty body is an empty
// object.
func read(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	switch err := d.Decode(into); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return unreadable(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return bad("the body is more than one JSON object")
	}
	return nil
}

func unreadable(err error) error {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return &Error{Reason: ReasonTooLarge, Message: fmt.Sprintf("The body is larger than %d KiB.", bodyBytes>>10)}
	}
	return bad("the body cannot be read: " + err.Error())
}

// bad is a fault of the request.
func bad(what string) error {
	return &Error{Reason: ReasonBadRequest, Message: "Bad request: " + what + "."}
}

// query reads values of a URL, each at most once and none that is not known; the first fault stays.
type query struct {
	values map[string][]string
	err    error
}

func newQuery(r *http.Request, known ...string) *query {
	q := &query{values: map[string][]string{}}
	asked := r.URL.Query()
	for _, name := range known {
		q.values[name] = asked[name]
		delete(asked, name)
		if len(q.values[name]) > 1 {
			q.fault(name, "stands there twice")
		}
	}
	for name := range asked {
		q.fault(name, "is not known")
	}
	return q
}

func (q *query) fault(name, what string) {
	if q.err == nil {
		q.err = bad(fmt.Sprintf("%q %s", name, what))
	}
}

func (q *query) text(name string) string {
	if v := q.values[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// number is between 0 and most; absent is otherwise.
func (q *query) number(name string, otherwise, most int) int {
	s := q.text(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > most {
		q.fault(name, fmt.Sprintf("is not a number between 0 and %d", most))
	}
	return n
}

func (q *query) truth(name string) bool {
	s := q.text(name)
	if s == "" {
		return false
	}
	b, err := strconv.ParseBool(s)
	if err != nil {
		q.fault(name, "is neither true nor false")
	}
	return b
}

func (q *query) time(name string) time.Time {
	s := q.text(name)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		q.fault(name, "is no time such as 2026-01-31T21:00:00Z")
	}
	return t
}

// form is how pages and events are written for an actor.
type form struct{ numbers, trace bool }

// form reads "numbers" and "trace": whole numbers are for who may see them.
func (a *API) form(q *query, by telgate.Actor) form {
	f := form{numbers: q.truth("numbers"), trace: q.truth("trace")}
	if f.numbers && q.err == nil && !a.policy().May(by, telgate.ActSee, nil) {
		q.err = &Error{Reason: telgate.RefusedNotAllowed, Message: "You may not see whole numbers."}
	}
	return f
}

func (f form) event(e telgate.Event) []byte {
	if f.trace {
		return e.TracedJSON(f.numbers)
	}
	return e.JSON(f.numbers)
}

func (f form) page(p telgate.Page) []byte {
	if f.trace {
		return p.TracedJSON(f.numbers)
	}
	return p.JSON(f.numbers)
}

// line makes one line of a text that somebody wrote: it will be shown on cards and terminals.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200d':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.TrimSpace(s)
}
