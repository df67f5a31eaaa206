package main

import (
	"testing"
	"time"

	"telgate"
)

func TestALineOfAnEventSaysOnlyWhatIsKnownOfAStep(t *testing.T) {
	at := time.Date(2026, 1, 31, 21, 0, 0, 0, time.UTC)
	for want, ev := range map[string]telgate.Event{
		"waiting for a line of trunk main, until 21:00:00 UTC": { // of another gateway's page
			Kind: telgate.EventWaitingForLine, Until: at, Order: &telgate.Order{Page: "p1", Trunk: "main"},
		},
		"bob: called back, which confirms nothing": {
			Kind: telgate.EventCalledBack, Order: &telgate.Order{Page: "p1", Person: "bob"},
		},
		"bob sip:7113@main: ringing": {
			Kind: telgate.EventRinging, Order: &telgate.Order{Page: "p1", Person: "bob", Number: telgate.Number{Extension: "7113", Trunk: "main"}},
		},
	} {
		if got := (&view{}).line(ev); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
