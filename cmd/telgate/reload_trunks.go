package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"telgate/config"
	"telgate/plan"
	"telgate/sip"
)

// tryLimit is how long a new trunk may take to show that it works: REGISTER has 10 s to be answered.
const tryLimit = 12 * time.Second

// turnover is a change of trunks: those that differ are made anew, tried beside the old ones, and take their place for new
// calls. An old one that works stays where the new one does not.
type turnover struct {
	gateway  *gateway
	old      *settings
	cfg      config.Config // of those that stay, the old one
	routes   []plan.Trunk
	trunks   []*trunk // in the order of cfg.Trunks
	fresh    []*trunk // of them, those that are new
	kept     []string // why an old one stays
	warnings []string
}

// turnover makes the trunks that a configuration wants otherwise, and runs none yet.
func (g *gateway) turnover(old *settings, cfg config.Config) (*turnover, config.Faults) {
	o := &turnover{gateway: g, old: old, cfg: cfg}
	o.cfg.Trunks = slices.Clone(cfg.Trunks)
	var faults config.Faults
	o.routes, faults = newRoutes(cfg)
	for _, t := range cfg.Trunks {
		if len(faults) > 0 {
			break
		}
		route := routeOf(o.routes, t.Name)
		made, bad := g.yard.describe(cfg, t, route)
		faults = append(faults, bad...)
		before := o.before(t.Name)
		if before != nil && before.same(&made, &route) {
			o.trunks = append(o.trunks, before)
			continue
		}
		one, bad := g.yard.build(cfg, made, route)
		if faults = append(faults, bad...); len(faults) == 0 {
			o.trunks, o.fresh = append(o.trunks, one), append(o.fresh, one)
		}
	}
	return o, faults
}

// before is the trunk of that name that serves, nil if there is none.
func (o *turnover) before(name string) *trunk {
	for _, t := range o.old.trunks {
		if t.Name() == name {
			return t
		}
	}
	return nil
}

// leavers are the trunks whose ports the new ones may have.
func (o *turnover) leavers() []*sip.Trunk {
	all := make([]*sip.Trunk, 0, len(o.old.trunks))
	for _, t := range o.old.trunks {
		if !slices.Contains(o.trunks, t) {
			all = append(all, t.Trunk)
		}
	}
	for _, t := range o.gateway.fleet.left() {
		all = append(all, t.Trunk)
	}
	return all
}

