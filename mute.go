package telgate

import "time"

// Mute keeps a person's phones quiet: no page rings them until a moment. It is for the person, not for one request, so force
// does not end it.
type Mute struct {
	Nick  string
	Until time.Time // not in it
	By    string    // who said so: a Slack user id, or "local:NAME"
	At    time.Time
}

// MuteOrder asks for a mute, or for its end.
type MuteOrder struct {
	Asker Actor
	Who   string    // a word; "" = the asker
	When  string    // as written: "until 18:00", "for 2h"
	Until time.Time // in place of When
	End   bool      // it is over
}
