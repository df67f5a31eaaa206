package voice

import (
	"time"

	"telgate"
	"telgate/media"
	"telgate/prompts"
	"telgate/sip"
)

const (
	// Prompt start: at the first silence after the callee's first speech, else startAfterRTP after the later of ACK and
	// first RTP, else startAfterACK; a callee who is still speaking then is waited for until startAtLatest after ACK.
	startAfterRTP = 1200 * time.Millisecond
	startAfterACK = 2 * time.Second
	startAtLatest = 3500 * time.Millisecond
	// soundBy is when a call without a single packet has no sound path.
	soundBy = 4 * time.Second
	// farewellMargin is how long after its length the "confirmed" recording may take to be sent.
	farewellMargin = time.Second
)

// talk is the answered part of a call: what is being said, and what has been heard of it.
type talk struct {
	at        time.Time // ACK
	begun     bool      // the recording has started once
	speaking  bool      // the callee speaks
	held      bool
	confirmed bool
	peerBye   bool
	broken    bool      // the network lost the dialog
	via       KeySource // of the first key

	saying  saying
	playing prompts.Clip
	clip    media.ClipID
	before  time.Duration // of recordings sent, when it began
	spoken  time.Duration // of the alert, speech only, in plays that are over
}

// saying is what is being played.
type saying int

const (
	nothing  saying = iota
	theAlert        // the recording that asks for the key
	sorry           // "wrong key"
	thanks          // "confirmed"
)

// answered starts the audio. An SDP we cannot use ends the call: the peer's phone is off the hook, so it is told at once.
func (c *call) answered(a sip.Answered) {
	c.diverted(a.Diverted)
	err := c.session.Accept(a.SDP)
	if err == nil {
		c.out.Audio.Codec = c.session.Codec().Name
	}
	if err == nil && c.early.unsupervised {
		c.await()
		return
	}
	if err != nil {
		c.pickedUp()
		c.hangup(ownBadAnswer, sip.Hangup{Reason: normalClearing})
		c.out.Signal.Err = "accept the answer: " + err.Error()
		return
	}
	c.begin()
}

// pickedUp ends every limit of ringing.
func (c *call) pickedUp() {
	c.clock.clear()
	c.out.Times.Answered = c.now()
	c.state(telgate.CallAnswered, telgate.Event{Kind: telgate.EventAnswered})
}

// begin: the callee is there. Where listening alone may count, tones are listened for, because they are nobody.
func (c *call) begin() {
	now := c.now()
	c.pickedUp()
	if c.early.mailbox {
		c.tell(telgate.Event{Kind: telgate.EventVoicemail})
	}
	c.session.Listen(c.out.Confirm == telgate.ConfirmAnswer)
	c.talk = &talk{at: now, held: c.held}
	c.clock.at(alarmMax, now.Add(c.cfg.MaxDuration), func() { c.bye() })
	c.clock.at(alarmPrompt, now.Add(startAfterACK), c.promptDue)
}

// heard takes one event of the session.
func (c *call) heard(ev media.Event) {
	if c.ev.own != ownNone {
		return
	}
	if c.talk == nil {
		c.overheard(ev)
		return
	}
	switch ev := ev.(type) {
	case media.Tone:
		c.toned(ev)
	case media.FirstPacket:
		if !c.talk.begun {
			c.clock.at(alarmPrompt, later(c.talk.at, ev.At).Add(startAfterRTP), c.promptDue)
		}
	case media.SpeechBegan:
		c.talk.speaking = true
	case media.SpeechEnded:
		c.talk.speaking = false
		if !c.talk.begun {
			c.playAlert()
		}
	case media.Key:
		c.pressed(ev, KeysRFC4733)
	case media.Played:
		c.played(ev)
	case media.Held:
		c.hold(ev.On)
	}
}

// overheard is what comes before the callee does.
func (c *call) overheard(ev media.Event) {
	switch ev := ev.(type) {
	case media.Tone:
		c.toned(ev)
	case media.Held: // an UPDATE while it rings
		c.held = ev.On
	case media.SpeechBegan:
		c.early.speaking = true
	case media.SpeechEnded:
		c.early.speaking = false
	case media.Key:
		if c.early.awaiting { // a gateway that dials may hear its own tones
			c.tooEarly(ev)
		}
	}
}

