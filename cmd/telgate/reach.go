package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"telgate"
	"telgate/config"
	"telgate/web"
	"telgate/web/client"
)

// reach is the gateway that a command speaks to: the one of --server, else the one of this machine. Whether it answers is
// seen when it is asked.
func (a *app) reach() (*client.Client, error) {
	if a.cli.Server != "" {
		c, err := client.Server(a.cli.Server, a.env.getenv("TELGATE_TOKEN"), a.env.dial)
		if err != nil {
			return nil, withStatus(exitUsage, fmt.Errorf("--server: %w", err))
		}
		return c, nil
	}
	path := filepath.Join(a.stateHere(), web.SocketName)
	if err := web.CheckSocket(path); err != nil {
		return nil, withStatus(exitUsage, err)
	}
	return client.Socket(path), nil
}

// stateHere is where the gateway of this machine keeps its socket. The configuration may have faults, or may not be for us to
// read: that must not keep anybody from stopping a page.
func (a *app) stateHere() string {
	for _, place := range config.Places(a.cli.Config, a.env.getenv) {
		b, err := a.env.readFile(place)
		if err != nil {
			continue
		}
		cfg, _ := config.Load(string(b), config.Secrets{Getenv: a.env.getenv, ReadFile: a.env.readFile, Lenient: true, Dir: filepath.Dir(place)})
		return stateDir(config.NewFile(place, "").Beside(cfg.Gateway.StateDir), a.env.getenv)
	}
	return stateDir("", a.env.getenv)
}

// asked gives the outcome of a question to a gateway its exit status.
func (a *app) asked(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*web.Error](err); ok {
		return withStatus(errorStatus(e.Reason), e)
	}
	if !errors.Is(err, client.ErrNobody) {
		return err
	}
	switch running, locked := gatewayRuns(a.stateHere()); {
	case a.cli.Server != "":
		return withStatus(exitInternal, fmt.Errorf("%s: %w", a.cli.Server, err))
	case errors.Is(err, fs.ErrPermission) || locked != nil:
		return withStatus(exitRefused, fmt.Errorf("the gateway of %s is another user's: run this as that user, such as with sudo -u telgate", absolute(a.stateHere())))
	case running:
		return withStatus(exitRefused, fmt.Errorf("a gateway runs here, but its socket does not answer (%w): it starts, stops, or is of an older version", err))
	default:
		return withStatus(exitRefused, fmt.Errorf("no gateway runs on %s: telgate serve starts one", absolute(a.stateHere())))
	}
}

// errorStatus is the exit status for a reason why a gateway said no.
func errorStatus(r telgate.RefusalReason) int {
	switch r {
	case web.ReasonInternal:
		return exitInternal
	case web.ReasonBadRequest, web.ReasonTooLarge, web.ReasonConfig:
		return exitUsage
	default:
		return exitRefused
	}
}
