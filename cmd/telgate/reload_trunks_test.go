package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telgate"
	"telgate/media/mediatest"
	"telgate/sip"
	"telgate/sip/siptest"
	"telgate/web"
)

// atWork is a gateway of the site that serves.
type atWork struct {
	*gateway
	site   *site
	logged *kept
}

// works serves until the test ends; what was replaced ends with its last call.
func (s *site) works() *atWork {
	s.t.Helper()
	g, logged := s.loaded()
	g.fleet.linger = 0
	env := s.environment(new(kept), new(kept), nil)
	signals, ended := make(chan os.Signal, 2), make(chan error, 1)
	ready := make(chan struct{})
	go func() {
		ended <- g.runRooms(s.ctx, func(ctx context.Context) error {
			g.ready(ctx)
			close(ready)
			return g.serve(ctx, env, g.log, signals)
		})
	}()
	<-ready
	s.t.Cleanup(func() {
		signals <- syscall.SIGTERM
		signals <- syscall.SIGTERM
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
	})
	return &atWork{g, s, logged}
}

// reloads reads a changed file.
func (w *atWork) reloads(text string) web.Reloaded {
	w.site.t.Helper()
	w.site.file("config.toml", text)
	done, err := w.reload(w.site.ctx, telgate.Actor{ID: "local:root", Local: true}, telgate.FromSocket)
	if err != nil {
		w.site.t.Fatal(err)
	}
	return done
}

// pages has somebody called, and waits for the phone.
func (w *atWork) pages(nick string, phone *siptest.Phone) (telgate.PageID, *siptest.Ring) {
	w.site.t.Helper()
	for { // the pager may not have begun
		got, err := w.pager.Submit(w.site.ctx, telgate.Request{Asker: telgate.Actor{ID: "local:root", Local: true}, Who: []string{nick}, New: true})
		if err == nil {
			select {
			case r := <-phone.Calls():
				return got.Page, r
			case <-w.site.ctx.Done():
			}
		}
		if w.site.ctx.Err() != nil {
			w.site.t.Fatalf("nobody is rung: %v", err)
		}
	}
}

// confirmed answers and presses the key, and waits for the page to say so.
func (w *atWork) confirmed(id telgate.PageID, r *siptest.Ring) {
	w.site.t.Helper()
	if err := r.Answer(w.site.ctx); err != nil {
		w.site.t.Fatal(err)
	}
	if err := r.Ear().WaitSound(w.site.ctx, 3*time.Second); err != nil {
		w.site.t.Fatal(err)
	}
	if err := r.Mouth().Press(w.site.ctx, "1", mediatest.Press{}); err != nil {
		w.site.t.Fatal(err)
	}
	var last telgate.Event
	for ev := range w.pager.Follow(w.site.ctx, id) {
		last = ev
	}
	if last.Result != telgate.Confirmed {
		w.site.t.Errorf("the page ended as %+v", last)
	}
}

// gone waits until what was replaced has ended.
func (w *atWork) gone() {
	w.site.t.Helper()
	until(w.site.ctx, func() bool { return len(w.fleet.left()) == 0 })
	if w.site.ctx.Err() != nil {
		w.site.t.Error("what was replaced never ended")
	}
}

func (w *atWork) trunk(name string) *trunk {
	all := w.live.now().trunks
	return all[slices.IndexFunc(all, func(t *trunk) bool { return t.Name() == name })]
}

// quietly is a configuration whose calls take their time.
func quietly(text string) string {
	return strings.Replace(strings.Replace(text, `ring = "2s"`, `ring = "60s"`, 1), `setup = "2s"`, `setup = "60s"`, 1)
}

func TestACallGoesOnThroughAReloadAndTheNextGoesOverTheNewTrunk(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	phone := anotherPhone(t)
	const people = "[people.alice]\nphones = [\"+1 202 555 0123\"]\n[limits]\nprefixes_allowed = [\"+1\"]\n"
	before := quietly(strings.Replace(mainTrunk, "$PBX", phone.Addr(), 1)) + people
	s.file("config.toml", before)
	w := s.works()
	page, ring := w.pages("alice", phone)
	old := w.trunk("main")
	done := w.reloads(strings.Replace(before, "[trunks.main]\n", "[trunks.main]\nnumber_format = \"e164_no_plus\"\ndial_prefix = \"9\"\nmax_calls = 7\n", 1))
	if diff := cmp.Diff(web.Reloaded{Changed: []string{"trunks.main.dial_prefix", "trunks.main.max_calls", "trunks.main.number_format"}}, done); diff != "" {
		t.Error(diff)
	}
	if now := w.trunk("main"); now == old || now.Listens() != old.Listens() {
		t.Errorf("%s is replaced by %s", old.Listens(), now.Listens())
	}
	w.confirmed(page, ring)
	w.gone()
	page, next := w.pages("alice", phone)
	if ring.User() != "+12025550123" || next.User() != "912025550123" || next.From().String() != ring.From().String() {
		t.Errorf("%s was rung from %s, then %s from %s", ring.User(), ring.From(), next.User(), next.From())
	}
	w.confirmed(page, next)
}

