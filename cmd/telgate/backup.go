package main

import (
	"fmt"
	"path/filepath"
)

// backupCmd writes what is stored to a file.
type backupCmd struct {
	File string `arg:"" help:"A file that does not exist yet, where the gateway may write."`
}

// Run is the command.
func (c *backupCmd) Run(a *app) error {
	file, err := filepath.Abs(c.File)
	if err != nil {
		return withStatus(exitUsage, err)
	}
	gateway, err := a.reach()
	if err != nil {
		return err
	}
	if err := gateway.Backup(a.ctx, file); err != nil {
		return a.asked(err)
	}
	if a.cli.JSON {
		return a.printJSON(map[string]any{"v": 1, "file": file})
	}
	_, err = fmt.Fprintf(a.env.out, "backed up to %s\n", file)
	return err
}

// forgetCmd erases a person from the history.
type forgetCmd struct {
	Nick string `arg:"" help:"Nickname, as in the history."`
}

// Help is shown below the flags.
func (forgetCmd) Help() string {
	return `Name, Slack id, numbers, keys and SIP messages of the person's calls are erased from pages that have ended. The pages, their results and
their times stay, under the nickname. Take the person out of the configuration, too.`
}

// Run is the command.
func (c *forgetCmd) Run(a *app) error {
	gateway, err := a.reach()
	if err != nil {
		return err
	}
	done, err := gateway.Forget(a.ctx, c.Nick)
	if err != nil {
		return a.asked(err)
	}
	if a.cli.JSON {
		return a.printJSON(done)
	}
	if done.Pages == 0 {
		_, err = fmt.Fprintf(a.env.out, "the history has nothing under %s: nicknames are those of \"telgate history\", spelled the same\n", c.Nick)
		return err
	}
	_, err = fmt.Fprintf(a.env.out, "%s is forgotten in %d pages\n", c.Nick, done.Pages)
	return err
}
