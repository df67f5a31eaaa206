package sip

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Probe is what a trunk answered to OPTIONS.
type Probe struct {
	Status  int
	Phrase  string
	Latency time.Duration
	Allow   string
	Server  string
	Sight   Sight
}

// Alive tells whether the trunk can be expected to take calls: any final response but 408 and 503 says that it is there.
func (p Probe) Alive() bool { return aliveStatus(p.Status) }

// Probe sends OPTIONS to the trunk (RFC 3261 11) and rings nobody. It answers challenges, but not while refused
// credentials rest; the trunk's [Health] learns from it.
func (t *Trunk) Probe(ctx context.Context) (Probe, error) {
	if !t.begin() {
		return Probe{}, &SendError{"closed", errClosed}
	}
	defer t.work.Done()
	p, err := t.path(ctx)
	if err != nil {
		if ctx.Err() == nil || isTimeout(ctx.Err()) {
			t.vitals.miss(err)
		}
		return Probe{}, err
	}
	return t.probe(ctx, p)
}

// ProbeTarget does the same at one of [Trunk.Targets].
func (t *Trunk) ProbeTarget(ctx context.Context, target Target) (Probe, error) {
	if !t.begin() {
		return Probe{}, &SendError{"closed", errClosed}
	}
	defer t.work.Done()
	p, err := t.reach(ctx, target, 1)
	if err != nil {
		return Probe{}, err
	}
	return t.probe(ctx, p)
}

func (t *Trunk) probe(ctx context.Context, p path) (Probe, error) {
	req := t.request(sip.OPTIONS, "", p)
	req.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
	var sent time.Time
	next := counting(1)
	sent = t.env.Now()
	res, err := t.authenticated(ctx, req, func() uint32 { sent = t.env.Now(); return next() })
	if _, unanswered := errors.AsType[*AuthError](err); err != nil && !unanswered {
		if !errors.Is(ctx.Err(), context.Canceled) { // we stop: the trunk missed nothing
			t.vitals.miss(noAnswer("OPTIONS", err))
		}
		if _, said := errors.AsType[*silence](err); !said {
			err = fmt.Errorf("OPTIONS to %s: %w", p.to, err)
		}
		return Probe{}, err
	}
	latency := t.env.Now().Sub(sent)
	t.vitals.final(res, latency)
	sight := sightOf(res, p.advertise)
	v, _ := t.up.outside.at(t.endpoint(p))
	sight.Local, sight.Learned = p.local, v.local == p.local && v.seen == sight.Seen
	return Probe{
		Status: res.StatusCode, Phrase: res.Reason, Latency: latency,
		Allow: strings.Join(headerValues(res, "Allow"), ", "), Server: firstHeader(res, "Server", "User-Agent"), Sight: sight,
	}, nil
}
