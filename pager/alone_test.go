package pager_test

import (
	"testing"
	"time"

	"telgate"
)

func TestAGatewayWithoutANameKeepsItsPages(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{confirms(5 * time.Second)}, func(s *setting) { s.gateway = "" })
		page, _ := d.end(d.submit(request("alice")))
		if page.Result != telgate.Confirmed {
			t.Errorf("it was taken over from itself: %s", page.Result)
		}
	})
}
