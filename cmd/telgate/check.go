package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"telgate"
	"telgate/config"
	"telgate/sip"
)

// probeLimit is how long a trunk may take to answer OPTIONS.
const probeLimit = 4 * time.Second

// checkCmd says what would fail.
type checkCmd struct {
	Strict bool   `help:"Count warnings as broken."`
	Call   string `help:"Ring the test_number of TRUNK and prove that sound and keys go both ways. Nothing rings without this." placeholder:"TRUNK"`
}

// finding is one line of check.
type finding struct {
	V       int    `json:"v"`
	Check   string `json:"check"`
	Subject string `json:"subject"`
	Status  string `json:"status"` // ok, warn or fail
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

// report prints findings as they come and remembers the worst.
type report struct {
	app          *app
	warned, fail bool
}

func (r *report) add(check, subject, status, message, fix string) {
	r.warned = r.warned || status == "warn"
	r.fail = r.fail || status == "fail"
	if r.app.cli.JSON {
		_ = r.app.printJSON(finding{1, check, subject, status, message, fix}) // strings always encode
		return
	}
	line := fmt.Sprintf("%-4s  %-8s %-18s %s", status, check, subject, message)
	if fix != "" {
		line += ": " + fix
	}
	_, _ = fmt.Fprintln(r.app.env.out, line)
}

// Run is the command.
func (c *checkCmd) Run(a *app) error {
	cfg, err := a.readConfig(true)
	if err != nil {
		return err
	}
	log, err := a.logger(cfg.Log)
	if err != nil {
		return err
	}
	if err := knownTrunk(cfg, c.Call); err != nil {
		return err
	}
	look := &look{app: a, ear: &ear{now: a.env.now}}
	turns := a.roster(a.ctx, cfg)
	g, err := build(cfg, a.env, log, rules{limits: true, slack: true, keeps: keepsRead, register: a.registering(cfg), others: turns.ask, look: look})
	if err != nil {
		return err
	}
	r := &report{app: a}
	r.add("config", "file", "ok", "no faults in "+cfg.File.Path(), "")
	r.missing(cfg)
	for _, w := range cfg.Warnings {
		r.add("config", "secret", "warn", w, "")
	}
	for _, i := range g.sounds.List() {
		status, message := "ok", fmt.Sprintf("%.1f s at %.0f dBov", i.Duration.Seconds(), i.Level)
		for _, w := range i.Warnings {
			status, message = "warn", message+", "+w
		}
		r.add("prompt", i.Name+" "+i.Language, status, message, "")
	}
	if err := g.runRooms(a.ctx, func(ctx context.Context) error {
		checkTrunks(ctx, g, &turns, r)
		checkHost(ctx, g, a, r)
		if c.Call != "" {
			return checkCall(ctx, g, r, c.Call)
		}
		return nil
	}); err != nil {
		return err
	}
	checkStore(a.ctx, a, cfg, r)
	checkIdentity(g, r)
	checkRotas(a.ctx, g, r)
	checkLanguages(g, r)
	checkNumbers(g, r, a)
	checkTestCalls(g, r)
	checkMailboxes(g, r)
	checkShared(g, r)
	checkWays(g, r)
	checkSlack(a.ctx, g, r)
	if r.fail || c.Strict && r.warned {
		return withStatus(exitInternal, nil)
	}
	return nil
}

// wire is a text that travels in SIP, its numbers masked unless whole ones are wanted.
func (a *app) wire(text string) string {
	if a.cli.ShowNumbers {
		return text
	}
	return telgate.MaskedWire(text)
}

// missing tells whether a secret of this section cannot be had.
func missing(cfg config.Config, section string) bool {
	return slices.ContainsFunc(cfg.Missing, func(f telgate.Fault) bool { return strings.HasPrefix(f.Path, section+".") })
}

// missing names each secret that cannot be had; the rest is checked without it.
func (r *report) missing(cfg config.Config) {
	for _, f := range cfg.Missing {
		r.add("config", "secret", "fail", f.Error(), "serve does not start without it")
	}
}

// checkTrunks asks each trunk whether it is there.
func checkTrunks(ctx context.Context, g *gateway, turns *roster, r *report) {
	for _, t := range g.trunks {
		checkRegistration(ctx, g, t.Trunk, turns, r) // first: a wrong password shall be tried once
		p, err := probe(ctx, t.Trunk)
		switch {
		case errors.Is(err, errNonsense):
			r.add("trunk", t.Name(), "fail", err.Error(), "see that addresses names host and port of a SIP server, and that transport is right: something else answers there")
		case sip.FailureOf(err) == sip.FailureSilent:
			r.add("trunk", t.Name(), "fail", err.Error(), "see that the address is right, the peer runs, and a firewall lets SIP through; some peers ignore OPTIONS, and only a real call tells then (telgate call)")
		case err != nil:
			r.add("trunk", t.Name(), "fail", err.Error(), remedy(err))
		case !p.Alive():
			r.add("trunk", t.Name(), "fail", fmt.Sprintf("answers OPTIONS with %d %s", p.Status, telgate.MaskedWire(p.Phrase)), "ask its operator")
		case (p.Status == 401 || p.Status == 407) && missing(g.cfg, "trunks."+t.Name()):
			r.add("trunk", t.Name(), "fail", fmt.Sprintf("asks for credentials (%d), and the password is missing", p.Status), "")
		case (p.Status == 401 || p.Status == 407) && g.trunk(t.Name()).Account.User == "":
			r.add("trunk", t.Name(), "fail", fmt.Sprintf("asks for credentials (%d), and none are configured", p.Status), "set user and password")
		case p.Status == 401 || p.Status == 407:
			r.add("trunk", t.Name(), "fail", fmt.Sprintf("refuses our credentials with %d", p.Status), "see user, auth_user and password")
		default:
			status, fix := "ok", ""
			if p.Status == 403 {
				status, fix = "warn", "it may not know our address or account; where it forbids OPTIONS only, a call tells (check --call)"
				if t.Doubted() {
					fix = "see user, auth_user and password: some peers do not say when they are wrong; where it forbids OPTIONS only, a call tells (check --call)"
				}
			}
			r.add("trunk", t.Name(), status, strings.TrimSpace(fmt.Sprintf("answers %d in %d ms %s", p.Status, max(1, p.Latency.Milliseconds()), p.Server)), fix)
			checkPeer(t.Name(), g.trunk(t.Name()).Transport == "udp", p, r.app.env.now(), r)
			checkAsked(g.cfg, t.Name(), p.Sight, r)
		}
		checkLines(g.trunk(t.Name()), r)
		checkTargets(ctx, t.Trunk, r)
		checkCertificates(t.Trunk, r.app.env.now(), r)
	}
}

// checkLines says how much a trunk may carry, where that is limited: what it may not, waits and then goes elsewhere.
func checkLines(t config.Trunk, r *report) {
	var most []string
	if t.Lines.MaxCalls > 0 {
		most = append(most, fmt.Sprintf("%d calls at once (max_calls)", t.Lines.MaxCalls))
	}
	if t.Lines.PerSecond > 0 {
		most = append(most, fmt.Sprintf("%v new ones a second (calls_per_second)", t.Lines.PerSecond))
	}
	if len(most) > 0 {
		r.add("lines", t.Name, "ok", "carries at most "+strings.Join(most, ", ")+"; who finds no line waits 10 s, and goes to the next trunk then", "")
	}
}

// trunk is a trunk as configured; there is one of that name.
func (g *gateway) trunk(name string) config.Trunk {
	return g.cfg.Trunks[slices.IndexFunc(g.cfg.Trunks, func(t config.Trunk) bool { return t.Name == name })]
}

func probe(ctx context.Context, t *sip.Trunk) (sip.Probe, error) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	if err := t.Ready(ctx); err != nil {
		return sip.Probe{}, err
	}
	before := t.Stats().Nonsense
	p, err := t.Probe(ctx)
	if err != nil && t.Stats().Nonsense > before {
		return p, errNonsense
	}
	return p, err
}

