package main

import (
	"context"
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

// dialable is what a trunk asks before each INVITE.
func (s *settings) dialable(trunk, user string) error {
	return s.dialer.Check(user, routeOf(s.routes, trunk))
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
	return l.now().calls.Call(ctx, o, emit)
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
