// Package lease keeps a gateway's life among others: it says every moment that it lives, notices when it is taken for
// dead, and takes over what a dead gateway left.
//
// It knows no page and no call. One beat a gateway, however many calls are up.
package lease

import (
	"context"
	"time"
)

// Register is where a gateway says that it lives.
type Register interface {
	// Enter begins the gateway's row. An id is never used twice.
	Enter(ctx context.Context, s Self) error
	// Beat says that the gateway lives. False: its row is gone, others took it for dead.
	Beat(ctx context.Context, id string) (alive bool, err error)
	// Leave takes the row out, after the last page was handed over.
	Leave(ctx context.Context, id string) error
}

// Peers are the others. The register's clock does not matter here: a peer is dead when its Beats stood still for the whole
// TTL of our own clock while our own beats succeeded.
type Peers interface {
	// Peers are all gateways, this one too.
	Peers(ctx context.Context) ([]Peer, error)
	// Bury takes a gateway for dead, if its Beats are still as they were seen: its row is gone, its pages are nobody's, and
	// its calls are lost; their phones and lines are kept until they cannot ring any more. False: it lives, or somebody
	// else did it.
	Bury(ctx context.Context, p Peer) (bool, error)
}

// Self is what a gateway says of itself when it enters.
type Self struct {
	ID      string // one process, from its start to its end
	Name    string // gateway.name
	Version string
	Config  string // digest of the configuration that all gateways should share
}

// Peer is a gateway as another sees it.
type Peer struct {
	Self

	Beats   int64 // one more with every beat
	Started time.Time
}

// Turns are what only one gateway at a time may do, each with a name, such as to register with an account of which the registrar
// keeps one contact.
type Turns interface {
	// Take gives a gateway those among these turns that nobody has, and tells how each stands then. A gateway that leaves, or is
	// buried, has none any more; one that is not entered is given none.
	Take(ctx context.Context, gateway string, names []string) ([]Turn, error)
	// Sign leaves a word with a turn that the gateway has, for whoever has it next.
	Sign(ctx context.Context, gateway, name, word string) error
	// Give makes the gateway's turns nobody's, all of them where none is named.
	Give(ctx context.Context, gateway string, names ...string) error
}

// Turn is one as it stands.
type Turn struct {
	Name    string
	Gateway string        // id of who has it, "" for nobody
	Holder  string        // its gateway.name
	Silent  time.Duration // since its last beat, by the register's clock
	Token   int64         // one more with each change of hands
	Word    string        // of who has it or had it last
}

// Holder does what turns are about. Its methods must not block.
type Holder interface {
	// TurnChanged: look at [Lease.Stand].
	TurnChanged(name string)
	// Word is what whoever has the turn next has to know of us, "" for nothing yet.
	Word(name string) string
}
