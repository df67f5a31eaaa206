package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"telgate"
	"telgate/web"
	"telgate/web/client"
)

const (
	startLimit  = 5 * time.Second // for a gateway that holds the lock to answer: its trunks may take four to open
	submitLimit = 10 * time.Second
	backLimit   = time.Minute // for a gateway that was lost to come back
	backFirst   = 100 * time.Millisecond
	backMost    = 2 * time.Second
)

// through has a gateway run the page, and shows it to its end as if it ran here. The error is client.ErrNobody where none
// answers: then nothing was asked.
func (c *callCmd) through(a *app, gateway *client.Client) error {
	key := rand.Text() // whoever asks twice gets one page
	ctx, cancel := context.WithTimeout(a.ctx, submitLimit)
	defer cancel()
	if c.Pcap != "" {
		if _, err := gateway.Status(ctx); !errors.Is(err, client.ErrNobody) {
			return withStatus(exitUsage, errors.New("--pcap: the packets are the gateway's, not this command's: use --direct, or capture on the gateway"))
		}
		return client.ErrNobody
	}
	look, err := openLook(a, c.Trace, "")
	if err != nil {
		return err
	}
	defer look.close()
	signals, done := a.env.signals() // before anything can ring: from here on a signal finds who cancels
	defer done()
	receipt, err := submit(ctx, gateway, web.PageRequest{Who: words(c.Who), Message: strings.Join(c.Message, " "), New: c.New, Force: c.Force, All: c.All}, key)
	if e, ok := errors.AsType[*web.Error](err); ok && errorStatus(e.Reason) == exitRefused {
		return c.refused(a, e.Refusal())
	}
	if errors.Is(err, client.ErrNobody) {
		return err
	}
	if err != nil {
		return a.asked(err)
	}
	w := &watch{app: a, gateway: gateway, signals: signals, page: receipt.Page, joined: receipt.Joined, view: newView(a)}
	w.view.look = look
	defer w.view.close()
	if w.joined {
		w.say(receipt.Words + " is being called already: you joined that page")
	}
	return w.follow()
}

// submit asks for a page, again where the connection broke: the key makes it one page.
func submit(ctx context.Context, gateway *client.Client, r web.PageRequest, key string) (web.PageReceipt, error) {
	for first := true; ; first = false {
		receipt, err := gateway.Submit(ctx, r, key)
		_, answered := errors.AsType[*web.Error](err)
		if err == nil || answered || first && errors.Is(err, client.ErrNobody) {
			return receipt, err
		}
		if !rest(ctx, backFirst) {
			return receipt, fmt.Errorf("nobody knows whether the page was accepted; telgate history tells when the gateway is back: %v", err) //nolint:errorlint // no ErrNobody: something was asked
		}
	}
}

// rest waits; false where ctx is done first.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// watch is a page of a gateway that somebody watches at a shell.
type watch struct {
	app     *app
	gateway *client.Client
	signals <-chan os.Signal
	page    telgate.PageID
	joined  bool // it is somebody else's page, too
	view    *view

	status int // of the signal that interrupted, 0 = none
	result telgate.Result
}

// told is what the stream brings: an event, or a word about the stream itself.
type told struct {
	event telgate.Event
	raw   []byte
	say   string
}

// follow shows events until the page has ended. The first signal stops the page, the second waits no more. A page that was
// joined goes on for those who asked for it first.
func (w *watch) follow() error {
	ctx, leave := context.WithCancel(context.WithoutCancel(w.app.ctx))
	news, ended := make(chan told), make(chan error, 1)
	stopped := make(chan struct{})
	close(stopped)
	over := make(chan struct{})
	defer func() { leave(); <-over; <-stopped }()
	go func() { defer close(over); ended <- w.stream(ctx, news) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case n := <-news:
			w.show(n)
		case <-tick.C:
			w.view.tick()
		case err := <-ended:
			return w.end(err)
		case s := <-w.signals:
			if w.status != 0 || w.joined {
				return w.left(s)
			}
			w.status = signalStatus(s)
			w.view.close()
			w.say(stopping(s))
			stopped = make(chan struct{})
			go func() { defer close(stopped); w.stop(ctx) }()
		}
	}
}

