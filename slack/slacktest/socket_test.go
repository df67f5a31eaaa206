package slacktest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"telgate/slack/slacktest"
)

func TestTheAddressOfAConnectionWorksOnceAndNotForLong(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	refused := func(url string) {
		t.Helper()
		_, resp, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
		if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("dialled: %v", err)
		}
	}
	url := o.ticket()
	if !strings.HasPrefix(url, "ws://"+strings.TrimPrefix(strings.TrimSuffix(o.APIURL(), "/api/"), "http://")+"/link?") {
		t.Errorf("address %s", url)
	}
	conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	defer func() { _ = conn.Close() }()
	refused(url)
	refused(url[:strings.Index(url, "=")+1] + "guess")
	late := o.ticket()
	o.clock.forward(time.Minute)
	refused(late)
}

func TestHelloCountsConnectionsAndTheEleventhIsTurnedAway(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for n := 1; n <= 10; n++ {
		_, hello := o.connect()
		if hello.Type != "hello" || hello.Count != n {
			t.Fatalf("greeting %d: %+v", n, hello)
		}
	}
	l, f := o.connect()
	if f.Type != "disconnect" || f.Reason != "too_many_websockets" {
		t.Errorf("%+v", f)
	}
	if _, _, err := l.ReadMessage(); err == nil || o.Sockets() != 10 {
		t.Errorf("%d connections, %v", o.Sockets(), err)
	}
}

func TestTheServerPings(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l, _ := o.connect()
	pinged := make(chan struct{}, 1)
	l.SetPingHandler(func(string) error {
		select {
		case pinged <- struct{}{}:
		default:
		}
		return nil
	})
	if err := o.SendRaw(`{"type":"noise"}`); err != nil {
		t.Fatal(err)
	}
	id, err := o.SendEnvelope("noise", "")
	if err != nil {
		t.Fatal(err)
	}
	for l.next().ID != id { // reading handles pings too
	}
	_ = l.SetReadDeadline(time.Now().Add(5 * time.Second))
	for {
		select {
		case <-pinged:
			return
		default:
		}
		if _, _, err := l.ReadMessage(); err != nil {
			t.Fatal("no ping")
		}
	}
}

func TestAPayloadGoesToAnyOneConnection(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(c *slacktest.Config) { c.Rand = rand.New(rand.NewPCG(7, 7)) })
	a, _ := o.connect()
	b, _ := o.connect()
	got := make(chan int, 40)
	for i, l := range []*link{a, b} {
		go func() {
			for {
				var f frame
				if l.ReadJSON(&f) != nil {
					return
				}
				got <- i
			}
		}()
	}
	for range 40 {
		if _, err := o.SendEnvelope("events_api", `{}`); err != nil {
			t.Fatal(err)
		}
	}
	var count [2]int
	for range 40 {
		count[<-got]++
	}
	if count[0] < 5 || count[1] < 5 {
		t.Errorf("a pattern: %v", count)
	}
}

func TestOnlyAnAckOnTheSameConnectionAndBelow20480BytesCounts(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	a, _ := o.connect()
	id, err := o.SendEnvelope("events_api", `{}`)
	if err != nil || a.next().ID != id {
		t.Fatal(err)
	}
	b, _ := o.connect()
	b.acknowledge(id, "")
	fits := `{"envelope_id":"` + id + `","payload":{"text":"%s"}}`
	room := 20480 - len(fmt.Sprintf(fits, ""))
	a.write(fmt.Sprintf(fits, strings.Repeat("x", room)))
	a.write(`not an acknowledgement`)
	a.fence()
	b.fence()
	if o.Acked(id) {
		t.Fatal("counted an acknowledgement that Slack may not take")
	}
	a.write(fmt.Sprintf(fits, strings.Repeat("x", room-1)))
	o.wait(func() bool { return o.Acked(id) })
}

func TestARefreshedConnectionIsClosedAfterASecondAndGetsNothingMore(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	old, _ := o.connect()
	o.Refresh()
	if f := old.next(); f.Type != "disconnect" || f.Reason != "refresh_requested" {
		t.Fatalf("%+v", f)
	}
	if _, err := o.SendEnvelope("events_api", `{}`); !errors.Is(err, slacktest.ErrDispatch) {
		t.Errorf("want no connection, got %v", err)
	}
	if _, _, err := old.ReadMessage(); err == nil {
		t.Error("still open")
	}
	o.wait(func() bool { return o.Sockets() == 0 })
}

func TestDisconnectIsOnlyAWordAndDropIsWithoutOne(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	l, _ := o.connect()
	o.Disconnect("warning")
	if f := l.next(); f.Reason != "warning" || o.Sockets() != 1 {
		t.Errorf("%+v, %d connections", f, o.Sockets())
	}
	o.Drop()
	if _, _, err := l.ReadMessage(); err == nil || websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("closed politely: %v", err)
	}
	o.wait(func() bool { return o.Sockets() == 0 })
}

func TestOpeningIsLimited(t *testing.T) {
	t.Parallel()
	for rate, strict := range map[int]bool{20: false, 1: true} {
		o := newOffice(t, func(c *slacktest.Config) { c.StrictOpen = strict })
		for range rate {
			o.ticket()
		}
		r := o.want(o.askAs("xapp-test-app", "apps.connections.open"), "ratelimited")
		if r.Header.Get("Retry-After") != "60" {
			t.Errorf("Retry-After %q", r.Header.Get("Retry-After"))
		}
	}
}
