package main

import (
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
	stopLimit   = time.Minute // for somebody to hear that a page is to end
	backFirst   = 100 * time.Millisecond
	backMost    = time.Second
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
	w := &watch{app: a, gateway: gateway, signals: signals, page: receipt.Page, joined: receipt.Joined, view: newView(a), longest: a.longest()}
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

	longest time.Duration // that the page may live

	status int // of the signal that interrupted, 0 = none
	result telgate.Result
}

// follow shows events until the page has ended. The first signal stops the page, the second waits no more. A page that was
// joined goes on for those who asked for it first.
func (w *watch) follow() error {
	ctx, leave := context.WithCancel(context.WithoutCancel(w.app.ctx))
	news, ended := make(chan told), make(chan error, 1)
	unheard := make(chan error, 1)
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
		case err := <-unheard:
			return w.end(err)
		case s := <-w.signals:
			if w.status != 0 || w.joined {
				return w.left(s)
			}
			w.status = signalStatus(s)
			w.view.close()
			w.say(stopping(s))
			stopped = make(chan struct{})
			go func() {
				defer close(stopped)
				if err := w.stop(ctx); err != nil {
					unheard <- err
				}
			}()
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

// stop asks for the end of the page until somebody hears it. The error is for who interrupted, where nobody does.
func (w *watch) stop(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	for {
		err := w.gateway.Stop(limited, w.page)
		_, answered := errors.AsType[*web.Error](err)
		switch {
		case err == nil || answered || ctx.Err() != nil:
			return nil
		case !rest(limited, backFirst):
			return fmt.Errorf("no gateway could be told within %v to stop page %s: it goes on; telgate stop %s stops it as soon as one answers", stopLimit, w.page, w.page)
		}
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
