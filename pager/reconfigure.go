package pager

// cfg is how pages are run now. It is not changed: a new one takes its place.
func (p *Pager) cfg() *Config { return p.conf.Load() }

// Reconfigure has pages run by another configuration from now on: those that run keep their plan, and take the rest with
// their next step. Who waits for a line of a trunk that is there no more takes another one.
func (p *Pager) Reconfigure(cfg Config) {
	p.lines.add(cfg.Trunks) // before anybody can choose one
	p.conf.Store(&cfg)
	p.lines.keep(cfg.Trunks) // whoever is woken by it finds the new configuration
}

// TrunkRenewed forgets what calls have shown of a trunk, because it is another one now under the same name: the rest of one
// whose password was wrong is not the rest of one whose password is right.
func (p *Pager) TrunkRenewed(trunk string) {
	p.trunks.forget(trunk)
	p.doubts.forget(trunk)
}
