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

// cutLimit is how long a call that is cut off may take to say how it ended: trunks have [hangupLimit] for their CANCEL.
const cutLimit = 2 * hangupLimit

// lastMoment is for what a page that has ended, or was given up, still tidies up.
const lastMoment = time.Second

// vigil is a page that somebody watches at a shell.
type vigil struct {
	app     *app
	gateway *gateway
	state   string // the state directory
	signals <-chan os.Signal
	cut     func() // ends the trunks, whatever they wait for
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

// follow shows events until the page has ended. The first signal stops the page; the second waits for the trunk no more, and
// the third for nothing. A page that reached somebody all the same has: its exit status says so.
func (w *vigil) follow(ctx context.Context, id telgate.PageID, hangUp func()) error {
	view := newView(w.app)
	view.look, view.forbids = w.gateway.look, w.gateway.forbids
	defer view.close()
	events := w.gateway.pager.Follow(context.WithoutCancel(ctx), id)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	status, result := 0, telgate.Result("")
	var late <-chan time.Time
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
		case <-tick.C:
			view.tick()
		case <-late:
			return withStatus(status, nil)
		case s := <-w.signals:
			switch {
			case status == 0:
				status = signalStatus(s)
				view.close()
				w.say(cancelling(s))
				w.stop(ctx, id)
			case late == nil:
				timer := time.NewTimer(cutLimit)
				defer timer.Stop()
				late = timer.C
				hangUp()
				w.cut()
			default:
				return withStatus(status, nil)
			}
		}
	}
}

// stop asks for the end of the page; its owner may be busy, and a second signal must be heard meanwhile.
func (w *vigil) stop(ctx context.Context, id telgate.PageID) {
	go func() {
		_ = w.gateway.pager.Stop(context.WithoutCancel(ctx), id, telgate.Actor{ID: "local:" + w.app.env.user(), Local: true})
	}()
}

// cancelling is what somebody who interrupts a call waits for.
func cancelling(s os.Signal) string {
	again := "a second signal stops waiting"
	if s == os.Interrupt {
		again = "press Ctrl-C again to stop waiting"
	}
	return "cancelling, waiting for the trunk; " + again
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

// note leaves a line about a call that broke the glass, for whoever reviews what happened. That it cannot be written
// must not keep the phone from ringing.
func (w *vigil) note(page telgate.PageID, r telgate.Request) {
	line, err := json.Marshal(map[string]any{"time": w.app.env.now().UTC(), "page": page, "asker": r.Asker.ID, "who": r.Who, "message": r.Message})
	if err == nil {
		err = appendLine(w.state, "direct.jsonl", line)
	}
	if err != nil {
		w.say("this call is not noted: " + err.Error())
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