// promptDue starts the recording unless somebody is speaking; then the end of that speech does, or patience ends.
func (c *call) promptDue() {
	if c.talk.begun || !c.talk.speaking {
		c.playAlert()
		return
	}
	c.clock.at(alarmPatience, c.talk.at.Add(startAtLatest), c.playAlert)
}

func (c *call) playAlert() {
	c.clock.off(alarmPrompt, alarmPatience)
	c.talk.begun = true
	c.play(theAlert, c.script.Alert(c.out.Audio.Codec))
}

// play replaces what is being said. What was said of an alert until now is kept by the callers, who know how much.
func (c *call) play(what saying, clip prompts.Clip) {
	if c.talk.held {
		return
	}
	c.talk.saying, c.talk.playing = what, clip
	c.talk.before = c.session.Stats().PromptSent
	c.talk.clip = c.session.Play(clip.Frames)
	c.tell(telgate.Event{Kind: telgate.EventPrompt, Clip: clip.Name})
}

// played: a recording came to its end.
func (c *call) played(p media.Played) {
	if p.Clip != c.talk.clip {
		return
	}
	switch said := c.talk.saying; said {
	case thanks:
		c.bye()
	case sorry:
		c.playAlert()
	case theAlert:
		c.talk.spoken += c.talk.playing.Duration - c.talk.playing.Speech
		c.talk.saying = nothing
		c.clock.at(alarmPrompt, c.now().Add(c.cfg.RepeatPause), c.promptDue)
	case nothing:
	}
}

// hold: the callee put us on hold (RFC 3264 8.4). Nothing is said to music on hold; back again, it is said anew.
func (c *call) hold(on bool) {
	c.talk.held = on
	if on {
		c.clock.off(alarmPrompt, alarmPatience)
		c.talk.saying = nothing
		c.talk.clip = c.session.Play(nil)
		return
	}
	if c.talk.confirmed {
		c.bye() // the thanks was cut short, the alert would ask again
		return
	}
	c.playAlert()
}

// reanswered takes the callee's answer to an offer inside the call; one that cannot be used leaves nothing to talk over.
func (c *call) reanswered(a sip.Reanswered) {
	if c.talk == nil || c.ev.own != ownNone {
		return
	}
	if err := c.session.Accept(a.SDP); err != nil {
		c.out.Signal.Err = "accept the answer to a further offer: " + err.Error()
		c.bye()
	}
}

// bye ends an answered call from our side; what was reached by then stands.
func (c *call) bye() {
	if c.leg == nil || c.ev.own != ownNone {
		return
	}
	c.clock.clear()
	c.clock.at(alarmGone, c.now().Add(goneAfter), func() { c.over = true })
	c.leg.Hangup(sip.Hangup{Reason: normalClearing})
}

// judgeTalk gives the verdict on an answered call.
func (c *call) judgeTalk() verdict {
	stats, t := c.session.Stats(), c.talk
	answered := func(d telgate.Detail) verdict { return verdict{telgate.OutcomeAnswered, d, telgate.ScopeNone} }
	listened := stats.PromptSent >= c.cfg.AnswerMin && stats.Received > 0
	switch {
	case t.confirmed:
		return verdict{telgate.OutcomeConfirmed, telgate.DetailNone, telgate.ScopeNone}
	case c.ev.own == ownStop:
		return verdict{telgate.OutcomeCancelled, telgate.DetailNone, telgate.ScopeNone}
	case c.early.mailbox:
		return verdict{telgate.OutcomeVoicemail, telgate.DetailDiversion, telgate.ScopeNone}
	case c.early.notHuman:
		return answered(telgate.DetailNotHuman)
	case c.out.Confirm == telgate.ConfirmAnswer && c.cfg.AcceptUnknown && listened:
		return answered(telgate.DetailListened)
	case stats.Received == 0 && c.now().Sub(t.at) >= soundBy && !c.session.Reported():
		return answered(telgate.DetailNoAudio)
	case t.held:
		return answered(telgate.DetailHeld)
	case t.broken:
		return answered(telgate.DetailEndedByNetwork)
	case t.peerBye && t.spoken == 0 && stats.PromptSent < c.cfg.ConfirmAfter:
		return answered(telgate.DetailHungUpEarly)
	case t.peerBye:
		return answered(telgate.DetailHungUp)
	}
	return answered(telgate.DetailNoKey)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
