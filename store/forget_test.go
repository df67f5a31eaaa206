package store

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"telgate"
	"telgate/lease"
	"telgate/pager"
)

// twice takes each transaction back once and does it again, as engines do.
type twice struct{ engine }

var errTakenBack = errors.New("taken back")

func (e twice) write(ctx context.Context, do func(tx) error) error {
	if err := e.engine.write(ctx, func(t tx) error { return errors.Join(do(t), errTakenBack) }); !errors.Is(err, errTakenBack) {
		return err
	}
	return e.engine.write(ctx, do)
}

func TestForgetErasesAllOfAPersonThoughATransactionIsDoneAgain(t *testing.T) {
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "telgate.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	s.db = twice{s.db}
	if err := s.Gateways().Enter(t.Context(), lease.Self{ID: "g", Name: "g"}); err != nil {
		t.Fatal(err)
	}
	p := telgate.Page{
		ID: "p1", Version: 1, State: telgate.PageAccepted, Accepted: time.Now(),
		Targets: []telgate.Target{{Nick: "alice", Name: "Alice", Slack: "U1"}},
	}
	p.Askers = []telgate.Asker{{Actor: telgate.Actor{ID: "U2"}, At: p.Accepted}}
	hold := pager.Hold{Page: "p1", Gateway: "g", Token: 1}
	if _, err := s.Accept(t.Context(), &pager.Acceptance{Hold: hold, Page: p, Course: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	p.Version, p.State, p.Result, p.Ended = 2, telgate.PageEnded, telgate.NotReached, time.Now()
	if err := s.Save(t.Context(), &pager.Change{Hold: hold, Page: p}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Forget(t.Context(), "alice"); err != nil || got.Pages != 1 {
		t.Errorf("Forget: %+v, %v", got, err)
	}
	left, err := s.Page(t.Context(), "p1")
	if err != nil {
		t.Fatal(err)
	}
	if left.Targets[0].Name != "" || left.Targets[0].Slack != "" {
		t.Errorf("left: %+v", left.Targets[0])
	}
}
