package lease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parish is a register that can be down, slow, or wrong about a gateway.
type parish struct {
	mu     sync.Mutex
	rows   map[string]Peer
	down   bool
	hangs  bool
	slow   time.Duration // it answers after
	closed int           // so many times nobody may enter
	buried []string
}

var errDown = errors.New("the database is down")

func (p *parish) ask(ctx context.Context) error {
	p.mu.Lock()
	down, hangs, slow := p.down, p.hangs, p.slow
	p.mu.Unlock()
	if slow > 0 {
		<-time.NewTimer(slow).C
	}
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if down {
		return errDown
	}
	return nil
}

func (p *parish) Enter(ctx context.Context, s Self) error {
	if err := p.ask(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed > 0 {
		p.closed--
		return errDown
	}
	if _, used := p.rows[s.ID]; used {
		return errors.New("this id was used before")
	}
	p.rows[s.ID] = Peer{Self: s}
	return nil
}

func (p *parish) Beat(ctx context.Context, id string) (bool, error) {
	if err := p.ask(ctx); err != nil {
		return false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.rows[id]
	if !ok {
		return false, nil
	}
	r.Beats++
	p.rows[id] = r
	return true, nil
}

func (p *parish) Leave(ctx context.Context, id string) error {
	if err := p.ask(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.rows, id)
	return nil
}

func (p *parish) Peers(ctx context.Context) ([]Peer, error) {
	if err := p.ask(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Peer
	for _, r := range p.rows {
		all = append(all, r)
	}
	return all, nil
}

func (p *parish) Bury(ctx context.Context, dead Peer) (bool, error) {
	if err := p.ask(ctx); err != nil {
		return false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r, ok := p.rows[dead.ID]; !ok || r.Beats != dead.Beats {
		return false, nil
	}
	delete(p.rows, dead.ID)
	p.buried = append(p.buried, dead.ID)
	return true, nil
}

func (p *parish) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *parish) ids() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for id := range p.rows {
		all = append(all, id)
	}
	slices.Sort(all)
	return all
}

// dead are the gateways that were buried.
func (p *parish) dead() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.buried)
}

// diary is work that writes down what it is told, and when.
type diary struct {
	began time.Time
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf("%s ", time.Since(d.began))+fmt.Sprintf(format, args...))
}

func (d *diary) Hold()          { d.note("hold") }
func (d *diary) Fence(error)    { d.note("fence") }
func (d *diary) Join(id string) { d.note("join %s", id) }

// told is what happened between two moments, without the times.
func (d *diary) told() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for _, l := range d.lines {
		_, what, _ := strings.Cut(l, " ")
		all = append(all, what)
	}
	return strings.Join(all, ", ")
}

// lives begins a gateway's life; stop ends it.
func lives(t *testing.T, p *parish, name, config string) (d *diary, stop func()) {
	t.Helper()
	d = &diary{began: time.Now()}
	n := 0
	l, err := New(Self{Name: name, Config: config}, p, p, d, Usual(), Env{
		Now: time.Now, Log: slog.New(slog.DiscardHandler), NewID: func() (string, error) { n++; return fmt.Sprintf("%s-%d", name, n), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { _ = l.Run(ctx); close(ended) }()
	stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(stop)
	return d, stop
}

func pass(d time.Duration) { <-time.NewTimer(d).C }

func newParish() *parish { return &parish{rows: map[string]Peer{}} }

func TestAGatewayThatStandsStillIsTakenOverWithinFourSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newParish()
		lives(t, p, "a", "")
		p.set(func() { p.rows["b-1"] = Peer{Self: Self{ID: "b-1", Name: "b"}, Beats: 7} })
		pass(2900 * time.Millisecond)
		if len(p.ids()) != 2 {
			t.Error("taken for dead too early")
		}
		pass(1100 * time.Millisecond)
		if got := p.ids(); !slices.Equal(got, []string{"a-1"}) || !slices.Equal(p.dead(), []string{"b-1"}) {
			t.Errorf("rows %v, buried %v", got, p.dead())
		}
	})
}

