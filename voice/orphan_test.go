package voice

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"telgate"
	"telgate/sip"
)

func TestHowACallIsEndedBySomebodyElseIsToldWheneverThatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, nil)
		for _, x := range []struct {
			request string
			then    sip.Event
		}{{"CANCEL 2", sip.Challenged{}}, {"CANCEL 3", sip.Retargeted{}}, {"CANCEL 4", sip.Amended{Status: 488}}, {"BYE", sip.Answered{SDP: []byte("x")}}} {
			s.leg.ends.Store(&x.request)
			s.signal(x.then)
		}
		s.signal(sip.Ended{By: sip.EndedByPeerBye, Status: 200})
		call := <-s.result
		s.session.timer0()
		want := []string{"CANCEL 1", "CANCEL 2", "CANCEL 3", "CANCEL 4", "BYE"}
		for i, e := range s.endings {
			if i >= len(want) || e != (telgate.Ending{Transport: "udp", Peer: "192.0.2.1:5060", Request: want[i]}) {
				t.Errorf("%d: %+v", i, e)
			}
		}
		if len(s.endings) != len(want) || call.Ending != (telgate.Ending{}) {
			t.Errorf("told %d times; when it was over: %+v", len(s.endings), call.Ending)
		}
	})
}

func TestACallOfADeadGatewayIsEndedOverItsTrunk(t *testing.T) {
	left := telgate.Call{Order: telgate.Order{Trunk: "main"}, Ending: telgate.Ending{Transport: "udp", Peer: "192.0.2.1:5060", Request: "CANCEL"}}
	var sent []sip.Ending
	end := func(_ context.Context, e sip.Ending) (int, error) { sent = append(sent, e); return 481, nil }
	v := New(Config{}, map[string]Line{"main": {End: end}}, time.Now)
	if status, err := v.End(t.Context(), &left); status != 481 || err != nil || len(sent) != 1 || sent[0] != sip.Ending(left.Ending) {
		t.Errorf("%d, %v, sent %+v", status, err, sent)
	}
	left.Trunk = "gone"
	if status, err := v.End(t.Context(), &left); status != 0 || !errors.Is(err, errNoTrunk) {
		t.Errorf("over a trunk that is gone: %d, %v", status, err)
	}
}