// try runs the new trunks and waits until they work, or surely do not.
func (o *turnover) try(ctx context.Context) error {
	leavers := o.leavers()
	for i, t := range o.fresh {
		t.Succeed(leavers...)
		if err := o.gateway.fleet.run(t); err != nil { //nolint:contextcheck // it outlives the request that brings it
			o.discard(o.fresh[:i]...)
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	tried := make([]error, len(o.fresh))
	var all sync.WaitGroup
	for i, t := range o.fresh {
		all.Go(func() { tried[i] = t.Try(ctx) })
	}
	all.Wait()
	for i, t := range slices.Clone(o.fresh) {
		if tried[i] != nil {
			o.failed(t, tried[i])
		}
	}
	return nil
}

// failed judges a new trunk that does not work. It is no reason to leave one that does.
func (o *turnover) failed(t *trunk, err error) {
	name := "trunks." + t.Name()
	before := o.before(t.Name())
	switch {
	case before == nil:
		o.warnings = append(o.warnings, fmt.Sprintf("%s: %s: it is new, and does not work yet", name, reasonOf(err)))
		return
	case before.Health().State == sip.StateDown:
		o.warnings = append(o.warnings, fmt.Sprintf("%s: %s: it counts all the same, since the old one was down, too", name, reasonOf(err)))
		return
	}
	o.kept = append(o.kept, fmt.Sprintf("%s: %s: %s", name, reasonOf(err), staysWhat(err)))
	o.discard(t)
	o.fresh = slices.DeleteFunc(o.fresh, func(x *trunk) bool { return x == t })
	i := slices.Index(o.trunks, t)
	o.trunks[i] = before
	o.cfg.Trunks[i] = o.old.cfg.Trunks[slices.Index(o.old.trunks, before)]
}

// reasonOf says why a new trunk does not work.
func reasonOf(err error) string {
	if a, ok := errors.AsType[*sip.AuthError](err); ok && a.Refused {
		return fmt.Sprintf("the new credentials were refused (%s)", a.Status)
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

func staysWhat(err error) string {
	if a, ok := errors.AsType[*sip.AuthError](err); ok && a.Refused {
		return "the old ones stay"
	}
	return "it stays as it was"
}

// discard ends new trunks, those that run. What one has registered is the old one's, too, where that is the same contact.
func (o *turnover) discard(all ...*trunk) {
	running := slices.DeleteFunc(slices.Clone(all), func(t *trunk) bool { return t.stop == nil })
	for _, t := range running {
		t.retire(o.before(t.Name()))
		t.stop()
	}
	for _, t := range running {
		<-t.over
	}
}

// changed names the keys of trunks that count from now on.
func (o *turnover) changed() (keys []string) {
	in := func(name string, before, after config.File) (found []string) {
		for _, key := range config.Changed(before, after) {
			if strings.HasPrefix(key, "trunks."+name+".") {
				found = append(found, key)
			}
		}
		return found
	}
	for i, t := range o.trunks {
		before, name := o.before(t.Name()), o.cfg.Trunks[i].Name
		switch {
		case before == nil:
			keys = append(keys, in(name, config.File{}, o.cfg.File)...)
		case o.stays(name):
		default:
			found := in(name, before.file, o.cfg.File)
			for _, key := range differ(&before.made, &t.made) { // the same words, and other contents
				if key = "trunks." + name + "." + key; !slices.Contains(found, key) {
					found = append(found, key)
				}
			}
			keys = append(keys, found...)
		}
	}
	for _, t := range o.old.trunks {
		if !slices.ContainsFunc(o.trunks, func(x *trunk) bool { return x.Name() == t.Name() }) {
			keys = append(keys, in(t.Name(), t.file, o.cfg.File)...)
		}
	}
	return keys
}

// stays tells whether a trunk stays as it was because the new one does not work.
func (o *turnover) stays(name string) bool {
	return slices.ContainsFunc(o.kept, func(why string) bool { return strings.HasPrefix(why, "trunks."+name+": ") })
}

// differ are the keys whose values are kept elsewhere, and are others there than before.
func differ(a, b *sip.TrunkConfig) (keys []string) {
	for key, same := range map[string]bool{
		"password": a.Credentials.Password == b.Credentials.Password, "tls_ca": bytes.Equal(a.TLS.CA, b.TLS.CA),
		"tls_cert": bytes.Equal(a.TLS.Cert, b.TLS.Cert), "tls_key": bytes.Equal(a.TLS.Key, b.TLS.Key),
	} {
		if !same {
			keys = append(keys, key)
		}
	}
	return keys
}

// settle has the new trunks serve, whose settings count already, and the old ones leave.
func (o *turnover) settle(ctx context.Context) {
	g := o.gateway
	for _, t := range o.trunks {
		if !o.stays(t.Name()) {
			t.file = o.cfg.File
		}
	}
	for _, old := range o.old.trunks {
		if slices.Contains(o.trunks, old) {
			continue
		}
		old.unfollow()
		<-old.unfollowed
		i := slices.IndexFunc(o.trunks, func(t *trunk) bool { return t.Name() == old.Name() })
		var heir *trunk
		if i >= 0 {
			heir = o.trunks[i]
		}
		g.log.Info("trunk leaves", "trunk", old.Name(), "calls", old.Stats().Legs, "replaced", heir != nil)
		g.fleet.retire(old, heir) //nolint:contextcheck // it outlives the request
	}
	for _, t := range o.fresh {
		g.pager.TrunkRenewed(t.Name())
		g.fleet.follow(g, t) //nolint:contextcheck // likewise
	}
	g.estate.shareAnew(ctx, o.cfg, o.trunks)
	logTrunks(o.fresh, g.log)
}