// anotherPhone is one that answers to nobody but the test.
func anotherPhone(t *testing.T) *siptest.Phone {
	t.Helper()
	p, err := siptest.NewPhone()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestTrunksComeAndGoWhileACallIsUp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	here, there := anotherPhone(t), anotherPhone(t)
	before := quietly(strings.NewReplacer("$PBX", here.Addr(), `bind = "127.0.0.1"`, `bind = "`+nobody(t)+`"`).Replace(mainTrunk)) + alicesPhone
	s.file("config.toml", before)
	w := s.works()
	page, ring := w.pages("alice", here)
	main := w.trunk("main")
	after := strings.NewReplacer("[trunks.main]", "[trunks.next]", here.Addr(), there.Addr(), "7101@main", "7101@next").Replace(before)
	done := w.reloads(after)
	want := []string{"people.alice.phones", "trunks.main.addresses", "trunks.main.kind", "trunks.next.addresses", "trunks.next.kind"}
	if diff := cmp.Diff(web.Reloaded{Changed: want}, done); diff != "" {
		t.Error(diff)
	}
	if all := w.live.now().trunks; len(all) != 1 || all[0].Listens() != main.Listens() {
		t.Errorf("%d trunks serve, the port was not handed on", len(all))
	}
	w.confirmed(page, ring)
	w.gone()
	page, ring = w.pages("alice", there)
	w.confirmed(page, ring)
}

// registrarOf is a PBX that wants a password.
func registrarOf(t *testing.T, password string) *siptest.Registrar {
	t.Helper()
	r := siptest.NewRegistrar(listening(t), siptest.Rules{Password: password, Grant: 300})
	t.Cleanup(r.Close)
	return r
}

func TestCredentialsThatAreRefusedLeaveTheOldOnesInService(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	registrar := registrarOf(t, "right")
	s.vars["PASSWORD"] = "right"
	text := strings.Replace(mainTrunk, "$PBX\"]", registrar.Addr()+"\"]\nregister = true\nuser = \"telgate\"\npassword = \"env:PASSWORD\"", 1) + alicesPhone
	s.file("config.toml", text)
	w := s.works()
	old := w.trunk("main")
	old.AwaitRegistration(s.ctx)
	registers := len(registrar.Seen("REGISTER"))
	if done := w.reloads(text + "[people.bob]\nphones = [\"sip:7102@main\"]\n"); w.trunk("main") != old || len(registrar.Seen("REGISTER")) != registers {
		t.Errorf("a trunk that is as it was was touched: %+v", done)
	}
	s.vars["PASSWORD"] = "wrong"
	for range 2 { // named as long as it is so
		done := w.reloads(text)
		if diff := cmp.Diff([]string{"trunks.main: the new credentials were refused (401 Unauthorized): the old ones stay"}, done.Kept); diff != "" {
			t.Error(diff)
		}
	}
	if h := old.Health(); w.trunk("main") != old || h.State != sip.StateUp || len(registrar.Bindings()) != 1 {
		t.Errorf("the old trunk is %+v, registered are %v", h, registrar.Bindings())
	}
	s.vars["PASSWORD"] = "new"
	registrar.Change(func(r *siptest.Rules) { r.Password = "new" })
	if diff := cmp.Diff(web.Reloaded{Changed: []string{"trunks.main.password"}}, w.reloads(text)); diff != "" {
		t.Error(diff)
	}
	w.gone()
	now := w.trunk("main")
	if h := now.Health(); now == old || h.State != sip.StateUp || len(registrar.Bindings()) != 1 {
		t.Errorf("the new trunk is %+v, registered are %v", h, registrar.Bindings())
	}
}