// errNonsense is a peer that is there and speaks something else.
var errNonsense = errors.New("what its host answers to OPTIONS is no SIP")

// checkSlack asks Slack who we are, and what we may do there.
func checkSlack(ctx context.Context, g *gateway, r *report) {
	const subject = "workspace"
	if g.slack == nil && g.cfg.Slack.Mode != "off" {
		r.add("slack", subject, "fail", "is not asked: a secret of [slack] is missing", "")
		return
	}
	if g.slack == nil {
		r.add("slack", subject, "warn", "is off: nobody can use /tel", `set slack.mode = "socket" and the tokens (telgate manifest describes the app)`)
		return
	}
	if strings.HasPrefix(g.cfg.Slack.APIURL, "http:") {
		r.add("slack", "api_url", "warn", "plain http: the tokens travel in clear", "leave slack.api_url out")
	}
	p, err := g.slack.Probe(ctx)
	if err != nil {
		r.add("slack", subject, "fail", err.Error(), "see slack.bot_token; a name or address in the error means that Slack cannot be reached from here")
		return
	}
	r.add("slack", subject, "ok", fmt.Sprintf("%s, as %s, by %s", p.Team, p.User, g.cfg.Slack.Mode), "")
	for _, line := range p.Broken {
		r.add("slack", subject, "fail", line, "")
	}
	for _, line := range p.Off {
		r.add("slack", subject, "warn", line, "")
	}
	k := g.cfg.Slack
	if len(k.AllowUsers)+len(k.AllowGroups)+len(k.AllowChannels)+len(k.Admins) == 0 {
		r.add("slack", "permissions", "fail", "nobody may have anybody called", "fill slack.allow_users, allow_groups or allow_channels")
	}
}
