package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"telgate"
)

// Error is the one form in which the API says no: {"v":1,"reason":…,"message":…}. Message is a sentence for people.
type Error struct {
	V           int                   `json:"v"`
	Reason      telgate.RefusalReason `json:"reason"`
	Message     string                `json:"message"`
	Suggestions []string              `json:"suggestions,omitempty"`
	Subject     string                `json:"subject,omitempty"`
}

// Error is the sentence.
func (e *Error) Error() string { return e.Message }

// Reasons of the API, beside those of [telgate.RefusalReason].
const (
	ReasonBadRequest telgate.RefusalReason = "bad_request"
	ReasonNotFound   telgate.RefusalReason = "not_found"
	ReasonTooLarge   telgate.RefusalReason = "too_large"
	ReasonConfig     telgate.RefusalReason = "bad_config" // reload: the file has faults, nothing changed
	ReasonInternal   telgate.RefusalReason = "internal"
)

// Refusal is the error as the gateway itself would have given it.
func (e *Error) Refusal() *telgate.Refusal {
	return &telgate.Refusal{Reason: e.Reason, Message: e.Message, Suggestions: e.Suggestions, Subject: e.Subject}
}

// statusFor is the HTTP status of a reason.
func statusFor(reason telgate.RefusalReason) int {
	switch reason {
	case ReasonBadRequest:
		return http.StatusBadRequest
	case ReasonNotFound:
		return http.StatusNotFound
	case ReasonTooLarge:
		return http.StatusRequestEntityTooLarge
	case ReasonConfig, telgate.RefusedUnknownName, telgate.RefusedAmbiguous, telgate.RefusedForbiddenNumber,
		telgate.RefusedNobodyOnCall, telgate.RefusedCover, telgate.RefusedMuted, telgate.RefusedTime:
		return http.StatusUnprocessableEntity
	case telgate.RefusedLimit:
		return http.StatusTooManyRequests
	case telgate.RefusedNotAllowed:
		return http.StatusForbidden
	case telgate.RefusedNotReady:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// fail answers with an error. What went wrong inside is logged and not told.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	out := &Error{Reason: ReasonInternal, Message: "Something went wrong inside telgate; its log says more."}
	if told, ok := errors.AsType[*Error](err); ok {
		*out = *told
	} else if refusal, ok := errors.AsType[*telgate.Refusal](err); ok {
		*out = a.refused(r, refusal)
	} else if errors.Is(err, errLeft) || r.Context().Err() != nil {
		return // nobody listens any more
	} else {
		a.log.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	out.V = telgate.EventVersion
	write(w, statusFor(out.Reason), out)
}

// refused is a refusal as its asker may see it: the words it is about may be numbers.
func (a *API) refused(r *http.Request, refusal *telgate.Refusal) Error {
	out := Error{Reason: refusal.Reason, Message: refusal.Message, Suggestions: slices.Clone(refusal.Suggestions), Subject: refusal.Subject}
	if by, ok := actorOf(r.Context()); ok && a.policy().May(by, telgate.ActSee, nil) {
		return out
	}
	out.Subject = telgate.Masked(out.Subject)
	for i := range out.Suggestions {
		out.Suggestions[i] = telgate.Masked(out.Suggestions[i])
	}
	return out
}

// write answers with one JSON object and a newline.
func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that left is no fault of ours
}

// writeObject answers with an object that is written already.
func writeObject(w http.ResponseWriter, object []byte) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(object, '\n')) //nolint:gosec // JSON, and told to be nothing else
}
