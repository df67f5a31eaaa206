package plan

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"telgate"
)

// Health is what is known of a trunk. It orders trunks and never forbids one: if all rest, they are tried all the same.
type Health struct {
	RestUntil time.Time
	Failures  int       // in a row
	Trial     time.Time // until then at most, one call finds out whether a trunk that has rested works again
	Silent    int       // answered calls in a row from which nothing was heard
	Standing  Standing
}

// Standing is what the trunk's own signalling says of it: probes, registration, refused credentials.
type Standing struct {
	Down    bool
	Refused time.Time // until then it sends nothing, because its credentials were refused
}

// silentMost is how many calls without a sound path put a trunk behind those that are heard: one may be a phone's fault.
const silentMost = 2

// mute tells whether the trunk signals well and carries no sound.
func (h Health) mute() bool { return h.Silent >= silentMost }

// Back-off of a trunk that failed: it doubles with each failure in a row.
const (
	restFirst       = 5 * time.Second
	restMost        = 5 * time.Minute
	restCredentials = 60 * time.Second // a PBX bans addresses that go on with a wrong password
	restCredMost    = 15 * time.Minute
)

// trialMost is how long one call may take to find out.
const trialMost = 2 * time.Minute

// Begun is a trunk's health when a call over it begins: after its rest one goes ahead, and the others do without it where
// they can.
func (h Health) Begun(now time.Time) Health {
	if h.Failures > 0 && !now.Before(h.RestUntil) && !now.Before(h.Trial) {
		h.Trial = now.Add(trialMost)
	}
	return h
}

// After is a trunk's health after a call over it. A call whose INVITE was not even sent says only what the trunk's standing
// says already.
func (h Health) After(c *telgate.Call, now time.Time) Health {
	h.Trial = time.Time{}
	if c.Outcome == telgate.OutcomeCancelled || c.Outcome == telgate.OutcomeTrunkFailed && c.Scope == telgate.ScopeCall {
		return h // says nothing about the trunk
	}
	if c.Times.Dialed.IsZero() && (c.Detail == telgate.DetailCredentials || c.Detail == telgate.DetailNotRegistered) {
		return h
	}
	if c.Outcome != telgate.OutcomeTrunkFailed {
		return Health{Silent: h.silentAfter(c)} // real calls override probes
	}
	first, most := restFirst, restMost
	if c.Detail == telgate.DetailCredentials {
		first, most = restCredentials, restCredMost
	}
	rest := min(first<<min(h.Failures, 10), most)
	return Health{RestUntil: now.Add(max(rest, c.Signal.RetryAfter)), Failures: h.Failures + 1, Silent: h.Silent, Standing: h.Standing}
}

// silentAfter counts answered calls without a sound path; a call that was not answered says nothing about it.
func (h Health) silentAfter(c *telgate.Call) int {
	switch {
	case c.Detail == telgate.DetailNoAudio:
		return h.Silent + 1
	case c.Audio.RTP.Received > 0:
		return 0
	}
	return h.Silent
}

// Choice is a trunk for one number.
type Choice struct {
	Trunk string
	Last  bool // no other one is left for this step
}

// Route picks the trunk for a number: of those that carry it, may dial it and were not tried in this step, the first in
// order that is up and does not rest, else the least bad: one that rests, the shortest first; one that is down; one that
// would send nothing. Those that were not heard lately come after their equals. The error says why none can: a [*Forbidden]
// or [*Ineligible], or nil with ok false where all were tried.
func (d Dialer) Route(n telgate.Number, trunks []Trunk, health map[string]Health, tried []string, now time.Time) (c Choice, ok bool, err error) {
	type candidate struct {
		name string
		bad  int
		rest time.Time
		mute bool
	}
	var left []candidate
	for _, t := range trunks {
		if !t.carries(n) {
			continue
		}
		if _, dialErr := d.Dial(n, t); dialErr != nil {
			err = worse(err, dialErr)
			continue
		}
		if slices.Contains(tried, t.Name) {
			continue
		}
		h := health[t.Name]
		if h.RestUntil.Before(now) {
			h.RestUntil = time.Time{}
		}
		if h.RestUntil.IsZero() && now.Before(h.Trial) {
			h.RestUntil = now // behind those that work, before those that rest
		}
		left = append(left, candidate{t.Name, h.Standing.bad(now), h.RestUntil, h.mute()})
	}
	if len(left) == 0 {
		return Choice{}, false, err
	}
	slices.SortStableFunc(left, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.bad, b.bad), a.rest.Compare(b.rest), boolCompare(a.mute, b.mute))
	})
	return Choice{left[0].name, len(left) == 1}, true, nil
}

// bad orders standings, the best first.
func (s Standing) bad(now time.Time) int {
	switch {
	case now.Before(s.Refused):
		return 2
	case s.Down:
		return 1
	}
	return 0
}

// worse is the reason that is told where trunks differ: what is forbidden stays so, whatever trunk is added.
func worse(a, b error) error {
	if _, ok := errors.AsType[*Forbidden](a); ok {
		return a
	}
	return b
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
