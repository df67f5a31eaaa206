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
		if in.accept(typed("U1", "k")) != taken || in.accept(typed("U1", "k")) != repeated {
			t.Error("the repetition was not recognised")
		}
		pause(t.Context(), seenFor-time.Second)
		if in.accept(typed("U1", "k")) != repeated {
			t.Error("forgotten too early")
		}
		pause(t.Context(), 2*time.Second)
		if in.accept(typed("U1", "k")) != taken {
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
			in.accept(typed("slow", k))
		}
		for i := range 5 {
			in.accept(typed("quick", fmt.Sprintf("q%d", i)))
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
			if v := in.accept(typed(fmt.Sprint(i), fmt.Sprint(i))); v != taken {
				t.Fatalf("number %d: %v", i, v)
			}
		}
		if in.accept(typed("x", "more")) != busy {
			t.Error("taken")
		}
		pause(t.Context(), 2*time.Second)
		if in.accept(typed("x", "more")) != taken {
			t.Error("refused when there is room, or taken for a repetition")
		}
		pause(t.Context(), 2*time.Second)
	})
}

func TestAStoppingGatewayTakesClicksAndNoCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := runIntake(t, func(context.Context, delivery) {})
		in.close()
		if in.accept(typed("U1", "a")) != stopping {
			t.Error("a command was taken")
		}
		if in.accept(delivery{keys: []string{"b"}, click: &click{User: "U1"}}) != taken {
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
		in.accept(typed("U1", "bad"))
		in.accept(typed("U1", "good"))
		synctest.Wait()
		if n != 1 {
			t.Error("the next delivery was lost")
		}
	})
}
