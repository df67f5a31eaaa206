package pager

import (
	"encoding/json"
	"fmt"
	"strconv"

	"telgate/plan"
)

// course is what a page will do; it does not change.
type course struct {
	plan   plan.Plan
	prompt string
	force  bool
}

// courseJSON is the stored form of a course. Names are added only.
type courseJSON struct {
	Plan   json.RawMessage `json:"plan"`
	Prompt string          `json:"prompt"`
	Force  bool            `json:"force,omitempty"`
}

func (c *course) encode() []byte {
	b, err := json.Marshal(courseJSON{c.plan.Encode(), c.prompt, c.force})
	if err != nil { // strings always marshal
		panic("pager: " + err.Error())
	}
	return b
}

func decodeCourse(b []byte) (course, error) {
	var in courseJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return course{}, fmt.Errorf("read a page's course: %w", err)
	}
	p, err := plan.Decode(in.Plan)
	if err != nil {
		return course{}, err //nolint:wrapcheck // it says what it read
	}
	return course{p, in.Prompt, in.Force}, nil
}

// progress is how far a page is.
type progress struct {
	plan.Progress

	noted int // steps that the plan has taken into account
}

// progressJSON is the stored form of a progress. Names are added only.
type progressJSON struct {
	Plan  json.RawMessage `json:"plan"`
	Noted int             `json:"noted"`
}

func (p *progress) encode(of *plan.Plan) []byte {
	b := append([]byte(`{"plan":`), of.EncodeProgress(&p.Progress)...)
	return append(strconv.AppendInt(append(b, `,"noted":`...), int64(p.noted), 10), '}')
}

func decodeProgress(b []byte, of *plan.Plan) (progress, error) {
	var in progressJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return progress{}, fmt.Errorf("read a page's progress: %w", err)
	}
	p, err := of.DecodeProgress(in.Plan)
	if err != nil {
		return progress{}, err //nolint:wrapcheck // it says what it read
	}
	return progress{p, max(0, in.Noted)}, nil
}
