package voice

import (
	"time"

	"telgate"
	"telgate/media"
	"telgate/sip"
)

// pressed takes one key press. The confirm key counts only where it began after enough of the spoken recording had been
// sent: pockets and call screening press 1 into silence. An earlier one is kept as a fact, starts the
// recording at once and lets it ask again. A gateway that sends each key in two ways means it once: the source of the
// call's first key is the only one from then on.
func (c *call) pressed(k media.Key, via KeySource) {
	t := c.talk
	key := telgate.Key{Digit: string(rune(k.Digit)), Via: string(via), After: max(0, k.At.Sub(t.at))}
	if t.held || !c.keys.admits(via) || t.via != "" && t.via != via {
		return
	}
	t.via = via
	said := t.spoken + t.sentOf(k)
	key.Early = !t.confirmed && said < c.cfg.ConfirmAfter
	key.Confirms = !t.confirmed && !key.Early && key.Digit == c.cfg.ConfirmKey
	c.out.Keys = append(c.out.Keys, key)
	c.tell(telgate.Event{Kind: telgate.EventKey, Key: &key})
	switch {
	case t.confirmed:
	case key.Early:
		if !t.begun {
			c.playAlert()
		}
	case key.Confirms:
		c.confirm()
	case key.Digit == c.cfg.RepeatKey && c.cfg.RepeatKey != "":
		t.spoken = said
		c.playAlert()
	default:
		t.spoken = said
		c.clock.off(alarmPrompt, alarmPatience)
		c.play(sorry, c.script.WrongKey(c.out.Audio.Codec))
	}
}

// informed takes a key that came by signalling.
func (c *call) informed(d sip.Digit) {
	if c.talk == nil || c.ev.own != ownNone {
		return
	}
	sent := c.session.Stats().PromptSent - c.talk.before - max(0, c.now().Sub(d.At))
	c.pressed(media.Key{Digit: d.Digit, At: d.At, Clip: c.talk.clip, ClipSent: max(0, sent)}, KeysInfo)
}

func (s KeySource) admits(via KeySource) bool { return s == "" || s == KeysAuto || s == via }

// tooEarly keeps a key that came before the callee did.
func (c *call) tooEarly(k media.Key) {
	key := telgate.Key{Digit: string(rune(k.Digit)), Via: string(KeysRFC4733), Early: true}
	c.out.Keys = append(c.out.Keys, key)
	c.tell(telgate.Event{Kind: telgate.EventKey, Key: &key})
}

// sentOf is how much of the alert now playing had been spoken when the key began; its attention tone does not count.
func (t *talk) sentOf(k media.Key) time.Duration {
	if k.Clip != t.clip || t.saying != theAlert {
		return 0
	}
	return max(0, k.ClipSent-t.playing.Speech)
}

// confirm says thanks and hangs up when it was said. From here on nothing changes the outcome.
func (c *call) confirm() {
	c.talk.confirmed = true
	c.clock.clear()
	clip := c.script.Confirmed(c.out.Audio.Codec)
	c.play(thanks, clip)
	c.clock.at(alarmFarewell, c.now().Add(clip.Duration+farewellMargin), c.bye)
}
