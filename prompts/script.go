package prompts

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ScriptOptions say what one call will play.
type ScriptOptions struct {
	Prompt    string   // the recording that asks for the key
	Announce  string   // a recording before it that says who calls, "" = none
	Languages []string // the person's, the gateway's, English: the first that exists
}

// Script is everything one call may play.
type Script struct {
	announce, alert, confirmed, wrongKey *recording
}

// Script chooses the recordings of one call. The error names the one that does not exist.
func (l *Library) Script(o ScriptOptions) (Script, error) {
	var s Script
	for _, want := range []struct {
		name string
		at   **recording
	}{{o.Prompt, &s.alert}, {NameConfirmed, &s.confirmed}, {NameWrongKey, &s.wrongKey}, {o.Announce, &s.announce}} {
		if want.name == "" {
			continue
		}
		if *want.at = l.find(want.name, o.Languages); *want.at == nil {
			return Script{}, l.missing(want.name, o.Languages)
		}
	}
	if s.alert == nil {
		return Script{}, fmt.Errorf("no recording to play is named")
	}
	return s, nil
}

// missing says that a recording is not there at all, or in other languages only.
func (l *Library) missing(name string, languages []string) error {
	have := slices.Sorted(maps.Keys(l.all[name]))
	if len(have) == 0 {
		return fmt.Errorf("there is no recording %q", name)
	}
	return fmt.Errorf("recording %q is there in %s only, not in %s", name, strings.Join(have, ", "), strings.Join(languages, " or "))
}

// Alert is the recording that asks for the key, after the announcement where there is one.
func (s Script) Alert(codec string) Clip {
	if s.announce == nil {
		return s.alert.clip(codec)
	}
	first, then := s.announce.clip(codec), s.alert.clip(codec)
	then.Frames = slices.Concat(first.Frames, then.Frames)
	then.Duration += first.Duration
	then.Speech = first.Speech
	return then
}

// Confirmed is the thanks.
func (s Script) Confirmed(codec string) Clip { return s.confirmed.clip(codec) }

// WrongKey says that a key does nothing.
func (s Script) WrongKey(codec string) Clip { return s.wrongKey.clip(codec) }

func (r *recording) clip(codec string) Clip {
	frames := r.frames[codec]
	return Clip{
		Name: r.info.Name, Language: r.info.Language, Frames: frames,
		Duration: time.Duration(len(frames)) * frameTime, Speech: r.speech,
	}
}
