package sip

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// ProbeMode is how a trunk is asked whether it is there.
type ProbeMode string

// Modes of probing. ProbeRegister asks the registrar which contacts it has (RFC 3261 10.2.3), and so finds out that it has
// forgotten ours.
const (
	ProbeOff      ProbeMode = "off"
	ProbeOptions  ProbeMode = "options"
	ProbeRegister ProbeMode = "register"
)

// Probing is how often a trunk is asked; the zero value asks nothing.
type Probing struct {
	Mode  ProbeMode
	Every time.Duration // a fifth less to a fifth more; 0 = 30 s
}

const (
	probeEvery = 30 * time.Second
	probeLimit = 5 * time.Second // for one probe to be answered
)

// tend registers and probes the trunk until ctx is done, and unregisters then. Run waits for it with the legs.
func (t *Trunk) tend(ctx context.Context) {
	if t.registration != nil {
		t.work.Go(func() { t.registration.run(ctx) })
	}
	t.work.Go(func() { t.watchSource(ctx) })
	if t.cfg.Probe.Mode == ProbeOptions {
		t.work.Go(func() { t.probeUntil(ctx) })
	}
	if t.cfg.Transport == "udp" && (t.cfg.Probe.Mode == ProbeOptions || t.cfg.Probe.Mode == ProbeRegister) {
		t.work.Go(func() { t.patrol(ctx) })
	}
}

// patrol asks each of several addresses on UDP, so that a call need not: it goes at once to the first that is alive. One
// that does not answer rests for longer than a round lasts, so the dead stay last until they answer. Connections need none
// of this: who is not there is known when the call connects, before anything was sent. Only where nothing is known, in the
// first second or without probes, a call asks itself ([Trunk.awake]).
func (t *Trunk) patrol(ctx context.Context) {
	for ctx.Err() == nil {
		targets, err := t.targets(ctx, t.firstHops(), "udp")
		switch {
		case err != nil || len(targets) < 2:
			targets = nil
		case t.cfg.Probe.Mode == ProbeOptions:
			targets = targets[1:] // the first is asked by probeUntil
		}
		var round sync.WaitGroup
		for _, g := range targets {
			round.Go(func() { t.present(ctx, g) })
		}
		round.Wait()
		if !wait(ctx, t.nextProbe()) {
			return
		}
	}
}

// present asks one address whether it is there; what it is found to be, it is put in order by.
func (t *Trunk) present(ctx context.Context, g Target) {
	ctx, stop := context.WithTimeout(ctx, probeLimit)
	defer stop()
	failed := t.up.health.resting(g.endpoint())
	res, err := t.transact(ctx, t.request(sip.OPTIONS, "", t.byUDP(g)))
	if err == nil && res.StatusCode == 503 {
		t.up.health.failed(g.endpoint(), retryAfter(res))
		err = &statusError{res.StatusCode, statusLine(res)}
	}
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil && !failed:
		t.env.Log.Warn("an address of the trunk is not there, and tried last", "target", g.String(), "err", err)
	case err == nil && failed:
		t.env.Log.Info("an address of the trunk is back", "target", g.String())
	}
}

// probeUntil asks the trunk with OPTIONS again and again.
func (t *Trunk) probeUntil(ctx context.Context) {
	for ctx.Err() == nil {
		limited, stop := context.WithTimeout(ctx, probeLimit)
		_, _ = t.Probe(limited) // keeps what it learns
		stop()
		if !wait(ctx, t.nextProbe()) {
			return
		}
	}
}

// nextProbe is when to ask again: not all gateways at the same moment.
func (t *Trunk) nextProbe() time.Duration {
	every := t.cfg.Probe.Every
	if every <= 0 {
		every = probeEvery
	}
	return t.share(every, 0.8, 1.2)
}

// share is d times something between from and to.
func (t *Trunk) share(d time.Duration, from, to float64) time.Duration {
	var b [8]byte
	if _, err := io.ReadFull(t.env.Rand, b[:]); err != nil {
		return time.Duration(float64(d) * from)
	}
	chance := float64(binary.BigEndian.Uint64(b[:])>>11) / (1 << 53)
	return time.Duration(float64(d) * (from + chance*(to-from)))
}
