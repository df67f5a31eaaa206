package main

import (
	"errors"
	"fmt"
	"strings"

	"telgate/web"
)

// pauseCmd throws the kill switch.
type pauseCmd struct {
	Why    []string `arg:"" optional:"" help:"Why, for those who are refused meanwhile."`
	HangUp bool     `help:"End what is in progress, too." name:"hangup"`
}

// Help is shown below the flags.
func (pauseCmd) Help() string {
	return `Nothing new is dialled: requests are refused with who paused and when, pages that run wait for their next call. Calls in progress go
on unless --hangup. It stays so over a restart, until telgate resume. It counts for every gateway that shares the store.`
}

// Run is the command.
func (c *pauseCmd) Run(a *app) error {
	gateway, err := a.reach()
	if err != nil {
		return err
	}
	done, err := gateway.Pause(a.ctx, web.PauseRequest{Why: strings.Join(c.Why, " "), HangUp: c.HangUp})
	if err != nil {
		return a.asked(err)
	}
	if a.cli.JSON {
		return a.printJSON(done)
	}
	words := "calling is paused; telgate resume goes on"
	if c.HangUp {
		words = fmt.Sprintf("calling is paused, %d pages were stopped; telgate resume goes on", done.Pages)
	}
	_, err = fmt.Fprintln(a.env.out, words)
	return err
}

// resumeCmd takes the kill switch back.
type resumeCmd struct{}

// Run is the command.
func (resumeCmd) Run(a *app) error {
	gateway, err := a.reach()
	if err != nil {
		return err
	}
	if err := gateway.Resume(a.ctx); err != nil {
		return a.asked(err)
	}
	if a.cli.JSON {
		return a.printJSON(web.Done{V: 1})
	}
	_, err = fmt.Fprintln(a.env.out, "calling goes on")
	return err
}

// reloadCmd has the configuration read again.
type reloadCmd struct{}

// Help is shown below the flags.
func (reloadCmd) Help() string {
	return `People, groups, recordings, limits, permissions, trunks, [sip] and [calls] count from then on; calls in progress go on. A file with a
fault changes nothing (exit status 2). New trunks and tokens are tried first: where they do not work the old ones stay, which is
said (exit status 1). Keys that need a restart keep their value and are named.`
}

// Run is the command.
func (reloadCmd) Run(a *app) error {
	gateway, err := a.reach()
	if err != nil {
		return err
	}
	done, err := gateway.Reload(a.ctx)
	if err != nil {
		return a.asked(err)
	}
	if a.cli.JSON {
		err = a.printJSON(done)
	} else {
		_, err = fmt.Fprintln(a.env.out, reloadedWords(done))
	}
	if err == nil && len(done.Kept) > 0 {
		return withStatus(exitInternal, errors.New("not all of it counts: something new does not work, and the old stays"))
	}
	return err
}

// reloadedWords is what came of a reload, for people.
func reloadedWords(done web.Reloaded) string {
	words := "reloaded; nothing differs"
	switch {
	case len(done.Changed) > 0:
		words = "reloaded: " + strings.Join(done.Changed, ", ")
	case len(done.Kept) > 0:
		words = "reloaded; nothing changed"
	}
	if len(done.Restart) > 0 {
		words += "\nneeds a restart: " + strings.Join(done.Restart, ", ")
	}
	for _, why := range done.Kept {
		words += "\nnot reloaded: " + why
	}
	for _, w := range done.Warnings {
		words += "\nwarning: " + w
	}
	return words
}
