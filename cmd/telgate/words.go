package main

import (
	"cmp"
	"fmt"
	"time"

	"telgate"
)

// outcomeWords says how a call ended, in words an engineer woken at night understands.
func outcomeWords(c telgate.Call) string {
	s := outcomeName(c)
	if c.Forward != "" && c.Outcome != telgate.OutcomeRedirected {
		s += ", forwarded to " + c.RedirectedTo()
	}
	if c.Signal.Status >= 300 {
		s += fmt.Sprintf(" (%d %s", c.Signal.Status, telgate.MaskedWire(c.Signal.Phrase))
		if c.Signal.Q850 != 0 {
			s += fmt.Sprintf(", Q.850 %d", c.Signal.Q850)
		}
		if c.Outcome == telgate.OutcomeTrunkFailed && c.Detail == telgate.DetailStatus && c.Signal.Err != "" { // what else it may mean
			s += ": " + c.Signal.Err
		}
		s += ")"
	} else if c.Signal.Err != "" {
		s += " (" + c.Signal.Err + ")"
	}
	return s
}

func outcomeName(c telgate.Call) string {
	switch c.Outcome {
	case telgate.OutcomeConfirmed:
		return "CONFIRMED by key"
	case telgate.OutcomeAnswered:
		return answeredWords(c)
	case telgate.OutcomeVoicemail:
		if c.Detail == telgate.DetailDiversion {
			return "forwarded to a mailbox"
		}
		return "a voicemail answered"
	case telgate.OutcomeNoAnswer:
		return fmt.Sprintf("no answer after %d s of ringing", int(c.Times.RingFor().Round(time.Second).Seconds()))
	case telgate.OutcomeBusy:
		return "busy"
	case telgate.OutcomeDeclined:
		return "declined"
	case telgate.OutcomeUnreachable:
		return unreachableWords(c)
	case telgate.OutcomeBlocked:
		return blockedWords(c)
	case telgate.OutcomeRedirected:
		return redirectedWords(c)
	case telgate.OutcomeInvalidNumber:
		return "the number does not exist"
	case telgate.OutcomeTrunkFailed:
		return trunkWords(c)
	case telgate.OutcomeCancelled:
		return "hung up by us"
	case telgate.OutcomeLost:
		return "lost: it may have rung"
	}
	return string(c.Outcome)
}

func answeredWords(c telgate.Call) string {
	talk := int(c.Times.TalkFor().Round(time.Second).Seconds())
	switch c.Detail {
	case telgate.DetailNoAudio:
		return unheardWords(c, talk)
	case telgate.DetailLateAnswer:
		return "answered at the moment we gave up; hung up"
	case telgate.DetailListened:
		return fmt.Sprintf("answered and listened, %d s", talk)
	case telgate.DetailHungUpEarly:
		return "answered, hung up before the message was heard"
	case telgate.DetailHeld:
		return "answered, and put us on hold"
	case telgate.DetailNotHuman:
		return "connected, but only tones were heard, nobody human"
	default:
		return fmt.Sprintf("connected %d s, nobody confirmed (%d s of the recording were sent)", talk, int(c.Audio.Prompt.Seconds()))
	}
}

// unheardWords says why nobody was heard: nothing came, or what came could not be listened to.
func unheardWords(c telgate.Call, talk int) string {
	came := fmt.Sprintf("answered, but none of the %d packets of sound that came in %d s could be listened to", c.Audio.RTP.Rejected, talk)
	switch c.Audio.RTP.RejectedFor {
	case telgate.RejectedSource:
		return came + ": they are from another address than the SDP names, see media.latch"
	case telgate.RejectedPayload:
		return came + ": their payload type was not agreed on, see codecs of the trunk"
	case telgate.RejectedKey:
		return came + ": they are not under the key that was agreed on, see srtp of the trunk"
	}
	return fmt.Sprintf("answered, but no sound came from the phone in %d s", talk)
}

func unreachableWords(c telgate.Call) string {
	switch c.Detail {
	case telgate.DetailCongestionTone:
		return "unreachable: the network plays a congestion tone"
	case telgate.DetailSIT:
		return "unreachable: the network announces that it cannot be reached"
	default:
		return "unreachable: the network never made it ring"
	}
}

func trunkWords(c telgate.Call) string {
	switch c.Detail {
	case telgate.DetailCredentials:
		return "trunk " + c.Trunk + " refuses our user or password"
	case telgate.DetailNotRegistered:
		return "trunk " + c.Trunk + " does not let us register"
	case telgate.DetailNoResponse:
		return "trunk " + c.Trunk + " does not answer"
	case telgate.DetailNoFinal:
		return "trunk " + c.Trunk + " took the call and went silent"
	case telgate.DetailTransport:
		return "trunk " + c.Trunk + " cannot be reached"
	case telgate.DetailUnusableAnswer:
		return "answered with audio we cannot speak; hung up"
	case telgate.DetailLocalMedia:
		return "no audio port is free here, see media.ports"
	default:
		return "trunk " + c.Trunk + " failed"
	}
}

func skipWords(r telgate.SkipReason) string {
	switch r {
	case telgate.SkipLimit:
		return "called too often in the last hour"
	case telgate.SkipForbidden:
		return "an emergency, short or premium number, or one outside limits.prefixes_allowed"
	case telgate.SkipResting:
		return "it may still be ringing from a call that was cut off"
	case telgate.SkipNoLine:
		return "no trunk carries it, or all lines are in use"
	case telgate.SkipMuted:
		return "muted: whose phone it is does not want to be called now"
	case telgate.SkipPaused:
		return "calling was paused"
	case telgate.SkipEnded, telgate.SkipNone:
	}
	return "the page ended first"
}

func resultWords(r telgate.Result, people []telgate.Target) string {
	for _, t := range people {
		if t.Result.Reached() && r.Reached() {
			return fmt.Sprintf("%s by %s (%s, %s)", r, t.Name, t.Via, t.By)
		}
	}
	switch r {
	case telgate.Failed:
		return "failed: no call got beyond our trunks (telgate trunks says more)"
	case telgate.NotReached:
		return "nobody was reached"
	case telgate.Cancelled:
		return "cancelled"
	case telgate.Confirmed, telgate.Answered, telgate.Partial:
	}
	return string(r)
}

// blockedWords names what is wrong with our caller id, as far as the status tells.
func blockedWords(c telgate.Call) string {
	switch c.Signal.Status {
	case 433:
		return "blocked: withheld numbers are not accepted (privacy, caller_prefix)"
	case 428, 436, 437, 438:
		return "blocked: our caller id is not proved (STIR: ask the carrier)"
	case 603, 608:
		return "blocked: our caller id is taken for a robocaller's"
	}
	return "blocked: our caller id is rejected"
}

func redirectedWords(c telgate.Call) string {
	if c.Forward != "" && c.Signal.RedirectTo == "" {
		return "forwarded to " + c.RedirectedTo() + ", which could not be reached"
	}
	return "redirected to " + cmp.Or(c.RedirectedTo(), "another number") + ", " + cmp.Or(c.Signal.Err, "not followed")
}
