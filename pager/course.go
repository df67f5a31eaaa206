package pager

import (
	"encoding/json"
	"fmt"
	"strconv"

	"telgate"
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

	noted int          // steps that the plan has taken into account, all before this one
	after map[int]bool // and further ones: calls that are side by side end as they like
}

// note: the plan has taken this step into account.
func (p *progress) note(step int, steps []telgate.Step) {
	if step < p.noted {
		return
	}
	if step == p.noted {
		p.noted++
	} else {
		if p.after == nil {
			p.after = map[int]bool{}
		}
		p.after[step] = true
	}
	for ; p.after[p.noted] || p.noted < len(steps) && steps[p.noted].Call == nil; p.noted++ {
		delete(p.after, p.noted)
	}
}

// progressJSON is the stored form of a progress. Names are added only.
type progressJSON struct {
	Plan  json.RawMessage `json:"plan"`
	Noted int             `json:"noted"`
	After []int           `json:"after,omitempty"` // further steps that are noted
}

func (p *progress) encode(of *plan.Plan) []byte {
	b := append([]byte(`{"plan":`), of.EncodeProgress(&p.Progress)...)
	b = strconv.AppendInt(append(b, `,"noted":`...), int64(p.noted), 10)
	sep := `,"after":[`
	for step := range p.after {
		b = strconv.AppendInt(append(b, sep...), int64(step), 10)
		sep = ","
	}
	if len(p.after) > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
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
	got := progress{Progress: p, noted: max(0, in.Noted)}
	for _, step := range in.After {
		got.note(step, nil)
	}
	return got, nil
}
