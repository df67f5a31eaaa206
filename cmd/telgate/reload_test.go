package main

import (
	"errors"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"telgate"
	"telgate/web"
)

// alicesPhone is somebody to call at the site.
const alicesPhone = "[people.alice]\nphones = [\"sip:7101@main\"]\n"

// loaded is the site's gateway as it would begin to serve, and what it logs.
func (s *site) loaded() (*gateway, *kept) {
	s.t.Helper()
	var out, errs kept
	a := &app{cli: &cli{}, env: s.environment(&out, &errs, nil), ctx: s.ctx}
	cfg, err := a.loadConfig()
	if err != nil {
		s.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&errs, nil))
	g, err := build(cfg, a.env, log, serveRules())
	if err != nil {
		s.t.Fatal(err)
	}
	if g.house, err = openHouse(s.t.TempDir(), a, g.estate, log); err != nil {
		s.t.Fatal(err)
	}
	return g, &errs
}

func (g *gateway) knows(word string) bool {
	_, err := g.live.Resolve(word)
	return err == nil
}

func TestAReloadExchangesWhatCanBeAndNamesTheRest(t *testing.T) {
	s := newSite(t)
	s.file("config.toml", mainTrunk+alicesPhone)
	g, _ := s.loaded()
	s.file("config.toml", mainTrunk+"[media]\nports = \"22000-22999\"\n"+
		"[people.bob]\nphones = [\"sip:7102@main\"]\n[slack]\nadmins = [\"U0ROOT\"]\n[limits]\npages_per_asker_per_hour = 1\n")
	done, err := g.reload(t.Context(), telgate.Actor{ID: "local:root", Local: true}, telgate.FromSocket)
	if err != nil {
		t.Fatal(err)
	}
	want := web.Reloaded{Changed: []string{"limits.pages_per_asker_per_hour", "people.alice.phones", "people.bob.phones", "slack.admins"}, Restart: []string{"media.ports"}}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Error(diff)
	}
	if g.knows("alice") || !g.knows("bob") || !g.live.policy().May(telgate.Actor{ID: "U0ROOT"}, telgate.ActRun, nil) || g.live.now().cfg.Media.PortMin != 20000 {
		t.Errorf("what counts now: %+v", g.live.now().cfg)
	}
	noted, err := g.house.audit.Audit(t.Context(), g.house.started, g.clock(), 10)
	if err != nil || len(noted) != 1 || noted[0].Act != telgate.AuditReloaded || noted[0].Actor != "local:root" {
		t.Errorf("the audit has %+v, %v", noted, err)
	}
	again, err := g.reload(t.Context(), telgate.Actor{ID: "local:root", Local: true}, telgate.FromSocket)
	if diff := cmp.Diff(web.Reloaded{Changed: []string{}, Restart: []string{"media.ports"}}, again); diff != "" || err != nil {
		t.Errorf("a second reload no longer names what still needs a restart: %v\n%s", err, diff)
	}
}

func TestAFileThatIsOfNoUseChangesNothingAndSaysWhy(t *testing.T) {
	s := newSite(t)
	s.file("config.toml", mainTrunk+alicesPhone)
	g, errs := s.loaded()
	for text, why := range map[string]string{
		"[people":                                "config.toml has faults",
		mainTrunk + "[people.bob]\nfones = []\n": "people.bob.fones",
		mainTrunk + "[people.bob]\nphones = [\"sip:1@x\"]\n": "people.bob.phones",
	} {
		s.file("config.toml", text)
		if _, err := g.reload(t.Context(), telgate.Actor{ID: "local:root"}, telgate.FromSocket); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", text, err)
		}
		if !g.knows("alice") || g.knows("bob") {
			t.Errorf("%s: something changed", text)
		}
	}
	if n := strings.Count(string(errs.bytes()), "configuration not reloaded, nothing changed"); n != 3 {
		t.Errorf("logged %d times", n)
	}
}

func TestSIGHUPReloads(t *testing.T) {
	s := newSite(t)
	s.file("config.toml", mainTrunk+alicesPhone)
	g, _ := s.loaded()
	s.file("config.toml", mainTrunk+"[people.bob]\nphones = [\"sip:7102@main\"]\n")
	signals := make(chan os.Signal, 2)
	signals <- syscall.SIGHUP
	signals <- syscall.SIGTERM
	g.untilStopped(t.Context(), t.Context(), signals, g.log)
	if !g.knows("bob") {
		t.Error("nothing changed")
	}
}

func TestARestartStaysPaused(t *testing.T) {
	s := newSite(t)
	s.file("config.toml", mainTrunk+alicesPhone)
	g, _ := s.loaded()
	k := &killSwitch{gateway: g, from: telgate.FromSlack}
	if _, err := k.Pause(t.Context(), telgate.Actor{ID: "U0ROOT", Name: "root"}, "storm", false); err != nil {
		t.Fatal(err)
	}
	next, err := openBrake(t.Context(), newPauseFile(g.house.state))
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := next.Paused(); p == nil || p.By != "root" || p.Why != "storm" {
		t.Errorf("after a restart: %+v", p)
	}
	if err := k.Resume(t.Context(), telgate.Actor{ID: "U0ROOT"}); err != nil {
		t.Error(err)
	}
	if next, err = openBrake(t.Context(), newPauseFile(g.house.state)); err != nil {
		t.Fatal(err)
	}
	if p, _ := next.Paused(); p != nil {
		t.Errorf("after resume and a restart: %+v", p)
	}
	if _, err := (&killSwitch{gateway: &gateway{}}).Pause(t.Context(), telgate.Actor{}, "", false); !errors.Is(err, errNoHouse) {
		t.Errorf("a gateway without a state directory: %v", err)
	}
}
