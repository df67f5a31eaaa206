// Package prompts holds the recordings a call plays: the built-in ones in English and Japanese, and the operator's own.
//
// Recordings are read, brought to one loudness and encoded once per codec when the gateway starts; a call only borrows
// the frames. A [Script] is everything one call may play, chosen before its INVITE. The package synthesises no speech
// and mixes nothing: the built-in recordings were made offline (generate.sh).
package prompts

import (
	"embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// Names of the built-in recordings.
const (
	NameAlert     = "alert"     // attention tone, who calls and why, which key to press
	NameConfirmed = "confirmed" // thanks
	NameWrongKey  = "wrong_key" // that key does nothing
)

//go:embed wav
var builtin embed.FS

// toneLength is the attention tone at the head of the built-in alert; a key pressed during it is early.
const toneLength = 500 * time.Millisecond

// frame is what one packet carries.
const (
	frameTime    = 20 * time.Millisecond
	frameSamples = 160 // at rate
	rate         = 8000
)

// Encoder turns samples at 8000 Hz into a codec's bytes, one a sample.
type Encoder struct {
	Name   string
	Encode func(pcm []int16) []byte
}

// Files are the recordings of one prompt by language; "" is for any language.
type Files map[string]string

// Clip is a recording in one codec. Its frames are shared by all calls and must not be changed.
type Clip struct {
	Name     string
	Language string
	Frames   [][]byte      // 20 ms each
	Duration time.Duration // of all frames
	Speech   time.Duration // where speech begins: after the attention tone
}

// ClipError is one recording that cannot be used.
type ClipError struct {
	Name     string // of the prompt
	Language string
	Path     string
	Err      error
}

// Error names the recording and what is wrong with it.
func (e *ClipError) Error() string {
	return fmt.Sprintf("prompt %s, file %s: %v", e.Name, e.Path, e.Err)
}

// Unwrap gives the cause.
func (e *ClipError) Unwrap() error { return e.Err }

// Info describes a recording for people.
type Info struct {
	Name     string
	Language string // "" = any
	Path     string // "" = built-in
	Duration time.Duration
	Level    float64 // active level as played, dBov
	Warnings []string
}

// recording is one prompt in one language.
type recording struct {
	info   Info
	pcm    []int16 // at 8000 Hz, as played
	speech time.Duration
	frames map[string][][]byte // by codec
}

// Library is every recording, ready to be played. It does not change once made.
type Library struct {
	all map[string]map[string]*recording // name → language
}

// New reads the built-in recordings and the operator's; one of the operator's replaces a built-in of the same name. The
// error joins a [*ClipError] for every recording that cannot be used.
func New(custom map[string]Files, encoders []Encoder) (*Library, error) {
	l := &Library{all: make(map[string]map[string]*recording)}
	var faults []error
	for _, lang := range []string{"en", "ja"} {
		for _, name := range []string{NameAlert, NameConfirmed, NameWrongKey} {
			b, err := builtin.ReadFile("wav/" + lang + "/" + name + ".wav")
			if err == nil {
				err = l.add(name, lang, "", b, encoders)
			}
			if err != nil {
				faults = append(faults, &ClipError{name, lang, "built-in", err})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(custom)) {
		delete(l.all, name)
		for _, lang := range slices.Sorted(maps.Keys(custom[name])) {
			path := custom[name][lang]
			b, err := readFile(path)
			if err == nil {
				err = l.add(name, lang, path, b, encoders)
			}
			if err != nil {
				faults = append(faults, &ClipError{name, lang, path, err})
			}
		}
	}
	return l, errors.Join(faults...)
}

// readFile reads a recording, but never more than one can have.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxBytes {
		return nil, fmt.Errorf("%d bytes, a recording has at most %d", info.Size(), maxBytes)
	}
	return os.ReadFile(path)
}

func (l *Library) add(name, lang, path string, wav []byte, encoders []Encoder) error {
	sound, err := ReadWAV(wav)
	if err != nil {
		return err
	}
	pcm, level, warnings, err := prepare(sound, path == "")
	if err != nil {
		return err
	}
	r := &recording{
		info: Info{
			Name: name, Language: lang, Path: path, Level: level, Warnings: warnings,
			Duration: time.Duration(len(pcm)/frameSamples) * frameTime,
		},
		pcm: pcm, frames: make(map[string][][]byte, len(encoders)),
	}
	if path == "" && name == NameAlert {
		r.speech = toneLength
	}
	for _, e := range encoders {
		r.frames[e.Name] = slices.Collect(slices.Chunk(e.Encode(pcm), frameSamples))
	}
	if l.all[name] == nil {
		l.all[name] = make(map[string]*recording)
	}
	l.all[name][lang] = r
	return nil
}

// List describes every recording, by name and language.
func (l *Library) List() []Info {
	var all []Info
	for _, byLang := range l.all {
		for _, r := range byLang {
			all = append(all, r.info)
		}
	}
	slices.SortFunc(all, func(a, b Info) int {
		return strings.Compare(a.Name+"\x00"+a.Language, b.Name+"\x00"+b.Language)
	})
	return all
}

// PCM is a recording as played, at 8000 Hz, for those who want to know whether they heard it; nil if there is none.
func (l *Library) PCM(name, language string) []int16 {
	if r := l.find(name, []string{language}); r != nil {
		return slices.Clone(r.pcm)
	}
	return nil
}

// find looks for the first of the languages that exists; a recording for any language serves all. "ja-JP" is "ja" where
// there is nothing closer.
func (l *Library) find(name string, languages []string) *recording {
	byLang := l.all[name]
	for _, lang := range languages {
		for tag := strings.ToLower(lang); tag != ""; tag = parent(tag) {
			for have, r := range byLang {
				if strings.EqualFold(have, tag) {
					return r
				}
			}
		}
	}
	return byLang[""]
}

func parent(tag string) string {
	i := strings.LastIndexAny(tag, "-_")
	if i < 0 {
		return ""
	}
	return tag[:i]
}
