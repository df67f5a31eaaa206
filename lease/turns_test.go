package lease

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// rota is who has the only turn of a parish. It is down when the parish is.
type rota struct {
	p *parish

	turn  Turn
	taken int // writes
	asked int
}

func (r *rota) Take(ctx context.Context, gateway string, names []string) ([]Turn, error) {
	if err := r.p.ask(ctx); err != nil {
		return nil, err
	}
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	r.asked++
	_, there := r.p.rows[r.turn.Gateway]
	if _, entered := r.p.rows[gateway]; entered && !there {
		r.taken++
		r.turn.Name, r.turn.Gateway, r.turn.Token = names[0], gateway, r.turn.Token+1
	}
	return []Turn{r.turn}, nil
}

func (r *rota) Sign(ctx context.Context, gateway, _, word string) error {
	if err := r.p.ask(ctx); err != nil {
		return err
	}
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	if r.turn.Gateway == gateway {
		r.turn.Word = word
	}
	return nil
}

func (r *rota) Give(ctx context.Context, gateway string, names ...string) error {
	if err := r.p.ask(ctx); err != nil {
		return err
	}
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	if r.turn.Gateway == gateway && (len(names) == 0 || slices.Contains(names, r.turn.Name)) {
		r.turn.Gateway = ""
	}
	return nil
}

// clerk is a gateway that wants the turn, and writes down how it stands whenever it is told to look.
type clerk struct {
	diary

	name string
	l    *Lease
}

func (c *clerk) TurnChanged(name string) {
	c.note("%s", []string{"others", "ours", "doubt"}[c.l.Stand(name)])
}

func (c *clerk) Word(string) string { return "contact of " + c.name }

// works begins a gateway that contends; stop ends its life with a word, and freeze without one.
func works(t *testing.T, r *rota, name string) (c *clerk, stop func()) {
	t.Helper()
	c = &clerk{name: name, diary: diary{began: time.Now()}}
	n := 0
	var err error
	c.l, err = New(Self{Name: name}, r.p, r.p, &diary{began: time.Now()}, Usual(), Env{
		Now: time.Now, Log: slog.New(slog.DiscardHandler), NewID: func() (string, error) { n++; return fmt.Sprintf("%s-%d", name, n), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	c.l.Share(r, []string{"main"}, c)
	if err := c.l.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { _ = c.l.Run(ctx); close(ended) }()
	stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(stop)
	return c, stop
}

func TestOneGatewayHasTheTurnAndAnotherTakesItWithinFourSecondsOfItsDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rota{p: newParish()}
		r.p.rows["a-1"] = Peer{Self: Self{ID: "a-1", Name: "a"}, Beats: 7} // it stands still
		r.turn = Turn{Name: "main", Gateway: "a-1", Holder: "a", Word: "contact of a"}
		b, _ := works(t, r, "b")
		pass(2900 * time.Millisecond)
		if b.l.Stand("main") != Others {
			t.Error("taken too early")
		}
		pass(1100 * time.Millisecond)
		if b.l.Stand("main") != Ours || b.told() != "ours" || b.l.Former("main") != "contact of a" {
			t.Errorf("told %s; former %q", b.told(), b.l.Former("main"))
		}
		pass(time.Minute)
		if r.turn.Word != "contact of b" || r.taken != 1 {
			t.Errorf("%+v, written %d times", r.turn, r.taken)
		}
		asked := r.asked
		pass(time.Minute)
		if r.asked != asked {
			t.Errorf("who has the turn asked for it %d times", r.asked-asked)
		}
	})
}

func TestATurnIsGivenUpAtOnceAndTakenWithTheNextBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rota{p: newParish()}
		a, stop := works(t, r, "a")
		b, _ := works(t, r, "b")
		pass(10 * time.Second)
		if a.told() != "ours" || b.told() != "" {
			t.Errorf("a %s, b %s", a.told(), b.told())
		}
		if err := a.l.Resign(t.Context()); err != nil {
			t.Error(err)
		}
		pass(600 * time.Millisecond)
		if a.told() != "ours, others" || b.l.Stand("main") != Ours {
			t.Errorf("a %s, b %s", a.told(), b.told())
		}
		stop()
		pass(10 * time.Second)
		if a.told() != "ours, others" || b.told() != "ours" {
			t.Errorf("a %s, b %s", a.told(), b.told())
		}
	})
}

func TestWhoGaveItsTurnUpTakesNoneThoughNobodyElseDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rota{p: newParish()}
		a, _ := works(t, r, "a")
		if err := a.l.Resign(t.Context()); err != nil {
			t.Error(err)
		}
		pass(time.Minute)
		if a.told() != "ours, others" || r.taken != 1 || r.turn.Gateway != "" {
			t.Errorf("a %s, taken %d times, %+v", a.told(), r.taken, r.turn)
		}
	})
}

func TestATurnIsInDoubtWhileTheRegisterIsDownAndNobodyTakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rota{p: newParish()}
		a, _ := works(t, r, "a")
		b, _ := works(t, r, "b")
		pass(10 * time.Second)
		r.p.set(func() { r.p.down = true })
		pass(2 * time.Second)
		if a.l.Stand("main") != Ours {
			t.Error("in doubt before the TTL")
		}
		pass(time.Minute)
		if a.l.Stand("main") != InDoubt {
			t.Errorf("it is %d", a.l.Stand("main"))
		}
		r.p.set(func() { r.p.down = false })
		pass(time.Minute)
		if a.told() != "ours, ours" || b.told() != "" || r.turn.Token != 1 {
			t.Errorf("a %s, b %s, %+v", a.told(), b.told(), r.turn)
		}
	})
}

func TestWhoWasTakenForDeadHasNoTurnUntilItIsFreeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rota{p: newParish()}
		a, _ := works(t, r, "a")
		b, stop := works(t, r, "b")
		pass(5 * time.Second)
		r.p.set(func() { delete(r.p.rows, "a-1"); r.turn.Gateway = "b-1" }) // b has buried a, and has its turn
		pass(time.Second)
		if a.told() != "ours, others" || a.l.Stand("main") != Others {
			t.Errorf("a %s", a.told())
		}
		pass(time.Minute)
		stop()
		pass(time.Second)
		if a.told() != "ours, others, ours" || b.told() != "ours, others" {
			t.Errorf("a %s, b %s", a.told(), b.told())
		}
	})
}

func TestALeaseWithoutTurnsHasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := New(Self{}, newParish(), newParish(), &diary{}, Usual(), Env{NewID: func() (string, error) { return "a", nil }})
		if err != nil || l.Stand("main") != Others || l.Former("main") != "" || l.Resign(t.Context()) != nil {
			t.Errorf("%v", err)
		}
	})
}

func TestWhoContendsForOthersGivesItsTurnUpAndMayHaveItAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rota{p: newParish()}
		a, _ := works(t, r, "a")
		pass(2 * time.Second)
		if a.l.Stand("main") != Ours {
			t.Fatal("nobody has it")
		}
		b, _ := works(t, r, "b")
		if err := a.l.Contend(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		if a.l.Stand("main") != Others || b.l.Stand("main") != Ours || a.told() != "ours, others" {
			t.Errorf("one is at %v, told %q, the other one at %v", a.l.Stand("main"), a.told(), b.l.Stand("main"))
		}
		if err := a.l.Contend(t.Context(), []string{"main"}); err != nil {
			t.Fatal(err)
		}
		if err := b.l.Contend(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		if a.l.Stand("main") != Ours || b.l.Stand("main") != Others {
			t.Error("it did not come back")
		}
	})
}
