package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"telgate"
)

const (
	// hangUpLimit is how long the answer to a CANCEL or BYE is waited for.
	hangUpLimit = 2 * time.Second
	// lastMoment is for what a page that has ended, or was given up, still tidies up.
	lastMoment = time.Second
)

// vigil is a page that somebody watches at a shell.
type vigil struct {
	app     *app
	gateway *gateway
	state   string // the state directory
	signals <-chan os.Signal
	cut     func() // ends the trunks

	trunk string // that carries the call in progress, "" where there is none
}

// open waits for the trunks, or for a signal: then nothing was dialled.
func (w *vigil) open(ctx context.Context) os.Signal {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opened := make(chan struct{})
	go func() { defer close(opened); w.gateway.ready(ctx) }()
	select {
	case <-opened:
	case s := <-w.signals:
		cancel()
		<-opened
		return s
	}
	select { // one that came meanwhile
	case s := <-w.signals:
		return s
	default:
		return nil
	}
}

// follow shows events until the page has ended. The first signal hangs up and waits for the trunk, but not for long; the
// second waits for nothing. A page that reached somebody all the same has: its exit status says so.
func (w *vigil) follow(ctx context.Context, id telgate.PageID, hangUp func()) error {
	view := newView(w.app)
	view.look, view.route = w.gateway.look, w.gateway.routable
	defer view.close()
	events := w.gateway.pager.Follow(context.WithoutCancel(ctx), id)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	status, result := 0, telgate.Result("")
	limit, cut := time.NewTimer(time.Hour), false // from a signal on: of the trunk, then of the page
	limit.Stop()
	defer limit.Stop()
	for {
		select {
		case ev, more := <-events:
			if !more {
				if status == 0 || result.Reached() {
					status = resultStatus(result)
				}
				return withStatus(status, nil)
			}
			if ev.Kind == telgate.EventPageEnded {
				result = ev.Result
			}
			view.show(ev)
			w.carried(ev)
		case <-tick.C:
			view.tick()
		case <-limit.C:
			if cut {
				return withStatus(status, nil)
			}
			if w.trunk != "" {
				w.say(fmt.Sprintf("trunk %s has not confirmed it: the phone may still ring, or be up, for a while", w.trunk))
			}
			cut = true
			w.end(hangUp)
			limit.Reset(lastMoment)
		case s := <-w.signals:
			if status != 0 {
				cut = true
				w.end(hangUp)
				limit.Reset(lastMoment)
				continue
			}
			status = signalStatus(s)
			view.close()
			w.say(hangingUp(s, w.trunk))
			w.stop(ctx, id)
			limit.Reset(hangUpLimit)
		}
	}
}

// end waits for trunks no more.
func (w *vigil) end(hangUp func()) {
	hangUp()
	w.gateway.hurry()
	w.cut()
}

// hurry has trunks that stop wait for no answer.
func (g *gateway) hurry() {
	for _, t := range g.trunks {
		t.Hurry()
	}
}

// carried keeps which trunk has a call in progress.
func (w *vigil) carried(ev telgate.Event) {
	switch {
	case ev.Kind == telgate.EventCallEnded:
		w.trunk = ""
	case ev.Kind == telgate.EventDialing && ev.Order != nil:
		w.trunk = ev.Order.Trunk
	}
}

// stop asks for the end of the page; its owner may be busy, and a second signal must be heard meanwhile.
func (w *vigil) stop(ctx context.Context, id telgate.PageID) {
	go func() {
		_ = w.gateway.pager.Stop(context.WithoutCancel(ctx), id, telgate.Actor{ID: "local:" + w.app.env.user(), Local: true})
	}()
}

// hangingUp is what somebody who interrupts a call waits for.
func hangingUp(s os.Signal, trunk string) string {
	peer := "the trunk"
	if trunk != "" {
		peer = "trunk " + trunk
	}
	again := "a second signal ends it at once"
	if s == os.Interrupt {
		again = "press Ctrl-C again to end it at once"
	}
	return fmt.Sprintf("hanging up, waiting at most %s for %s to confirm it; %s", hangUpLimit, peer, again)
}

// signalStatus is the exit status of a command that a signal ended.
func signalStatus(s os.Signal) int {
	if s == os.Interrupt {
		return exitInterrupted
	}
	return exitTerminated // a terminal that is gone is as good as SIGTERM
}

// say tells whoever watches what is no event.
func (w *vigil) say(what string) { _, _ = fmt.Fprintln(w.app.env.err, "telgate:", what) }

// note leaves a line about a call that broke the glass; result is "" while it begins. That it cannot be written must not keep
// the phone from ringing.
func (w *vigil) note(page telgate.PageID, r telgate.Request, result telgate.Result) {
	line, err := json.Marshal(directNote{Time: w.app.env.now().UTC(), Page: page, Asker: r.Asker.ID, Who: r.Who, Message: r.Message, Result: result})
	if err == nil {
		err = appendLine(w.state, directName, line)
	}
	if err != nil {
		w.say("this call is not noted: " + (&stateError{w.state, err}).Error())
	}
}

// appendLine adds a line to a file of the state directory.
func appendLine(dir, name string, line []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}
