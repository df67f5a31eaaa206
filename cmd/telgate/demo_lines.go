package main

import (
	"context"
	"time"

	"telgate"
	"telgate/sip/siptest"
)

// Lines that come from a file or a pipe come all at once, and nobody looks at the screen before the next. So each is given
// what somebody at a keyboard takes: time for the phone to ring, for the alert to be heard, for the page to end.

const (
	demoAnswered = 3 * time.Second // for Slack to say something to a command
	demoListens  = 3 * time.Second // of the alert, before a key is pressed
)

// seen is how much Grace has seen in #ops.
func (d *demo) seen() int { return len(d.workspace.Seen(demoAsker, demoChannel)) }

// runs tells whether a page is not over.
func (d *demo) runs(ctx context.Context) bool {
	for _, p := range d.pages(ctx) {
		if p.State != telgate.PageEnded {
			return true
		}
	}
	return false
}

// pages are all pages; what is in memory is never out of reach.
func (d *demo) pages(ctx context.Context) []telgate.Page {
	all, _ := d.gateway.pager.Pages(context.WithoutCancel(ctx))
	return all
}

// settle waits until a command was answered and, where it has somebody called, until a phone rings or nobody is called any
// more.
func (d *demo) settle(ctx context.Context, phone *hand, before int) {
	if d.app.env.typed {
		return
	}
	answered, cancel := context.WithTimeout(ctx, demoAnswered)
	defer cancel()
	until(answered, func() bool { return d.seen() > before })
	until(ctx, func() bool {
		ring, _ := phone.held()
		return ring != nil && ring.Why() == "" || !d.runs(ctx)
	})
}

// listen waits until the alert was heard for a while, or the call is over.
func (d *demo) listen(ctx context.Context, ring *siptest.Ring) {
	if d.app.env.typed {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-ring.Over():
			cancel()
		case <-ctx.Done():
		}
	}()
	_ = ring.Ear().WaitSound(ctx, demoListens) // a call that is over is told by what is tried next
}

// finish waits at the end of the lines until every page has ended and its card was shown. At a keyboard the end of the input
// is as good as quit.
func (d *demo) finish(ctx context.Context, phone *hand) {
	if d.app.env.typed {
		return
	}
	until(ctx, func() bool { return !d.runs(ctx) })
	shown, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	until(shown, func() bool {
		return int(d.ended.Load()) >= len(d.pages(ctx)) && phone.untold.Load() == 0
	})
}
