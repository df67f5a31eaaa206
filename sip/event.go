package sip

import "time"

// Event is something that happened to a leg: [Challenged], [Trying], [Progress], [Answered], [Reoffer] or [Ended].
type Event interface{ event() }

// Challenged is a 401 or 407 that was answered: the INVITE was handed to the network once more.
type Challenged struct{}

// Trying is a 100: the next hop has the INVITE.
type Trying struct{}

// Progress is a 101–199.
type Progress struct {
	Status int
	Phrase string
	SDP    []byte // nil if none
	ToTag  string // of the early dialog
}

// Answered is a 2xx; its ACK has been sent. SDP is that of the 2xx, else of a 18x of the same dialog.
type Answered struct {
	SDP   []byte
	ToTag string
}

// Reoffer is a re-INVITE or UPDATE of the peer. Reply must be called once; nil refuses with 488.
type Reoffer struct {
	SDP   []byte // nil: the peer asks for an offer
	Reply func(answer []byte)
}

// Ended is the last event of every leg.
type Ended struct {
	By         EndedBy
	Status     int // of the final response; 200 where the peer answered; 0 if none came
	Phrase     string
	Reason     Reason        // of the final response, or of the peer's BYE
	Contact    string        // user part of the first Contact of a 3xx that can be called
	RetryAfter time.Duration // 0 if absent
	Warning    string
	Server     string // Server or User-Agent of the peer
	Responses  int    // how many came, 100 included
	ToTags     int    // how many dialogs, early ones included
	Err        error  // where no response decided
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
	EndedByTransport  EndedBy = "transport"   // the connection broke
)

func (Challenged) event() {}
func (Trying) event()     {}
func (Progress) event()   {}
func (Answered) event()   {}
func (Reoffer) event()    {}
func (Ended) event()      {}
