package pager_test

import (
	"context"
	"testing"
	"time"

	"telgate"
	"telgate/pager"
)

func TestWhoAsksForAPageThatIsBeingHungUpGetsOneOfTheirOwn(t *testing.T) {
	in(t, func(t *testing.T) {
		slow := func(ctx context.Context, tell func(telgate.Event)) telgate.Call { // its peer takes its time with the CANCEL
			tell(telgate.Event{Kind: telgate.EventRinging})
			<-ctx.Done()
			<-time.NewTimer(2 * time.Second).C
			return telgate.Call{Outcome: telgate.OutcomeCancelled}
		}
		books := pager.NewMemory(time.Now)
		d := open(t, []answer{slow, confirms(time.Second)}, func(s *setting) { s.books = books })
		first := d.ringing(request("alice"))
		if err := d.Stop(t.Context(), first, asker()); err != nil {
			t.Fatal(err)
		}
		join := &telgate.Asker{Actor: asker(), Message: "again", At: time.Now()} // the ledger did not know yet that it is over
		if left, err := books.Leave(t.Context(), &pager.Message{Page: first, Join: join}); err != nil || !left {
			t.Fatal(left, err)
		}
		d.end(first)
		d.at(time.Minute)
		pages := d.pages()
		if len(pages) != 2 || pages[0].Result != telgate.Confirmed || pages[0].Askers[0].ID != asker().ID || pages[1].Result != telgate.Cancelled {
			t.Errorf("%d pages: %+v", len(pages), pages)
		}
	})
}