func TestAGatewayThatWasSeenLateIsTakenOverWithinFourSecondsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newParish()
		lives(t, p, "a", "")
		pass(760 * time.Millisecond) // right after a look
		p.set(func() { p.rows["b-1"], p.slow = Peer{Self: Self{ID: "b-1", Name: "b"}, Beats: 7}, 20*time.Millisecond })
		pass(time.Second)
		p.set(func() { p.slow = 0 })
		pass(3 * time.Second)
		if got := p.ids(); !slices.Equal(got, []string{"a-1"}) {
			t.Errorf("after four seconds there is %v still", got)
		}
	})
}

func TestGatewaysThatBeatLeaveEachOtherAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newParish()
		a, _ := lives(t, p, "a", "")
		b, stop := lives(t, p, "b", "")
		pass(time.Minute)
		if len(p.dead()) != 0 || a.told() != "join a-1" || b.told() != "join b-1" {
			t.Errorf("buried %v; a: %s; b: %s", p.dead(), a.told(), b.told())
		}
		stop()
		if got := p.ids(); !slices.Equal(got, []string{"a-1"}) {
			t.Errorf("after b signed off: %v", got)
		}
	})
}

func TestWhereTheRegisterIsDownNobodyIsDeadAndNothingBegins(t *testing.T) {
	for name, fail := range map[string]func(*parish, bool){
		"refuses": func(p *parish, down bool) { p.down = down },
		"hangs":   func(p *parish, down bool) { p.hangs = down },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newParish()
				a, _ := lives(t, p, "a", "")
				b, _ := lives(t, p, "b", "")
				pass(10 * time.Second)
				p.set(func() { fail(p, true) })
				pass(2 * time.Second)
				if a.told() != "join a-1" {
					t.Errorf("held before the TTL: %s", a.told())
				}
				pass(10 * time.Second)
				p.set(func() { fail(p, false) })
				pass(time.Minute)
				for _, d := range []*diary{a, b} {
					if want := "hold, join"; !strings.Contains(d.told(), want) || strings.Contains(d.told(), "fence") {
						t.Errorf("%s", d.told())
					}
				}
				if len(p.dead()) != 0 {
					t.Errorf("buried %v", p.dead())
				}
			})
		})
	}
}

func TestWhoWasTakenForDeadGivesUpAndBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newParish()
		a, _ := lives(t, p, "a", "")
		pass(5 * time.Second)
		p.set(func() { delete(p.rows, "a-1") })
		pass(time.Second)
		if got := a.told(); got != "join a-1, fence, join a-2" {
			t.Errorf("told %s", got)
		}
		if got := p.ids(); !slices.Equal(got, []string{"a-2"}) {
			t.Errorf("rows %v", got)
		}
	})
}

func TestWhoCannotBeginAnewTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newParish()
		a, _ := lives(t, p, "a", "")
		pass(5 * time.Second)
		p.set(func() { delete(p.rows, "a-1"); p.closed = 1 })
		pass(2 * time.Second)
		if got := a.told(); !strings.HasPrefix(got, "join a-1, fence") || !strings.HasSuffix(got, "join a-3") {
			t.Errorf("told %s", got)
		}
	})
}

func TestDifferentConfigurationsAreWarnedAboutOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newParish()
		var text strings.Builder
		w := newWatch(p, Usual(), Env{Now: time.Now, Log: slog.New(slog.NewTextHandler(&text, nil))})
		p.set(func() { p.rows["b"] = Peer{Self: Self{ID: "b", Name: "b", Config: "2"}} })
		for range 3 {
			w.look(t.Context(), Self{ID: "a", Config: "1"})
		}
		if n := strings.Count(text.String(), "different configurations"); n != 1 {
			t.Errorf("warned %d times: %s", n, text.String())
		}
	})
}
