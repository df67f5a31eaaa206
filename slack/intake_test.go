package slack

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

func typed(user, key string) delivery {
	return delivery{keys: []string{key}, command: &command{User: user}}
}

func accept(in *intake, d delivery) verdict {
	v, _ := in.accept(d)
	return v
}

// runIntake runs an intake whose handler does what the test says.
func runIntake(t *testing.T, handle func(context.Context, delivery)) *intake {
	t.Helper()
	in := newIntake(time.Now, slog.New(slog.DiscardHandler), handle)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { in.run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	return in
}

func TestADeliveryIsTakenOnceForAQuarterOfAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		in := runIntake(t, func(context.Context, delivery) { n++ })
		if accept(in, typed("U1", "k")) != taken || accept(in, typed("U1", "k")) != repeated {
			t.Error("the repetition was not recognised")
		}
		pause(t.Context(), seenFor-time.Second)
		if accept(in, typed("U1", "k")) != repeated {
			t.Error("forgotten too early")
		}
		pause(t.Context(), 2*time.Second)
		if accept(in, typed("U1", "k")) != taken {
			t.Error("remembered for ever")
		}
		synctest.Wait()
		if n != 2 {
			t.Errorf("handled %d", n)
		}
	})
}

func TestOnePersonsDeliveriesKeepTheirOrderAndOthersDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var order []string
		in := runIntake(t, func(ctx context.Context, d delivery) {
			if d.user() == "slow" {
				pause(ctx, time.Minute)
			}
			mu.Lock()
			defer mu.Unlock()
			order = append(order, d.keys[0])
		})
		for _, k := range []string{"s1", "s2"} {
			accept(in, typed("slow", k))
		}
		for i := range 5 {
			accept(in, typed("quick", fmt.Sprintf("q%d", i)))
		}
		pause(t.Context(), 3*time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(order, []string{"q0", "q1", "q2", "q3", "q4", "s1", "s2"}) {
			t.Errorf("handled %v", order)
		}
	})
}

func TestTooManyWaitingDeliveriesAreRefusedAndNotRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := runIntake(t, func(ctx context.Context, _ delivery) { pause(ctx, time.Second) })
		for i := range outstandingMax {
			if v := accept(in, typed(fmt.Sprint(i), fmt.Sprint(i))); v != taken {
				t.Fatalf("number %d: %v", i, v)
			}
		}
		if accept(in, typed("x", "more")) != busy {
			t.Error("taken")
		}
		pause(t.Context(), 2*time.Second)
		if accept(in, typed("x", "more")) != taken {
			t.Error("refused when there is room, or taken for a repetition")
		}
		pause(t.Context(), 2*time.Second)
	})
}

func TestAStoppingGatewayTakesClicksAndNoCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := runIntake(t, func(context.Context, delivery) {})
		in.close()
		if accept(in, typed("U1", "a")) != stopping {
			t.Error("a command was taken")
		}
		if accept(in, delivery{keys: []string{"b"}, click: &click{User: "U1"}}) != taken {
			t.Error("a click was not")
		}
		in.drain(time.Second)
	})
}

func TestAPanicCostsOneDeliveryOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		in := runIntake(t, func(_ context.Context, d delivery) {
			if d.keys[0] == "bad" {
				panic("planted")
			}
			n++
		})
		accept(in, typed("U1", "bad"))
		accept(in, typed("U1", "good"))
		synctest.Wait()
		if n != 1 {
			t.Error("the next delivery was lost")
		}
	})
}

func TestAnAcknowledgementWaitsUntilThePageIsKeptAndForNoMoreThanASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := runIntake(t, func(ctx context.Context, d delivery) {
			pause(ctx, map[string]time.Duration{"quick": 20 * time.Millisecond, "slow": time.Minute}[d.user()])
		})
		for _, c := range []struct {
			user, key string
			want      time.Duration
		}{
			{"quick", "a", 20 * time.Millisecond},
			{"quick", "a", 0}, // a repetition of what was done
			{"slow", "b", ackPatience},
			{"slow", "b", ackPatience}, // of what is not
			{"slow", "c", ackPatience}, // behind it
		} {
			_, done := in.accept(typed(c.user, c.key))
			began := time.Now()
			reply{done: done}.wait(t.Context())
			if waited := time.Since(began); waited != c.want {
				t.Errorf("%s %s: acknowledged after %s, want %s", c.user, c.key, waited, c.want)
			}
		}
		pause(t.Context(), 3*time.Minute)
	})
}

func TestWhatIsNotTakenIsAnsweredAtOnce(t *testing.T) {
	in := newIntake(time.Now, slog.New(slog.DiscardHandler), nil)
	in.close()
	if v, done := in.accept(typed("U1", "a")); v != stopping || done != nil {
		t.Errorf("%v, something to wait for: %v", v, done != nil)
	}
}
