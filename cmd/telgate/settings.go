package main

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"telgate"
	"telgate/config"
	"telgate/directory"
	"telgate/plan"
	"telgate/prompts"
)

// settings are what a configuration means to pages: all that a reload exchanges, as one.
type settings struct {
	cfg    config.Config
	people *directory.Directory
	dialer plan.Dialer
	routes []plan.Trunk
	sounds *prompts.Library
	trunks []*trunk // in the order of cfg.Trunks
}

// newSettings reads people, routes and recordings; with faults they are of no use. A command that breaks the glass brings
// its own recordings.
func newSettings(cfg config.Config, sounds *prompts.Library, people func() (*directory.Directory, config.Faults)) (s settings, faults config.Faults) {
	s = settings{cfg: cfg, sounds: sounds}
	var f config.Faults
	s.dialer, f = newDialer(cfg)
	faults = append(faults, f...)
	s.routes, f = newRoutes(cfg)
	faults = append(faults, f...)
	faults = append(faults, checkTestNumbers(cfg)...)
	s.people, f = people()
	faults = append(faults, f.Without(cfg.Missing)...) // who can be called without a source's secret, can be
	if s.sounds == nil {
		s.sounds, f = newSounds(cfg)
		faults = append(faults, f...)
	}
	return s, faults
}

// caller makes calls, and ends those of gateways that died; room voice is one.
type caller interface {
	Call(ctx context.Context, o *telgate.Order, emit func(telgate.Event)) *telgate.Call
	End(ctx context.Context, c *telgate.Call) (status int, err error)
}

// live is what counts now. Rooms that outlive a reload ask it each time.
type live struct {
	current atomic.Pointer[current]
	changed chan struct{} // a token: there are other settings
}

func newLive() *live { return &live{changed: make(chan struct{}, 1)} }

// current is settings with who makes calls by them.
type current struct {
	settings

	calls  caller
	policy telgate.Policy
}

func (l *live) set(s settings, calls caller) {
	l.current.Store(&current{settings: s, calls: calls, policy: policy(s.cfg)})
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

func (l *live) now() *current { return l.current.Load() }

// policy is who may do what.
func (l *live) policy() telgate.Policy { return l.now().policy }

// Call makes a call by what counts as it begins.
func (l *live) Call(ctx context.Context, o *telgate.Order, emit func(telgate.Event)) *telgate.Call {
	c, t := l.use(o.Trunk)
	if t != nil {
		defer t.end()
	}
	return c.calls.Call(ctx, o, emit)
}

// use has a call use a trunk until that is told its end; nil where there is none of that name.
func (l *live) use(name string) (*current, *trunk) {
	for {
		c := l.now()
		i := slices.IndexFunc(c.trunks, func(t *trunk) bool { return t.Name() == name })
		if i < 0 {
			return c, nil
		}
		if c.trunks[i].begin() {
			return c, c.trunks[i]
		}
	} // it retired this moment, so there are other settings now
}

// End ends a call that a gateway left behind when it died.
func (l *live) End(ctx context.Context, c *telgate.Call) (status int, err error) {
	return l.now().calls.End(ctx, c)
}

// drainLimit is how long calls may go on when the gateway stops.
func (l *live) drainLimit() time.Duration {
	cfg := l.now().cfg
	if cfg.Gateway.Drain == config.DrainAuto {
		return cfg.Calls.Ring + cfg.Calls.MaxDuration
	}
	return cfg.Gateway.Drain
}
