package pager_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
)

// reaper notes which calls it is to end. It says nothing for as long as it is asked to.
type reaper struct {
	mu    sync.Mutex
	ended []telgate.Call
}

func (r *reaper) End(ctx context.Context, c *telgate.Call) (int, error) {
	r.mu.Lock()
	r.ended = append(r.ended, *c)
	r.mu.Unlock()
	<-ctx.Done()
	return 0, ctx.Err()
}

func (r *reaper) seen() []telgate.Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]telgate.Call(nil), r.ended...)
}

// leaves is a phone that rings for ever, in a call that is ended by this.
func leaves(e telgate.Ending, result <-chan telgate.Call) answer {
	return func(_ context.Context, emit func(telgate.Event)) telgate.Call {
		emit(telgate.Event{Kind: telgate.EventInvited, Ending: &telgate.Ending{Request: "before the challenge"}})
		emit(telgate.Event{Kind: telgate.EventInvited, Ending: &e})
		emit(telgate.Event{Kind: telgate.EventRinging, Status: 180})
		return <-result
	}
}

func TestACallOfADeadGatewayIsEndedOnceAndItsPhoneRestsAllTheSame(t *testing.T) {
	in(t, func(t *testing.T) {
		l, r := newStrict(), &reaper{}
		dead := make(chan telgate.Call)
		ending := telgate.Ending{Transport: "udp", Peer: "192.0.2.1:5060", Request: "CANCEL sip:7101@pbx SIP/2.0\r\nCall-ID: abc@192.0.2.9\r\n\r\n"}
		d := open(t, []answer{leaves(ending, dead), rings(), confirms(0)}, l.on(t), durable, rounds(2))
		id := d.ringing(request("ops"))
		d.at(3 * time.Second)
		if kept := l.kept(t, id).Steps[0].Call.Ending; kept != ending {
			t.Errorf("kept is %+v", kept)
		}
		frozen(l)
		two := d.beside(l, rounds(2), func(s *setting) { s.reaper = r })
		d.at(4 * time.Second)
		d.Fence(errDown)
		dead <- telgate.Call{Outcome: telgate.OutcomeCancelled}
		two.end(id)
		d.rang("0s alice +1…01 main", "3s bob +1…02 main", "1m0s alice +1…01 main")
		synctest.Wait()
		if all := r.seen(); len(all) != 1 || all[0].Ending != ending || all[0].Trunk != "main" || all[0].Signal.SIPCallID != "abc@192.0.2.9" {
			t.Errorf("ended were %+v", all)
		}
		if kept := l.kept(t, id).Steps[0].Call.Ending; kept != (telgate.Ending{}) {
			t.Errorf("still kept is %+v", kept)
		}
	})
}

func TestHowACallIsEndedIsToldToNobody(t *testing.T) {
	in(t, func(t *testing.T) {
		ended := make(chan telgate.Call, 1)
		ended <- telgate.Call{Outcome: telgate.OutcomeNoAnswer}
		d := open(t, []answer{leaves(telgate.Ending{Request: "CANCEL"}, ended)})
		_, events := d.end(d.ringing(request("alice")))
		for _, ev := range events {
			if ev.Kind == telgate.EventInvited {
				t.Errorf("told of %+v", ev)
			}
		}
	})
}
