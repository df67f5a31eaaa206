package voice

import (
	"time"

	"telgate"
	"telgate/media"
	"telgate/sip"
)

const (
	// toneFor is how long a busy or congestion tone lasts before it is believed.
	toneFor = 3 * time.Second
	// mayRing is how long a tone that began may need until it is known for ringback: North America's is on for 2 s and
	// off for 4, and is known when it comes on again.
	mayRing = 7 * time.Second
)

// early is what is known of a call before the callee speaks: before the answer, and after it on a trunk whose answer
// proves nothing.
type early struct {
	unsupervised bool      // trunk key answer_supervision = "none": a 200 is not yet the callee
	awaiting     bool      // such a 200 came, and the callee did not yet
	speaking     bool      // somebody, meanwhile
	rang         bool      // ringback was heard, and stopped
	notHuman     bool      // after the answer, a tone said that nobody human is there
	mailbox      bool      // the network says that it forwarded the call to one
	tone         time.Time // when a tone began that may become ringback; zero where none did
}

// preview listens to the media of a 18x. What cannot be understood is left alone: the answer may be better.
func (c *call) preview(p *sip.Progress) {
	if len(p.SDP) == 0 {
		return
	}
	if c.out.Audio.Early == telgate.EarlyNone {
		c.out.Audio.Early = telgate.EarlyUnknown
	}
	if c.ev.own == ownNone {
		_ = c.session.Early(p.SDP)
	}
}

// toned takes what the network was heard to say.
func (c *call) toned(t media.Tone) {
	if c.talk != nil {
		c.early.notHuman = c.early.notHuman || !t.Over && unhuman(t.Kind)
		return
	}
	if t.Over {
		c.toneOver(t.Kind)
		return
	}
	c.note(t.Kind)
	c.clock.off(alarmTone)
	switch t.Kind {
	case media.ToneUnknown:
		c.early.tone, c.early.rang = t.At, false
	case media.ToneRingback:
		c.early.rang = false
		c.alerted(telgate.AlertingInband, t.At, 0)
	case media.ToneBusy:
		c.clock.at(alarmTone, t.At.Add(toneFor), func() { c.giveUp(ownBusyTone) })
	case media.ToneCongestion:
		c.clock.at(alarmTone, t.At.Add(toneFor), func() { c.giveUp(ownCongestionTone) })
	case media.ToneSIT: // before the answer the network's own verdict follows, and says more
		c.ev.sit = true
		if c.early.awaiting {
			c.giveUp(ownSIT)
		}
	case media.ToneSpeech:
		if c.early.awaiting {
			c.reach()
		}
	case media.ToneFax:
		if c.early.awaiting {
			c.early.notHuman = true
			c.reach()
		}
	}
}

// toneOver: a tone has stopped. Ringback does when the callee answers.
func (c *call) toneOver(kind media.ToneKind) {
	c.clock.off(alarmTone)
	c.early.tone = time.Time{}
	if kind != media.ToneRingback {
		return
	}
	c.early.rang = true
	if c.early.awaiting {
		c.reach()
	}
}

// mayHaveRung: the call is refused while a tone goes on that may be ringback, and is too short to be known for it or for
// anything else.
func (c *call) mayHaveRung() bool {
	return c.ev.own == ownNone && !c.ev.alerted && c.out.Audio.Early == telgate.EarlyUnknown &&
		!c.early.tone.IsZero() && c.now().Sub(c.early.tone) < mayRing
}

// unhuman tells which sounds no human makes.
func unhuman(k media.ToneKind) bool { return k != media.ToneUnknown && k != media.ToneSpeech }

// note keeps the most telling of what was heard.
func (c *call) note(kind media.ToneKind) {
	heard := telgate.EarlyUnknown
	switch kind {
	case media.ToneRingback:
		heard = telgate.EarlyRingback
	case media.ToneBusy:
		heard = telgate.EarlyBusy
	case media.ToneCongestion:
		heard = telgate.EarlyCongestion
	case media.ToneSIT:
		heard = telgate.EarlySIT
	case media.ToneSpeech:
		heard = telgate.EarlySpeech
	case media.ToneUnknown, media.ToneFax:
	}
	if telling(heard) > telling(c.out.Audio.Early) {
		c.out.Audio.Early = heard
	}
}

// telling ranks early audio: an announcement follows SIT, and may come before ringback.
func telling(e telgate.EarlyAudio) int {
	switch e {
	case telgate.EarlyNone:
		return 0
	case telgate.EarlyUnknown:
		return 1
	case telgate.EarlySpeech:
		return 2
	case telgate.EarlyRingback:
		return 3
	case telgate.EarlyCongestion:
		return 4
	case telgate.EarlyBusy:
		return 5
	case telgate.EarlySIT:
		return 6
	}
	return 0
}

// alerted: the phone rings, since then. From the first sign on, the ring limit takes the place of the setup limit.
func (c *call) alerted(how telgate.Alerting, since time.Time, status int) {
	if how == telgate.AlertingSignalled { // better evidence than a tone
		c.out.Signal.Alerting = how
	}
	if c.ev.alerted {
		return
	}
	c.ev.alerted = true
	c.out.Signal.Alerting = how
	c.out.Times.Alerted = since
	c.state(telgate.CallRinging, telgate.Event{Kind: telgate.EventRinging, Status: status})
	c.clock.off(alarmSetup)
	if c.ev.own == ownNone {
		c.clock.at(alarmRing, since.Add(c.out.Ring), func() { c.giveUp(ownRing) })
	}
}

// setupOver is the setup limit. A tone that may be ringback is heard out: to say "never rang" of a phone that rings would
// be a lie, and a trunk's failure then would ring it again over another.
func (c *call) setupOver() {
	if until := c.early.tone.Add(mayRing); !c.early.tone.IsZero() && until.After(c.now()) {
		c.early.tone = time.Time{}
		c.clock.at(alarmSetup, until, c.setupOver)
		return
	}
	c.giveUp(ownSetup)
}

// giveUp ends a call that nobody answered.
func (c *call) giveUp(why ownEnd) {
	how := sip.Hangup{}
	if c.early.awaiting {
		how.Reason = normalClearing
	}
	c.hangup(why, how)
}

// await is a 200 on a trunk whose gateway answers when it goes off hook: the phone behind it may not even ring yet. Setup
// and ring limits go on. Ringback that had stopped by then was answered.
func (c *call) await() {
	c.early.awaiting, c.ev.unproven = true, true
	c.ev.heard = heardProgress
	c.clock.off(alarmResponse)
	c.session.Listen(true)
	if c.early.rang {
		c.reach()
	}
}

// reach: the callee is there, heard by the end of ringback or by a voice.
func (c *call) reach() {
	c.early.awaiting, c.ev.unproven = false, false
	c.begin()
	c.talk.speaking = c.early.speaking
	c.clock.at(alarmPrompt, c.now().Add(startAfterRTP), c.promptDue)
}

// diverted keeps where the network says that it forwarded the call; the newest word counts.
func (c *call) diverted(d *sip.Diversion) {
	if d == nil {
		return
	}
	c.early.mailbox = d.Mailbox
	if d.To != "" {
		c.out.Signal.DivertedTo = d.To
	}
}
