package main

import "context"

// trunksCmd lists the trunks and whether they answer.
type trunksCmd struct{}

// Run is the command.
func (trunksCmd) Run(a *app) error {
	cfg, err := a.readConfig(true)
	if err != nil {
		return err
	}
	log, err := a.logger(cfg.Log)
	if err != nil {
		return err
	}
	register, turns := a.registering(cfg), a.roster(a.ctx, cfg)
	g, err := build(cfg, a.env, log, rules{limits: true, register: register, others: turns.ask})
	if err != nil {
		return err
	}
	r := &report{app: a}
	r.missing(cfg)
	err = g.runRooms(a.ctx, func(ctx context.Context) error {
		checkTrunks(ctx, g, &turns, r)
		return showTrunks(ctx, a, g, &turns, register == registerAsk)
	})
	if err == nil && r.fail {
		return withStatus(exitInternal, nil)
	}
	return err
}
