package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"telgate/config"
	"telgate/lease"
	"telgate/sip"
	"telgate/store"
)

// longSilent is how long nothing was heard of a gateway that nobody takes for alive any more: where another one ran, it would have
// taken over long ago.
const longSilent = 10 * time.Second

// roster is which gateways register with the trunks whose accounts they share, as a command beside them finds it in the store.
type roster struct {
	turns map[string]lease.Turn
	ask   []string // trunks that are only to be asked: somebody may be registered, whom we would throw out
	err   error    // it cannot be read
}

// roster reads it. A file has one gateway: where that does not run, what stands there is of one that died.
func (a *app) roster(ctx context.Context, cfg config.Config) (r roster) {
	names := sharedTrunks(cfg)
	if len(names) == 0 {
		return r
	}
	alone := strings.HasPrefix(cfg.Store.URL.Reveal(), "sqlite:")
	if runs, err := gatewayRuns(a.stateDir(cfg)); alone && !runs && err == nil {
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	o := store.Options{Dir: a.stateDir(cfg), Now: a.env.now}
	if sight, err := store.Look(ctx, cfg.Store.URL.Reveal(), o); err == nil && sight.Tables == 0 {
		return r // no gateway ever ran
	}
	turns, err := readTurns(ctx, cfg, o, names)
	if err != nil {
		return roster{ask: names, err: err}
	}
	r.turns = byTrunk(turns)
	for name := range r.turns {
		r.ask = append(r.ask, name)
	}
	return r
}

func readTurns(ctx context.Context, cfg config.Config, o store.Options, names []string) (turns []lease.Turn, err error) {
	s, err := store.Read(ctx, cfg.Store.URL.Reveal(), o)
	if err != nil {
		return nil, err
	}
	turns, err = s.Gateways().Turns(ctx, names)
	_ = s.Close() // nothing was written
	return turns, err
}

// check says which gateway registers with a trunk whose account they share; false where there is nothing to say.
func (r *roster) check(t *sip.Trunk, g sip.Registration, out *report) bool {
	const check = "register"
	turn, taken := r.turns[t.Name()]
	by := "registered by gateway " + printable(turn.Holder)
	switch {
	case g.Failure != "":
		return false // the registrar's answer says more
	case r.err != nil && r.shares(t.Name()):
		out.add(check, t.Name(), "warn", "asked only: which gateway registers cannot be read", "see the line of the store")
	case !taken:
		return false
	case turn.Silent > longSilent:
		out.add(check, t.Name(), "warn", fmt.Sprintf("%s, of which nothing was heard for %s", by, turn.Silent.Round(time.Second)), "start a gateway, which takes over")
	case len(g.Foreign) == 0:
		out.add(check, t.Name(), "warn", "it is the turn of gateway "+printable(turn.Holder)+", and the registrar has no contact of ours", "see its log")
	default:
		out.add(check, t.Name(), "ok", by+": the registrar has "+out.app.wire(strings.Join(g.Foreign, ", ")), "")
	}
	return true
}

func (r *roster) shares(trunk string) bool { return slices.Contains(r.ask, trunk) }
