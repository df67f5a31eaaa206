package directory

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata" // zones, where the system brings none

	"go.uber.org/goleak"

	"telgate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a directory at a time that the test moves.
type desk struct {
	*Directory
	t   *testing.T
	now time.Time
}

// berlin reads a time that clocks in Berlin show.
func berlin(t *testing.T, s string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// staff are alice, bob, carol and dave; alice and bob have Slack ids, dave has a time zone of his own.
func staff() []Entry {
	all := []Entry{person("alice", "アリス"), person("bob"), person("carol"), person("dave")}
	all[0].Person.Slack, all[0].Person.Email, all[0].Person.Name = "U1", "alice@example.com", "Alice Example"
	all[1].Person.Slack, all[3].Person.Slack, all[3].Person.TimeZone = "U2", "U4", "Asia/Tokyo"
	return all
}

// weekly is a rota of alice and bob, who hand over on Mondays at nine; the week of 2026-11-23 is alice's.
func weekly(nick string) Rota {
	return Rota{Nick: nick, People: []string{"alice", "bob"}, Every: "week", HandOver: "Mon 09:00", TimeZone: "Europe/Berlin", Begins: "2026-11-09"}
}

func newDesk(t *testing.T, cfg Config, covers Covers) *desk {
	t.Helper()
	d := &desk{t: t, now: berlin(t, "2026-11-24 12:00")}
	cfg.People = staff()
	var faults []telgate.Fault
	d.Directory, faults = New(cfg, Env{Now: func() time.Time { return d.now }, Covers: covers})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if err := d.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

// calls is whom a word means now; of a refusal its reason.
func (d *desk) calls(word string) string {
	d.t.Helper()
	m, err := d.Resolve(word)
	if r, ok := errors.AsType[*telgate.Refusal](err); ok {
		return string(r.Reason)
	}
	return nicks(m.People)
}

func nicks(people []telgate.Person) string {
	var all []string
	for _, p := range people {
		all = append(all, p.Nick)
	}
	return strings.Join(all, ",")
}

func (d *desk) covers(asker, whose, by, when string) telgate.Cover {
	d.t.Helper()
	c, err := d.Cover(d.t.Context(), telgate.CoverOrder{Asker: telgate.Actor{ID: asker}, For: whose, By: by, When: when})
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

func TestARotaMeansWhoseTurnItIsWhereverAPersonIs(t *testing.T) {
	d := newDesk(t, Config{
		Groups: []Group{group("all-hands", "duty", "carol", "アリス"), group("boss", "all-hands", "dave")}, Rotas: []Rota{weekly("duty")},
	}, nil)
	for at, want := range map[string][3]string{
		"2026-11-09 08:59": {"nobody_on_call", "carol,alice", "carol,alice,dave"},
		"2026-11-24 12:00": {"alice", "alice,carol", "alice,carol,dave"},
		"2026-11-30 09:00": {"bob", "bob,carol,alice", "bob,carol,alice,dave"},
	} {
		d.now = berlin(t, at)
		for i, word := range []string{"DUTY", "all-hands", "boss"} {
			if got := d.calls(word); got != want[i] {
				t.Errorf("at %s %s is %s, want %s", at, word, got, want[i])
			}
		}
	}
}

func TestWhoIsOnCallIsShownWithItsEndAndWhoFollows(t *testing.T) {
	single := weekly("lonely")
	single.People = []string{"carol"}
	office := weekly("office")
	office.Only, office.Fallback = []string{"Mon-Fri 08:00-18:00"}, []string{"dave"}
	d := newDesk(t, Config{Rotas: []Rota{weekly("duty"), single, office}}, nil)
	show := func() string {
		var all []string
		for _, o := range d.OnCall() {
			s := o.Rota + " " + nicks(o.People)
			if o.Fallback {
				s += " instead"
			}
			if !o.Until.IsZero() {
				s += " until " + o.Until.Format("Mon 15:04")
			}
			all = append(all, s+" then "+nicks(o.Next))
		}
		return strings.Join(all, "; ")
	}
	for at, want := range map[string]string{
		"2026-11-24 12:00": "duty alice until Mon 09:00 then bob; lonely carol then ; office alice until Tue 18:00 then alice",
		"2026-11-28 12:00": "duty alice until Mon 09:00 then bob; lonely carol then ; office dave instead until Mon 08:00 then alice",
	} {
		d.now = berlin(t, at)
		if got := show(); got != want {
			t.Errorf("at %s: %s, want %s", at, got, want)
		}
	}
	d.now = berlin(t, "2026-11-28 12:00")
	if m, err := d.Resolve("office"); err != nil || nicks(m.People) != "dave" {
		t.Errorf("in a gap with a fallback %v, %v", m, err)
	}
	if faults := d.RotaFaults(d.now.AddDate(0, 0, 28)); len(faults) > 0 {
		t.Errorf("hours that are meant are faults: %v", faults)
	}
}

func TestANobodyRefusalSaysUntilWhen(t *testing.T) {
	office := weekly("office")
	office.Only = []string{"Mon-Fri 08:00-18:00"}
	d := newDesk(t, Config{Rotas: []Rota{office}, Groups: []Group{group("g", "office")}}, nil)
	d.now = berlin(t, "2026-11-28 12:00")
	if _, err := d.Resolve("office"); err == nil || err.Error() != "Nobody is on call in office until Mon 2026-11-30 08:00 CET. Name somebody." {
		t.Error(err)
	}
	if _, err := d.Resolve("g"); err == nil || err.Error() != "Nobody is in g now. Name somebody." {
		t.Error(err)
	}
}

func TestARosterThatContainsItselfIsAFaultThatNamesThePath(t *testing.T) {
	duty := weekly("duty")
	duty.People = []string{"alice", "c"}
	_, faults := New(Config{
		People: staff(), Groups: []Group{group("a", "b", "alice"), group("b", "a"), group("c", "duty"), group("self", "self"), group("fine", "a")},
		Rotas: []Rota{duty},
	}, Env{})
	var got []string
	for _, f := range faults {
		got = append(got, f.Path+" "+f.Message)
	}
	want := []string{
		"groups.a contains itself: a → b → a", "groups.c contains itself: c → duty → c", "groups.self contains itself: self → self",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestEveryFaultOfARotaIsNamedAtOnce(t *testing.T) {
	full := weekly("full")
	full.Source = Source{Address: "https://example.com/x.ics"}
	_, faults := New(Config{People: staff(), Rotas: []Rota{
		weekly("stop"), weekly("Alice"), full,
		{Nick: "empty"},
		{Nick: "r", People: []string{"zoe", "bob"}, Every: "fortnight", HandOver: "Mon 9", TimeZone: "Mars", Begins: "soon", Only: []string{"always"}, Fallback: []string{"zoe"}},
		{Nick: "s", People: []string{"bob"}, Every: "3 days", HandOver: "Foo 09:00", TimeZone: "UTC", Begins: "2026-11-23"},
		{Nick: "u", People: []string{"bob"}, Every: "week", HandOver: "Tue 09:00", TimeZone: "UTC", Begins: "2026-11-23"},
		{Nick: "v", People: []string{"bob"}, Every: "3 days", HandOver: "Mon 09:00", TimeZone: "UTC", Begins: "2026-11-23"},
		{Nick: "w", TimeZone: "UTC", Source: Source{Address: "http://example.com/secret.ics"}},
	}}, Env{})
	var paths []string
	for _, f := range faults {
		paths = append(paths, f.Path)
		if strings.Contains(f.Message, "secret.ics") {
			t.Errorf("the address is shown: %v", f)
		}
	}
	want := []string{
		"rotas.stop", "rotas.Alice", "rotas.full.begins", "rotas.full.every", "rotas.full.hand_over", "rotas.full.people",
		"rotas.empty.time_zone", "rotas.empty.people",
		"rotas.r.fallback[0]", "rotas.r.time_zone", "rotas.r.people[0]", "rotas.r.every", "rotas.r.hand_over", "rotas.r.begins", "rotas.r.only[0]",
		"rotas.s.hand_over", "rotas.u.begins", "rotas.v.hand_over", "rotas.w.source",
	}
	if !slices.Equal(paths, want) {
		t.Errorf("%q,\nwant %q", paths, want)
	}
}

func TestACoverTakesTurnsAndNothingElse(t *testing.T) {
	d := newDesk(t, Config{Rotas: []Rota{weekly("duty")}, Groups: []Group{group("pair", "alice", "duty")}}, nil)
	c := d.covers("U2", "アリス", "", "until 18:00")
	if c.By != "bob" || c.For != "alice" || !c.Until.Equal(berlin(t, "2026-11-24 18:00")) || c.Asker != "U2" {
		t.Errorf("%+v", c)
	}
	if d.calls("duty") != "bob" || d.calls("alice") != "alice" || d.calls("pair") != "alice,bob" {
		t.Errorf("duty %s, alice %s, pair %s", d.calls("duty"), d.calls("alice"), d.calls("pair"))
	}
	if o := d.OnCall()[0]; nicks(o.People) != "bob" || !o.Until.Equal(c.Until) || nicks(o.Next) != "alice" || len(o.Covers) != 1 {
		t.Errorf("%+v", o)
	}
	d.now = c.Until
	if d.calls("duty") != "alice" || len(d.Covers()) != 0 {
		t.Errorf("after it %s, %v", d.calls("duty"), d.Covers())
	}
}

func TestCoversAreChainedAndTheLatestCounts(t *testing.T) {
	d := newDesk(t, Config{Rotas: []Rota{weekly("duty")}}, nil)
	d.covers("", "alice", "bob", "for 8h")
	d.covers("", "bob", "carol", "for 2h")
	if got := d.calls("duty"); got != "carol" {
		t.Errorf("for who stands in: %s", got)
	}
	d.covers("", "alice", "dave", "for 1h")
	if got := d.calls("duty"); got != "dave" {
		t.Errorf("the later one: %s", got)
	}
	d.now = d.now.Add(90 * time.Minute)
	if got := d.calls("duty"); got != "carol" {
		t.Errorf("after it: %s", got)
	}
	d.covers("", "carol", "alice", "for 1h") // and back
	if got := d.calls("duty"); got != "alice" && got != "carol" {
		t.Errorf("in a circle: %s", got)
	}
}

func TestAWholeRotaIsCoveredEvenInItsGap(t *testing.T) {
	office := weekly("office")
	office.Only = []string{"Mon-Fri 08:00-18:00"}
	d := newDesk(t, Config{Rotas: []Rota{office}}, nil)
	d.covers("U2", "office", "carol", "until tomorrow 08:00")
	for _, at := range []string{"2026-11-24 12:00", "2026-11-24 23:00"} {
		if d.now = berlin(t, at); d.calls("office") != "carol" {
			t.Errorf("at %s: %s", at, d.calls("office"))
		}
	}
}

func TestACoverIsReadInTheAskersTimeZone(t *testing.T) {
	d := newDesk(t, Config{Rotas: []Rota{weekly("duty")}}, nil)
	if c := d.covers("U4", "alice", "", "until 22:00"); !c.Until.Equal(berlin(t, "2026-11-24 14:00")) {
		t.Errorf("in Tokyo until %v", c.Until)
	}
}

func TestACoverEndsEarly(t *testing.T) {
	d := newDesk(t, Config{Rotas: []Rota{weekly("duty")}}, nil)
	d.covers("", "alice", "bob", "for 8h")
	d.covers("", "alice", "carol", "from 22:00 for 1h")
	d.now = d.now.Add(time.Hour)
	ended, err := d.Uncover(t.Context(), telgate.CoverOrder{For: "alice", By: "carol"})
	if err != nil || len(ended) != 1 || d.calls("duty") != "bob" {
		t.Errorf("carol's: %v, %v, %s", ended, err, d.calls("duty"))
	}
	if ended, err = d.Uncover(t.Context(), telgate.CoverOrder{For: "alice"}); err != nil || len(ended) != 1 || d.calls("duty") != "alice" {
		t.Errorf("all: %v, %v, %s", ended, err, d.calls("duty"))
	}
	if _, err = d.Uncover(t.Context(), telgate.CoverOrder{For: "alice"}); err == nil || !strings.Contains(err.Error(), "Nobody covers for alice") {
		t.Error(err)
	}
}

func TestACoverThatWouldDoNothingIsRefused(t *testing.T) {
	d := newDesk(t, Config{Rotas: []Rota{weekly("duty")}, Groups: []Group{group("ops", "alice")}}, nil)
	for _, c := range []struct{ asker, whose, by, when, why string }{
		{"U9", "alice", "", "for 1h", "not in the directory"},
		{"U1", "zoe", "", "for 1h", "Nobody is called"},
		{"U1", "alice", "zoe", "for 1h", "Nobody is called"},
		{"U1", "ops", "bob", "for 1h", "is a group"},
		{"U1", "alice", "ops", "for 1h", "is no person"},
		{"U1", "alice", "", "for 1h", "cannot cover for themselves"},
		{"U1", "bob", "", "for 1h", "bob is not on call in any rota"},
		{"U1", "carol", "", "for 30d", "carol is not on call in any rota"},
		{"U2", "alice", "", "until yesterday", "I cannot cover"},
		{"U2", "alice", "", "", "say how long"},
	} {
		_, err := d.Cover(t.Context(), telgate.CoverOrder{Asker: telgate.Actor{ID: c.asker}, For: c.whose, By: c.by, When: c.when})
		if _, ok := errors.AsType[*telgate.Refusal](err); !ok || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestCoversOutliveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "covers.json")
	cfg := Config{Rotas: []Rota{weekly("duty")}}
	d := newDesk(t, cfg, NewCoverBook(path))
	d.covers("", "alice", "bob", "for 8h")
	d.covers("", "alice", "carol", "for 1h")
	if _, err := d.Uncover(t.Context(), telgate.CoverOrder{For: "alice", By: "carol"}); err != nil {
		t.Fatal(err)
	}
	if again := newDesk(t, cfg, NewCoverBook(path)); again.calls("duty") != "bob" || len(again.Covers()) != 1 {
		t.Errorf("after a restart %s, %v", again.calls("duty"), again.Covers())
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken, _ := New(Config{People: staff()}, Env{Covers: NewCoverBook(path)})
	if err := broken.Load(t.Context()); err == nil {
		t.Error("a broken file was read")
	}
}

// torn is a book that cannot be written.
type torn struct{ *CoverBook }

func (torn) SaveCover(context.Context, telgate.Cover) error { return errors.New("disk full") }

func TestACoverThatCannotBeKeptIsNotInForce(t *testing.T) {
	d := newDesk(t, Config{Rotas: []Rota{weekly("duty")}}, torn{NewCoverBook("")})
	_, err := d.Cover(t.Context(), telgate.CoverOrder{For: "alice", By: "bob", When: "for 1h"})
	if err == nil || d.calls("duty") != "alice" {
		t.Errorf("%v, %s", err, d.calls("duty"))
	}
}

func TestASourceFillsGroupsAndRotas(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fed := group("fed", "dave")
	fed.Source = Source{Address: write("members.json", `["Alice Example", "U2", "rota", "fed"]`)} // and itself
	cfg := Config{Groups: []Group{fed}, Rotas: []Rota{{
		Nick: "rota", TimeZone: "Europe/Berlin",
		Source: Source{Address: write("shifts.csv", "person,from,until\nalice@example.com,2026-11-24 09:00,2026-11-24 13:00\ncarol,2026-11-24 12:30,2026-11-24 18:00\nzoe,2026-11-24 18:00,2026-11-25 09:00\nbob,2026-11-25 09:00,2027-01-01\n")},
	}}}
	d := newDesk(t, cfg, nil)
	if got := d.calls("rota"); got != "nobody_on_call" {
		t.Errorf("before it was read: %s", got)
	}
	d.Refresh(t.Context())
	if d.calls("rota") != "alice" || d.calls("fed") != "dave,alice,bob" || strings.Join(d.Groups()[0].Members, ",") != "dave,alice,bob,rota,fed" {
		t.Errorf("rota %s, fed %s, %v", d.calls("rota"), d.calls("fed"), d.Groups()[0].Members)
	}
	var found []string
	for _, f := range d.RotaFaults(d.now.AddDate(0, 0, 7)) {
		found = append(found, strings.Join(f.People, "+")+" "+f.From.Format("02 15:04")+"-"+f.Until.Format("02 15:04"))
	}
	if want := []string{"alice+carol 24 12:30-24 13:00", " 24 18:00-25 09:00"}; !slices.Equal(found, want) {
		t.Errorf("%q, want %q", found, want)
	}
	s := d.Sources()
	if len(s) != 2 || s[0].Of != "groups.fed" || s[1].Of != "rotas.rota" || len(s[1].Notes) != 1 || s[1].Problem != "" {
		t.Errorf("%+v", s)
	}
}

func TestRunReadsSourcesAndCoversAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "members.csv")
		write := func(text string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("person\nalice\n")
		fed := group("fed")
		fed.Source = Source{Address: path, Refresh: time.Minute}
		duty := weekly("duty")
		duty.Begins = "1999-11-01"
		book := NewCoverBook("")
		d, faults := New(Config{People: staff(), Groups: []Group{fed}, Rotas: []Rota{duty}}, Env{Covers: book})
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		synctest.Wait()
		if m, err := d.Resolve("fed"); err != nil || nicks(m.People) != "alice" {
			t.Errorf("%v, %v", m.People, err)
		}
		write("person\nbob\n")
		now := time.Now()
		if err := book.SaveCover(ctx, telgate.Cover{ID: "x", For: "duty", By: "dave", From: now, Until: now.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		<-time.NewTimer(2 * time.Minute).C
		synctest.Wait()
		if m, err := d.Resolve("fed"); err != nil || nicks(m.People) != "bob" {
			t.Errorf("%v, %v", m.People, err)
		}
		if m, err := d.Resolve("duty"); err != nil || nicks(m.People) != "dave" {
			t.Errorf("another gateway's cover: %v, %v", m.People, err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestWordsAreResolvedWhileSourcesAndCoversChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "members.csv")
	write := func(text string) {
		if err := os.WriteFile(path, []byte("person\n"+text), 0o600); err != nil {
			t.Error(err)
		}
	}
	write("alice\n")
	fed := group("fed")
	fed.Source = Source{Address: path}
	d := newDesk(t, Config{Groups: []Group{fed, group("both", "fed", "duty")}, Rotas: []Rota{weekly("duty")}}, nil)
	d.Refresh(t.Context())
	var asking sync.WaitGroup
	changed := make(chan struct{})
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-changed:
					return
				default:
				}
				if m, err := d.Resolve("both"); err != nil || len(m.People) == 0 {
					t.Errorf("%v, %v", m, err)
				}
				d.OnCall()
				d.Sources()
			}
		})
	}
	for i := range 20 {
		write([]string{"alice\n", "bob\ncarol\n", "", "zoe\n"}[i%4])
		d.Refresh(t.Context())
		d.covers("", "alice", []string{"bob", "carol"}[i%2], "for 1h")
		if _, err := d.Uncover(t.Context(), telgate.CoverOrder{For: "alice"}); err != nil {
			t.Error(err)
		}
	}
	close(changed)
	asking.Wait()
}

func TestAMuteIsReadForThePersonAndNobodyElse(t *testing.T) {
	d := newDesk(t, Config{People: staff(), Groups: []Group{{Group: telgate.Group{Nick: "ops", Members: []string{"alice", "bob"}}}}}, nil)
	now := d.env.Now()
	m, err := d.Mute(telgate.MuteOrder{Asker: telgate.Actor{ID: "UADMIN"}, Who: "alice", When: "for 2h"})
	if err != nil || m.Nick != "alice" || m.By != "UADMIN" || !m.Until.Equal(now.Add(2*time.Hour)) {
		t.Errorf("%+v, %v", m, err)
	}
	m, err = d.Mute(telgate.MuteOrder{Who: "alice", Until: now.Add(time.Hour)})
	if err != nil || !m.Until.Equal(now.Add(time.Hour)) {
		t.Errorf("until a moment: %+v, %v", m, err)
	}
	m, err = d.Mute(telgate.MuteOrder{Asker: telgate.Actor{ID: "UADMIN"}, Who: "alice", End: true})
	if err != nil || m.Until.After(now) {
		t.Errorf("ended: %+v, %v", m, err)
	}
	for _, o := range []telgate.MuteOrder{
		{Who: "ops", When: "for 2h"},
		{Who: "nobody", When: "for 2h"},
		{When: "for 2h", Asker: telgate.Actor{ID: "UNOBODY"}},
		{Who: "alice", When: "from 23:00 until 23:30"},
		{Who: "alice", When: "soon"},
		{Who: "alice", Until: now},
		{Who: "alice", Until: now.AddDate(0, 3, 0)},
		{Who: "alice"},
	} {
		_, err := d.Mute(o)
		if _, refused := errors.AsType[*telgate.Refusal](err); !refused {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
