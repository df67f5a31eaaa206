package pager

// cfg is how pages are run now. It is not changed: a new one takes its place.
func (p *Pager) cfg() *Config { return p.conf.Load() }

// Reconfigure has pages run by another configuration from now on: those that run keep their plan, and take the rest with
// their next step. Its trunks are those of before, in any order, with the same lines.
func (p *Pager) Reconfigure(cfg Config) { p.conf.Store(&cfg) }