func (w *watch) show(n told) {
	if n.say != "" {
		w.view.close()
		w.say(n.say)
		return
	}
	if n.event.Kind == telgate.EventPageEnded {
		w.result = n.event.Result
	}
	w.view.pass(n.event, n.raw)
}

// end is the end of the stream: the page's, or of our patience.
func (w *watch) end(err error) error {
	if err != nil {
		return withStatus(exitInternal, err)
	}
	if w.status == 0 || w.result.Reached() {
		w.status = resultStatus(w.result)
	}
	return withStatus(w.status, nil)
}

// left is who waits no more.
func (w *watch) left(s os.Signal) error {
	if w.joined {
		w.view.close()
		w.say(fmt.Sprintf("page %s goes on: telgate stop %s stops it", w.page, w.page))
	}
	if w.status == 0 {
		w.status = signalStatus(s)
	}
	return withStatus(w.status, nil)
}

// stop asks for the end of the page until somebody hears it.
func (w *watch) stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, backLimit)
	defer cancel()
	for {
		err := w.gateway.Stop(ctx, w.page)
		if _, answered := errors.AsType[*web.Error](err); err == nil || answered || !rest(ctx, backFirst) {
			return
		}
	}
}

// stream brings the page's events in order, each once, whatever becomes of the connection. It returns when the page has
// ended, with an error where nobody tells how the page goes on.
func (w *watch) stream(ctx context.Context, news chan<- told) error {
	r := &reader{
		watch: w, news: news, heard: w.app.env.now(), pause: backFirst,
		form: client.Form{Numbers: w.app.cli.ShowNumbers, Trace: w.view.look.traces()},
	}
	for {
		err := w.gateway.Events(ctx, w.page, r.seq, r.form, func(line []byte) error { return r.take(ctx, line) })
		if r.over || ctx.Err() != nil {
			return nil //nolint:nilerr // the page has ended, or nobody watches any more
		}
		if e, ok := errors.AsType[*web.Error](err); ok {
			return fmt.Errorf("the gateway does not know how page %s goes on: %w", w.page, e)
		}
		if !r.lost {
			r.lost, r.heard = true, w.app.env.now()
			_ = r.tell(ctx, told{say: "the gateway is gone; waiting for it to come back and go on with page " + string(w.page)}) // ctx is asked below
		}
		if w.app.env.now().Sub(r.heard) > backLimit {
			return fmt.Errorf("the gateway did not come back within %v: how page %s ends is told by its card, and by telgate history %s", backLimit, w.page, w.page)
		}
		if !rest(ctx, r.pause) {
			return nil
		}
		r.pause = min(2*r.pause, backMost)
	}
}

// reader is how far a stream was read.
type reader struct {
	watch *watch
	news  chan<- told
	form  client.Form
	seq   int  // of the last event
	over  bool // it was the page's last
	lost  bool // the gateway is
	heard time.Time
	pause time.Duration // before the next try
}

// take reads one event.
func (r *reader) take(ctx context.Context, line []byte) error {
	ev, err := telgate.ParseEvent(line)
	if err != nil {
		return err
	}
	if r.lost {
		r.lost, r.pause = false, backFirst
		if err := r.tell(ctx, told{say: "the gateway is back"}); err != nil {
			return err
		}
	}
	r.seq, r.heard, r.over = ev.Seq, r.watch.app.env.now(), ev.Kind == telgate.EventPageEnded
	return r.tell(ctx, told{event: ev, raw: bytes.Clone(line)})
}

func (r *reader) tell(ctx context.Context, n told) error {
	select {
	case r.news <- n:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// stopping is what somebody who interrupts a page of a gateway waits for.
func stopping(s os.Signal) string {
	again := "a second signal waits no more"
	if s == os.Interrupt {
		again = "press Ctrl-C again to wait no more"
	}
	return "hanging up: the gateway stops the page; " + again
}

// say tells whoever watches what is no event.
func (w *watch) say(what string) { _, _ = fmt.Fprintln(w.app.env.err, "telgate:", what) }
