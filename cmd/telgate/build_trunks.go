package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"

	"telgate"
	"telgate/config"
	"telgate/media"
	"telgate/plan"
	"telgate/sip"
	"telgate/voice"
)

// newRoutes puts the trunks in the order of calls.trunks; those not named there come after, in the order of the file.
func newRoutes(cfg config.Config) ([]plan.Trunk, config.Faults) {
	var faults config.Faults
	order := slices.Clone(cfg.Calls.Trunks)
	for i, name := range order {
		if !slices.ContainsFunc(cfg.Trunks, func(t config.Trunk) bool { return t.Name == name }) {
			faults = append(faults, telgate.Fault{Path: fmt.Sprintf("calls.trunks[%d]", i), Message: fmt.Sprintf("there is no [trunks.%s]", name)})
		}
	}
	if len(cfg.Trunks) == 0 {
		faults = append(faults, telgate.Fault{Path: "trunks", Message: "no trunk is configured: add [trunks.NAME] with addresses"})
	}
	place := func(t config.Trunk) int {
		if i := slices.Index(order, t.Name); i >= 0 {
			return i
		}
		return len(order)
	}
	sorted := slices.Clone(cfg.Trunks)
	slices.SortStableFunc(sorted, func(a, b config.Trunk) int { return place(a) - place(b) })
	routes := make([]plan.Trunk, 0, len(sorted))
	for _, t := range sorted {
		format := plan.Format{
			Style: plan.Style(t.Format.Style), Country: t.Format.Country, NationalPrefix: t.Format.NationalPrefix,
			InternationalPrefix: t.Format.InternationalPrefix, DialPrefix: t.Format.DialPrefix, CallerPrefix: t.Target.CallerPrefix,
		}
		faults = append(faults, checkTarget(t, format)...)
		if err := format.Check(); err != nil {
			faults = append(faults, telgate.Fault{Path: "trunks." + t.Name + ".country", Message: err.Error()})
		}
		routes = append(routes, plan.Trunk{
			Name: t.Name, Kind: plan.Kind(t.Kind), Prefixes: t.Prefixes, Format: format, CallerID: shownAs(t),
			Limit: plan.Limit{Calls: t.Lines.MaxCalls, PerSecond: t.Lines.PerSecond}, Redirect: t.Lines.Redirect == "same_trunk",
		})
	}
	return routes, faults
}

// routeOf finds a trunk's route; newRoutes makes one for each trunk.
func routeOf(routes []plan.Trunk, trunk string) plan.Trunk {
	return routes[slices.IndexFunc(routes, func(r plan.Trunk) bool { return r.Name == trunk })]
}

// yard makes trunks: at the start, and when the configuration is read again.
type yard struct {
	env   *environment
	rules rules
	live  *live                    // whose rules about numbers count for each INVITE
	rung  func(trunk, user string) // told who rings us
	log   *slog.Logger
}

// trunks makes all trunks of a configuration, in its order.
func (y *yard) trunks(s *settings) (all []*trunk, faults config.Faults) {
	for _, t := range s.cfg.Trunks {
		route := routeOf(s.routes, t.Name)
		made, bad := y.describe(s.cfg, t, route)
		faults = append(faults, bad...)
		one, bad := y.build(s.cfg, made, route)
		faults = append(faults, bad...)
		all = append(all, one)
	}
	return all, faults
}

