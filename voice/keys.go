package voice

import (
	"time"

	"telgate"
	"telgate/media"
)

// pressed takes one key press. The confirm key counts only where it began after enough of the spoken recording had been
// sent: pockets and call screening press 1 into silence. An earlier one is kept as a fact, starts the
// recording at once and lets it ask again.
func (c *call) pressed(k media.Key) {
	t := c.talk
	key := telgate.Key{Digit: string(rune(k.Digit)), Via: "rfc4733", After: max(0, k.At.Sub(t.at))}
	if t.held {
		return
	}
	said := t.spoken + t.sentOf(k)
	key.Early = !t.confirmed && said < c.cfg.ConfirmAfter
	c.out.Keys = append(c.out.Keys, key)
	c.tell(telgate.Event{Kind: telgate.EventKey, Key: &key})
	switch {
	case t.confirmed:
	case key.Early:
		if !t.begun {
			c.playAlert()
		}
	case key.Digit == c.cfg.ConfirmKey:
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
