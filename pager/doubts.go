package pager

import (
	"maps"
	"slices"
	"sync"

	"telgate"
)

// unknownMost is after how many different numbers in a row that a trunk does not know its notation is doubted.
const unknownMost = 3

// WrongNotation is what is said of a trunk that knows none of the numbers it is given.
const WrongNotation = "number_format or dial_prefix looks wrong"

// doubts are what calls say about a trunk beside its health: that it may be given numbers in the wrong notation, and which
// phones it reached without a sound path.
type doubts struct {
	mu      sync.Mutex
	unknown map[string][]string // trunk → numbers that it refused as unknown, in a row
	silent  map[string]string   // number → the trunk over which nothing was heard from it last
}

func newDoubts() *doubts { return &doubts{unknown: map[string][]string{}, silent: map[string]string{}} }

// note takes a call into account. news is true where its trunk's notation is doubted from now on.
func (d *doubts) note(c *telgate.Call) (news bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := c.Number.Key()
	if c.Outcome == telgate.OutcomeAnswered && c.Detail == telgate.DetailNoAudio {
		d.silent[key] = c.Trunk
	}
	refused := d.unknown[c.Trunk]
	switch {
	case (c.Signal.Status == 404 || c.Signal.Status == 484) && c.Outcome != telgate.OutcomeUnreachable: // an extension without a telephone is known
		if !slices.Contains(refused, key) && len(refused) < unknownMost {
			d.unknown[c.Trunk] = append(refused, key)
			return len(refused)+1 == unknownMost
		}
	case c.Outcome != telgate.OutcomeTrunkFailed && c.Outcome != telgate.OutcomeCancelled:
		delete(d.unknown, c.Trunk) // it knew this one
	}
	return false
}

// avoid is the trunk that the next call to a number shall not use, once; "" if none.
func (d *doubts) avoid(key string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	trunk := d.silent[key]
	delete(d.silent, key)
	return trunk
}

// forget doubts a trunk no more.
func (d *doubts) forget(trunk string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.unknown, trunk)
	maps.DeleteFunc(d.silent, func(_, over string) bool { return over == trunk })
}

// of is what is doubted of a trunk, "" if nothing.
func (d *doubts) of(trunk string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.unknown[trunk]) >= unknownMost {
		return WrongNotation
	}
	return ""
}

// TrunkState is what the pager knows of a trunk.
type TrunkState struct {
	Name    string
	Calls   int    // in progress
	Waiting int    // pages that wait for a line
	Doubt   string // "" or one clause for people
}

// Trunks are all trunks in order, as they are now.
func (p *Pager) Trunks() []TrunkState {
	all := make([]TrunkState, 0, len(p.cfg().Trunks))
	for _, t := range p.cfg().Trunks {
		s := TrunkState{Name: t.Name, Doubt: p.doubts.of(t.Name)}
		s.Calls, s.Waiting = p.lines.of(t.Name)
		all = append(all, s)
	}
	return all
}
