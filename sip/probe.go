package sip

import (
	"context"
	"encoding/binary"
	"io"
	"time"
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
