package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"telgate/config"
	"telgate/lease"
	"telgate/sip"
)

const (
	byLease     = "lease"         // register_by
	resignLimit = 4 * time.Second // for our contacts to be taken away, and for the turns to be given up
)

// sharedTrunks are those with which one gateway at a time registers.
func sharedTrunks(cfg config.Config) (names []string) {
	for _, t := range cfg.Trunks {
		if t.Register.On && t.Register.By == byLease && !missing(cfg, "trunks."+t.Name) {
			names = append(names, t.Name)
		}
	}
	return names
}

// sharing is whose turn it is to register with a trunk, by the lease that there is when that is asked.
func (e *estate) sharing(trunk string) *sip.Sharing {
	return &sip.Sharing{
		Turn: func() sip.Turn {
			if e.lease == nil {
				return sip.TurnOther
			}
			switch e.lease.Stand(trunk) {
			case lease.Ours:
				return sip.TurnOurs
			case lease.InDoubt:
				return sip.TurnDoubt
			case lease.Others:
			}
			return sip.TurnOther
		},
		Former: func() string { return e.lease.Former(trunk) },
	}
}

// share has the lease contend for the turns to register.
func (e *estate) share(cfg config.Config, trunks []*trunk) {
	if e.lease == nil {
		return
	}
	names := sharedTrunks(cfg)
	e.shared.set(named(trunks, names))
	e.lease.Share(e.store.Gateways(), names, e)
}

// shareAnew does so after a reload. Turns that are not contended for any more are given up, when what was registered in them
// has been taken away.
func (e *estate) shareAnew(ctx context.Context, cfg config.Config, trunks []*trunk) {
	if e.lease == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, resignLimit)
	defer cancel()
	names := sharedTrunks(cfg)
	var all sync.WaitGroup
	for _, t := range e.shared.all() {
		if !slices.Contains(names, t.Name()) {
			all.Go(func() { t.Unregister(ctx) })
		}
	}
	all.Wait()
	e.shared.set(named(trunks, names))
	if err := e.lease.Contend(ctx, names); err != nil {
		e.log.Warn("turns to register not given up: another gateway takes them when this one has ended", "err", err)
	}
	for _, t := range e.shared.all() {
		t.TurnChanged() // it may have changed while the trunk was tried
	}
}

// named are the trunks of these names.
func named(trunks []*trunk, names []string) (all []*sip.Trunk) {
	for _, t := range trunks {
		if slices.Contains(names, t.Name()) {
			all = append(all, t.Trunk)
		}
	}
	return all
}

// sharers are the trunks whose account is shared.
type sharers struct {
	mu     sync.Mutex
	trunks []*sip.Trunk
}

func (s *sharers) all() []*sip.Trunk {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trunks
}

func (s *sharers) set(trunks []*sip.Trunk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trunks = trunks
}

func (e *estate) sharedTrunk(name string) *sip.Trunk {
	for _, t := range e.shared.all() {
		if t.Name() == name {
			return t
		}
	}
	return nil
}

// TurnChanged has a trunk look whose turn it is: see [lease.Holder].
func (e *estate) TurnChanged(trunk string) {
	if t := e.sharedTrunk(trunk); t != nil {
		t.TurnChanged()
	}
}

// Word is what is registered with a trunk: whoever comes after a gateway that died takes it away, where it is in the way.
func (e *estate) Word(trunk string) string {
	if t := e.sharedTrunk(trunk); t != nil {
		return t.Health().Registration.Contact
	}
	return ""
}

// resign takes our contacts away and gives the turns to register up, for another gateway to take at once; wait waits for it.
func (e *estate) resign(ctx context.Context) (wait func()) {
	if len(e.shared.all()) == 0 {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resignLimit)
		defer cancel()
		var all sync.WaitGroup
		for _, t := range e.shared.all() {
			all.Go(func() { t.Unregister(ctx) })
		}
		all.Wait()
		if err := e.lease.Resign(ctx); err != nil {
			e.log.Warn("turns to register not given up: another gateway takes them when this one has ended", "err", err)
		}
	}()
	return func() { <-done }
}

// turnsLimit is how long a status may wait for who registers.
const turnsLimit = 2 * time.Second

// registrars are who registers with each trunk whose account gateways share, by its name; none where that cannot be asked.
func (e *estate) registrars(ctx context.Context) map[string]lease.Turn {
	if len(e.shared.all()) == 0 {
		return nil
	}
	names := make([]string, 0, len(e.shared.all()))
	for _, t := range e.shared.all() {
		names = append(names, t.Name())
	}
	ctx, cancel := context.WithTimeout(ctx, turnsLimit)
	defer cancel()
	turns, err := e.store.Gateways().Turns(ctx, names)
	if err != nil {
		return nil // the status says so of the store
	}
	return byTrunk(turns)
}

func byTrunk(turns []lease.Turn) map[string]lease.Turn {
	all := make(map[string]lease.Turn, len(turns))
	for _, t := range turns {
		if t.Gateway != "" {
			all[t.Name] = t
		}
	}
	return all
}
