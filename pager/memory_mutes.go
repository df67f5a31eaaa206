package pager

import (
	"context"
	"slices"
	"time"

	"telgate"
)

// PutMute keeps a mute.
func (m *Memory) PutMute(_ context.Context, x *telgate.Mute) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mutes = slices.DeleteFunc(m.mutes, func(y telgate.Mute) bool { return y.Nick == x.Nick })
	m.mutes = append(m.mutes, *x)
	return nil
}

// Mutes are those in force after a moment.
func (m *Memory) Mutes(_ context.Context, after time.Time) ([]telgate.Mute, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := slices.DeleteFunc(slices.Clone(m.mutes), func(x telgate.Mute) bool { return !x.Until.After(after) })
	slices.SortFunc(all, func(a, b telgate.Mute) int { return a.Until.Compare(b.Until) })
	return all, nil
}
