package telgate

import "fmt"

// Refusal says that a request was not accepted and nothing was dialled.
type Refusal struct {
	Reason      RefusalReason
	Message     string   // one sentence for the asker, with what to do; numbers masked
	Suggestions []string // nicknames that may have been meant, whole: one may be a number
	Subject     string   // the word or person it is about, whole
	Pause       *Pause   // RefusedNotReady: calling is paused
}

// Error is the sentence for the asker.
func (r *Refusal) Error() string { return r.Message }

// RefusalReason classifies a refusal.
type RefusalReason string

// Reasons of a refusal; they are part of the public JSON.
const (
	RefusedUnknownName     RefusalReason = "unknown_name"
	RefusedAmbiguous       RefusalReason = "ambiguous"
	RefusedForbiddenNumber RefusalReason = "forbidden_number"
	RefusedLimit           RefusalReason = "limit"
	RefusedNotAllowed      RefusalReason = "not_allowed"
	RefusedNotReady        RefusalReason = "not_ready"
	RefusedNobodyOnCall    RefusalReason = "nobody_on_call" // a rota has a gap
	RefusedCover           RefusalReason = "cover"          // there is nothing to cover, or nobody who could
	RefusedMuted           RefusalReason = "muted"          // nobody of them wants to be called now
	RefusedTime            RefusalReason = "bad_time"       // a time that was written cannot be read, or is over
)

// Fault is one thing wrong with the configuration.
type Fault struct {
	Path    string // the key, "people.alice.phones[0]"
	Line    int    // in the file, 0 if not certain
	Message string // what is wrong and what to do, lower case, no full stop
	Nearest string // a known key or name that may have been meant
}

// Error is the fault in one line. A name that may have been meant may be a number, and is masked.
func (f Fault) Error() string {
	s := f.Path + ": " + f.Message
	if f.Line > 0 {
		s = fmt.Sprintf("line %d: %s", f.Line, s)
	}
	if f.Nearest != "" {
		s += fmt.Sprintf(" (did you mean %q?)", Masked(f.Nearest))
	}
	return s
}
