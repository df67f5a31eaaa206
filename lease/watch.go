package lease

import (
	"context"
	"time"
)

// watch looks after the other gateways, by this one's clock and only while its own beats succeed: where the register is down
// nobody is dead.
type watch struct {
	peers Peers
	cfg   Config
	env   Env

	seen   map[string]sight
	warned map[string]string // digest of a peer's configuration that was warned about, by name
}

// sight is how many beats a peer had, and since when it has no more.
type sight struct {
	beats int64
	since time.Time
}

func newWatch(peers Peers, cfg Config, env Env) *watch {
	return &watch{peers: peers, cfg: cfg, env: env, seen: map[string]sight{}, warned: map[string]string{}}
}

// forget begins to look anew.
func (w *watch) forget() { clear(w.seen) }

// look takes whoever stood still for the TTL for dead.
func (w *watch) look(ctx context.Context, self Self) {
	ask, cancel := context.WithTimeout(ctx, w.cfg.TTL/3)
	defer cancel()
	now := w.env.Now() // before the answer: a beat that comes meanwhile is not missed
	all, err := w.peers.Peers(ask)
	if err != nil {
		w.forget()
		return
	}
	seen := make(map[string]sight, len(all))
	for _, p := range all {
		if p.ID == self.ID {
			continue
		}
		w.compare(self, p)
		s, known := w.seen[p.ID]
		if !known || s.beats != p.Beats {
			s = sight{p.Beats, now}
		}
		if now.Sub(s.since) >= w.cfg.TTL {
			w.bury(ask, p)
			continue
		}
		seen[p.ID] = s
	}
	w.seen = seen
}

// left is how long it takes until somebody may be dead, if there is no sign of life until then.
func (w *watch) left() time.Duration {
	left, now := w.cfg.TTL, w.env.Now()
	for _, s := range w.seen {
		left = min(left, s.since.Add(w.cfg.TTL).Sub(now))
	}
	return max(left, w.cfg.Beat/10)
}

func (w *watch) bury(ctx context.Context, p Peer) {
	done, err := w.peers.Bury(ctx, p)
	switch {
	case err != nil:
		w.env.Log.Error("dead gateway not taken over, trying again", "gateway", p.Name, "err", err)
	case done:
		w.env.Log.Warn("gateway is dead: its pages are taken over", "gateway", p.Name, "id", p.ID)
	}
}

// compare warns, once for each state, of a peer that would do otherwise with the same page.
func (w *watch) compare(self Self, p Peer) {
	if p.Config == self.Config {
		delete(w.warned, p.Name)
		return
	}
	if w.warned[p.Name] == p.Config {
		return
	}
	w.warned[p.Name] = p.Config
	w.env.Log.Warn("gateways have different configurations: the same page ends differently on each", "gateway", p.Name,
		"version", p.Version, "ours", self.Version)
}
