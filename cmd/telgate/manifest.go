package main

import (
	"errors"
	"io/fs"
	"strings"

	"telgate/config"
	"telgate/slack"
)

// manifestCmd prints the description of the Slack app to create.
type manifestCmd struct {
	HTTP    string `help:"The public https address of this gateway: Slack delivers by HTTP instead of Socket Mode." placeholder:"URL" name:"http"`
	Command string `help:"The slash command (default: slack.command of the configuration, else /tel)." placeholder:"/NAME"`
}

// Help is shown below the flags.
func (manifestCmd) Help() string {
	return `Paste it at https://api.slack.com/apps, Create New App, From a manifest. Then install the app to the workspace for the bot
token (xoxb-…). For Socket Mode also make an app-level token with connections:write (xapp-…); a manifest cannot do that.`
}

// Run is the command.
func (c *manifestCmd) Run(a *app) error {
	command := c.Command
	if command == "" {
		command = a.configuredCommand()
	}
	m, err := slack.Manifest(command, c.HTTP)
	if err != nil {
		return withStatus(exitUsage, err)
	}
	_, err = a.env.out.Write(m)
	return err
}

// configuredCommand is slack.command; a manifest is made before there is a configuration, so that one may be missing.
func (a *app) configuredCommand() string {
	for _, place := range config.Places(a.cli.Config, a.env.getenv) {
		b, err := a.env.readFile(place)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if cfg, err := config.Load(string(b), config.Secrets{Getenv: a.env.getenv, ReadFile: a.env.readFile, Lenient: true}); err == nil && strings.HasPrefix(cfg.Slack.Command, "/") {
			return cfg.Slack.Command
		}
		break
	}
	return config.Default().Slack.Command
}