// describe is a trunk of the configuration in signalling's words.
func (y *yard) describe(cfg config.Config, t config.Trunk, route plan.Trunk) (sip.TrunkConfig, config.Faults) {
	var faults config.Faults
	r := y.rules
	if missing(cfg, "trunks."+t.Name) {
		r.register = registerNot // a registrar would count a wrong password
	} else if slices.Contains(r.others, t.Name) && r.register == registerFull {
		r.register = registerAsk
	}
	secure, bad := newTLS(cfg, y.env, t)
	faults = append(faults, bad...)
	identity, bad := newIdentity(cfg, t, route.Format)
	faults = append(faults, bad...)
	local, bad := networks("sip.local_nets", cfg.SIP.LocalNets)
	if t.Name == cfg.Trunks[0].Name { // a fault of all is told once
		faults = append(faults, bad...)
	}
	peers, bad := networks("trunks."+t.Name+".peers", t.Peers)
	faults = append(faults, bad...)
	return sip.TrunkConfig{
		Name: t.Name, Addresses: t.Addresses, Transport: t.Transport, LargeByTCP: t.LargeByTCP, TLS: secure,
		OutboundProxy: t.OutboundProxy, Keepalive: cfg.SIP.Keepalive,
		Credentials: sip.Credentials{User: t.Account.User, AuthUser: t.Account.AuthUser, Password: t.Account.Password.Reveal()},
		Identity:    identity,
		Addressing:  sip.Addressing{Tel: t.Target.URI == "tel", UserPhone: t.Target.UserPhone},
		Local:       sip.Local{Bind: cmp.Or(t.Bind, cfg.SIP.Bind), Beside: r.port == 0, Port: r.port, PublicAddress: cfg.SIP.PublicAddress, LocalNets: local, DSCP: cfg.SIP.DSCP},
		NAT:         sip.NAT(t.NAT),
		Register:    registerOf(t, r), Probe: sip.Probing{Mode: probeOf(t, r)},
		Peers: peers,
	}, faults
}

// networks reads a list of them.
func networks(path string, list []string) (out []netip.Prefix, faults config.Faults) {
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			faults = append(faults, telgate.Fault{Path: path, Message: fmt.Sprintf("%q is not a network such as 10.0.0.0/8", s)})
		}
		out = append(out, p)
	}
	return out, faults
}

// build makes a trunk as it was described.
func (y *yard) build(cfg config.Config, made sip.TrunkConfig, route plan.Trunk) (*trunk, config.Faults) {
	var faults config.Faults
	whole := made
	whole.Dialable = func(user string) error { return y.live.now().dialer.Check(user, route) }
	whole.RungBy = func(user string) { y.rung(made.Name, user) }
	t, err := sip.NewTrunk(whole, sip.Env{
		Listen: y.env.listenPacket, Dial: y.env.dialFrom, Rand: y.env.rand, Now: y.env.now, Log: y.log.With("trunk", made.Name),
	})
	for _, e := range joined(err) {
		f := telgate.Fault{Path: "trunks." + made.Name, Message: e.Error()}
		if at, ok := errors.AsType[*sip.ConfigError](e); ok {
			f = telgate.Fault{Path: "trunks." + made.Name + "." + at.Key, Message: at.Message}
		}
		faults = append(faults, f)
	}
	return &trunk{Trunk: t, made: made, route: route, file: cfg.File}, faults
}

// lines are the trunks as voice needs them, by these settings.
func (g *gateway) lines(s *settings) map[string]voice.Line {
	lines := make(map[string]voice.Line, len(s.trunks))
	for i, trunk := range s.trunks {
		route := routeOf(s.routes, trunk.Name())
		var codecs []media.Codec
		for _, name := range s.cfg.Trunks[i].Codecs {
			c, _ := media.CodecByName(name) // the configuration allows no other
			codecs = append(codecs, c)
		}
		lines[trunk.Name()] = voice.Line{
			Unsupervised: s.cfg.Trunks[i].AnswerSupervision == "none",

			Dial:   func(n telgate.Number) (string, error) { return s.dialer.Dial(n, route) },
			Script: s.sounds.Script,
			Keys:   voice.KeySource(s.cfg.Trunks[i].DTMF),
			End:    trunk.End,
			Invite: func(ctx context.Context, in sip.Invite) (voice.Leg, error) {
				leg, err := trunk.Invite(ctx, in)
				if err != nil {
					return nil, err
				}
				return leg, nil
			},
			Open: func(ctx context.Context) (voice.Session, error) {
				if err := trunk.Ready(ctx); err != nil {
					return nil, &sip.SendError{Op: "open", Err: err}
				}
				local, advertise := trunk.MediaAddr()
				if own, err := netip.ParseAddr(s.cfg.Media.Address); err == nil {
					advertise = own
				}
				return g.engine.Open(ctx, media.Options{
					Local: local, Advertise: advertise, Peer: trunk.Peer(), Codecs: codecs, Latch: media.Latch(s.cfg.Media.Latch),
					SRTP:     media.SRTP(s.cfg.Trunks[i].SRTP),
					NoEvents: s.cfg.Trunks[i].DTMF == string(voice.KeysInfo),
					Tap:      g.look.packets(), Heard: g.look.hears(),
				})
			},
		}
	}
	return lines
}