func TestATrunkThatDoesNotAnswerReplacesNoneThatDoes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	quiet := silent(t)
	s.file("config.toml", mainTrunk+alicesPhone)
	w := s.works()
	old := w.trunk("main")
	text := strings.Replace(mainTrunk, "$PBX", quiet, 1) + alicesPhone + "[trunks.new]\nkind = \"pbx\"\naddresses = [\"" + quiet + "\"]\n"
	done := w.reloads(text)
	if w.trunk("main") != old || len(done.Kept) != 1 || !strings.HasPrefix(done.Kept[0], "trunks.main: no answer to OPTIONS from ") || !strings.HasSuffix(done.Kept[0], ": it stays as it was") {
		t.Errorf("kept: %q", done.Kept)
	}
	if len(done.Warnings) != 1 || !strings.HasPrefix(done.Warnings[0], "trunks.new: no answer to OPTIONS from ") || !slices.Equal(done.Changed, []string{"trunks.new.addresses", "trunks.new.kind"}) {
		t.Errorf("warned of %q, changed %q", done.Warnings, done.Changed)
	}
	if len(w.live.now().trunks) != 2 || w.live.now().cfg.Trunks[0].Addresses[0] == quiet {
		t.Errorf("%+v", w.live.now().cfg.Trunks)
	}
}

func TestNewTrunksAreLetGoWhereTheFileIsOfNoUseWithTheOldOnes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	registrar := registrarOf(t, "right")
	s.vars["PASSWORD"] = "right"
	registers := "[trunks.desk]\nkind = \"pbx\"\naddresses = [\"" + registrar.Addr() + "\"]\nregister = true\nuser = \"telgate\"\npassword = \"env:PASSWORD\"\n"
	text := strings.Replace(mainTrunk, "kind = \"pbx\"\n", "", 1) + registers + "[people.alice]\nphones = [\"+1 202 555 0123\"]\n[limits]\nprefixes_allowed = [\"+1\"]\n"
	s.file("config.toml", text)
	w := s.works()
	old, desk := w.trunk("main"), w.trunk("desk")
	desk.AwaitRegistration(s.ctx)
	text = strings.Replace(mainTrunk, "$PBX", silent(t), 1) + registers + "display_name = \"Duty\"\n" + alicesPhone
	s.file("config.toml", text)
	_, err := w.reload(s.ctx, telgate.Actor{ID: "local:root", Local: true}, telgate.FromSocket)
	if err == nil || !strings.Contains(err.Error(), "not with what stays as it was (trunks.main: ") || !strings.Contains(err.Error(), "people.alice.phones") {
		t.Error(err)
	}
	if all := w.live.now().trunks; !slices.Equal(all, []*trunk{old, desk}) || desk.Health().State != sip.StateUp || len(registrar.Bindings()) != 1 {
		t.Errorf("%d trunks serve, %v are registered", len(all), registrar.Bindings())
	}
}

func TestASignalToStopDoesNotWaitForATrunkThatIsTried(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.file("config.toml", mainTrunk+alicesPhone)
	w := s.works()
	tried := listening(t)
	t.Cleanup(func() { _ = tried.Close() })
	s.file("config.toml", strings.Replace(mainTrunk, "$PBX", tried.LocalAddr().String(), 1)+alicesPhone)
	signals, ended := make(chan os.Signal, 2), make(chan struct{})
	signals <- syscall.SIGHUP
	go func() {
		defer close(ended)
		w.untilStopped(s.ctx, s.ctx, signals, w.log)
	}()
	_, _, err := tried.ReadFromUDP(make([]byte, 1<<16)) // it is asked whether it is there, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	signals <- syscall.SIGTERM
	<-ended
	log := string(w.logged.bytes())
	if !strings.Contains(log, "trunks.main: ") || strings.Contains(log, "no answer to OPTIONS") {
		t.Errorf("it was waited for:\n%s", log)
	}
	if w.live.now().cfg.Trunks[0].Addresses[0] == tried.LocalAddr().String() {
		t.Error("a trunk that was not tried to the end counts")
	}
}

func TestACertificateThatWasRenewedUnderItsNameIsNamed(t *testing.T) {
	a, b := sip.TrunkConfig{}, sip.TrunkConfig{TLS: sip.TLS{Cert: []byte("new")}}
	if keys := differ(&a, &b); !slices.Equal(keys, []string{"tls_cert"}) {
		t.Errorf("%q", keys)
	}
}
