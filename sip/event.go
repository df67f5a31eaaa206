package sip

import "time"

// Event is something that happened to a leg: [Challenged], [Retargeted], [Amended], [Trying], [Progress], [Answered],
// [Reoffer], [Reanswered], [Digit] or [Ended].
type Event interface{ event() }

// Challenged is a 401 or 407 that was answered: the INVITE was handed to the network once more.
type Challenged struct{}

// Retargeted is a 503 that sent the INVITE to the trunk's next target.
type Retargeted struct{}

// Amended is a 421, 422 or 488 after which the INVITE was changed as it wants and handed to the network once more.
type Amended struct{ Status int }

// Trying is a 100: the next hop has the INVITE.
type Trying struct{}

// Progress is a 101–199.
type Progress struct {
	Status int
	Phrase string
	SDP    []byte // nil if none
	ToTag  string // of the early dialog
	// Diverted says that it went on to somebody else; nil if it says nothing of that. Answered and Ended have it, too.
	Diverted *Diversion
}

// Answered is a 2xx; its ACK has been sent. SDP is that of the 2xx, else of a 18x of the same dialog.
type Answered struct {
	SDP      []byte
	ToTag    string
	Diverted *Diversion
}

// Reoffer is a re-INVITE or UPDATE of the peer. Reply must be called once; nil refuses with 488.
type Reoffer struct {
	SDP   []byte // nil: the peer asks for an offer
	Reply func(answer []byte)
}

// Reanswered is the peer's answer to an offer of ours inside the call: in the ACK of a re-INVITE that asked for one, or in
// the 2xx to a refresh of ours.
type Reanswered struct{ SDP []byte }

// Digit is a key in an INFO of the confirmed dialog.
type Digit struct {
	Digit byte      // '0'–'9', '*', '#', 'A'–'D'
	At    time.Time // when it began: when it came, less how long it says that it was held
}

// Ended is the last event of every leg.
type Ended struct {
	By         EndedBy
	Status     int // of the final response; 200 where the peer answered; 0 if none came
	Phrase     string
	Reason     Reason        // of the final response, or of the peer's BYE
	Contact    string        // user part of the first Contact of a 3xx that can be called
	Diverted   *Diversion    // by the final response
	RetryAfter time.Duration // 0 if absent
	Warning    string
	Server     string // Server or User-Agent of the peer
	Responses  int    // how many came, 100 included
	ToTags     int    // how many dialogs, early ones included
	Err        error  // where no response decided, or where one may mean something else
}

// EndedBy says what ended a leg.
type EndedBy string

// What can end a leg.
const (
	EndedByRefused    EndedBy = "refused"     // a final 3xx–6xx
	EndedByAuth       EndedBy = "auth"        // challenged again after correct credentials, or none to answer with
	EndedByPeerBye    EndedBy = "peer_bye"    // the callee hung up
	EndedByLocalBye   EndedBy = "local_bye"   // we did
	EndedByCancelled  EndedBy = "cancelled"   // a failure after our CANCEL, 487 as a rule
	EndedByLateAnswer EndedBy = "late_answer" // a 2xx after our CANCEL: ACKed, and BYEd
	EndedByTimeout    EndedBy = "timeout"     // no final response
	EndedByExpiry     EndedBy = "expiry"      // nobody refreshed the session (RFC 4028): BYEd
	EndedByGone       EndedBy = "gone"        // the peer does not answer inside the dialog, or knows it no more: BYEd
	EndedByTransport  EndedBy = "transport"   // the connection broke
)

func (Challenged) event() {}
func (Amended) event()    {}
func (Reanswered) event() {}
func (Digit) event()      {}
func (Retargeted) event() {}
func (Trying) event()     {}
func (Progress) event()   {}
func (Answered) event()   {}
func (Reoffer) event()    {}
func (Ended) event()      {}
