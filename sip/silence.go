package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/emiago/sipgo/sip"
)

// silence is a request that was sent, and that nobody answered.
type silence struct {
	method sip.RequestMethod
	to     netip.AddrPort
	after  time.Duration
	err    error
}

// Error says who was silent, for how long: "no answer to OPTIONS from 192.0.2.1:5060 in 1 s".
func (e *silence) Error() string {
	return fmt.Sprintf("no answer to %s from %s in %s", e.method, e.to, inWords(e.after))
}

func (e *silence) Unwrap() error { return e.err }

// inWords is a time as somebody would say it: "4 s", "1.5 s", "150 ms".
func inWords(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%g s", d.Round(100*time.Millisecond).Seconds())
}

// isTimeout tells whether nothing came in time.
func isTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, sip.ErrTransactionTimeout) || timedOut(err)
}

// unheard is the error of a request that ended without a response: in words where that was for want of time.
func (t *Trunk) unheard(req *sip.Request, began time.Time, err error) error {
	if !isTimeout(err) {
		return err
	}
	return &silence{req.Method, destination(req).addr, t.env.Now().Sub(began), err}
}
