package telgate

import "time"

// OnCall is how a rota stands at one moment.
type OnCall struct {
	Rota     string
	TimeZone string    // of its hand-overs
	People   []Person  // who is called now, in order; nobody in a gap without a fallback
	Fallback bool      // nobody has a turn now: People are whom the rota names for that case
	Until    time.Time // when that changes; zero: not as far as is known
	Next     []Person  // who follows
	Covers   []Cover   // that are in force now
}

// Cover is somebody's standing in for somebody else in rotas. It changes nothing where the other is called by name.
type Cover struct {
	ID    string
	For   string // nickname of the person whose turns they are, or of a rota: whoever has its turn
	By    string // nickname of the one who takes them
	From  time.Time
	Until time.Time // not in it; moved back where the cover was ended early
	Asker string    // who arranged it: Slack user id, or "local:NAME"
	Asked time.Time
}

// At tells whether the cover is in force.
func (c Cover) At(t time.Time) bool { return !t.Before(c.From) && t.Before(c.Until) }

// CoverOrder asks for a cover, or for its end.
type CoverOrder struct {
	Asker Actor
	For   string // a word: whose turns
	By    string // a word: who takes them; "" = the asker
	When  string // as written: "until 18:00", "for 2h", "from 20:00 until 22:00"
}

// SourceState is how a list of people that lives elsewhere stands.
type SourceState struct {
	Of      string    // what it fills: "rotas.ops"
	From    string    // where it is, without what may be a password in its address
	Fetched time.Time // when what we have was last seen to be true; zero: we have nothing
	Stale   bool      // that is too long ago
	Problem string    // why it could not be read last time, "" if it could
	Notes   []string  // what of it could not be used
}

// RotaFault is a time in which a rota has nobody, or several people whose shifts overlap.
type RotaFault struct {
	Rota        string
	People      []string // nobody: a gap
	From, Until time.Time
}
