//go:build e2e

// Package testbed holds the stories that are told against real peers: Asterisk 22 in docker-compose. Each runs the real
// telgate binary and looks at what it said, how it exited, and what Asterisk heard.
package testbed

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"telgate/prompts"
)

// story is one row of the table: whom to call, and what must come of it.
type story struct {
	who     string
	outcome string
	exit    int
	heard   bool   // Asterisk's recording holds the alert from its first word
	early   bool   // the last key is preceded by one that came too early
	card    string // what the card says in the end
	network string // how it was known that it rang, and what was heard before the callee: "inband ringback", "" = not looked at
}

func stories() []story {
	return []story{
		{"presses-1", "confirmed", 0, true, false, "Confirmed", ""},
		{"presses-1-over-tcp", "confirmed", 0, true, false, "Confirmed", ""},
		{"presses-1-over-tls", "confirmed", 0, true, false, "Confirmed", ""},
		{"transfers-then-1", "confirmed", 0, false, false, "Confirmed", ""},
		{"two-phones", "confirmed", 0, false, false, "Confirmed", ""},
		{"wrong-key-then-1", "confirmed", 0, true, false, "Confirmed", ""},
		{"early-and-again", "confirmed", 0, true, true, "Confirmed", ""},
		{"too-early-only", "answered", 3, true, true, "nobody confirmed", ""},
		{"stays-silent", "answered", 3, true, false, "nobody confirmed", ""},
		{"mailbox", "answered", 3, false, false, "nobody confirmed", ""},
		{"rings-for-ever", "no_answer", 3, false, false, "no answer after 5 s", "signalled none"},
		{"gives-up", "no_answer", 3, false, false, "no answer after", ""},
		{"network-fault", "no_answer", 3, false, false, "no answer after", ""},
		{"busy", "busy", 3, false, false, "busy", ""},
		{"declines", "declined", 3, false, false, "declined", ""},
		{"does-not-exist", "invalid_number", 3, false, false, "this number does not exist", ""},
		{"announced-404", "invalid_number", 3, false, false, "this number does not exist", "none speech"},
		{"announced-for-ever", "unreachable", 3, false, false, "unreachable, the phone never rang", "none speech"},
		{"ringback-only", "no_answer", 3, false, false, "no answer after", "inband ringback"},
		{"busy-tone", "busy", 3, false, false, "busy", "none busy"},
		{"congestion-tone", "unreachable", 3, false, false, "unreachable, the phone never rang", "none congestion"},
		{"special-information", "unreachable", 3, false, false, "unreachable, the phone never rang", "none sit"},
		{"off-hook-then-1", "confirmed", 0, false, false, "Confirmed", "inband ringback"},
		{"off-hook-rings", "no_answer", 3, false, false, "no answer after", "inband ringback"},
		{"off-hook-busy", "busy", 3, false, false, "busy", "none busy"},
		{"moved", "redirected", 3, false, false, "redirected to", ""},
		{"congestion", "trunk_failed", 4, false, false, "trunk main failed", ""},
		{"wrong-password", "trunk_failed", 4, false, false, "refuses our password", ""},
		{"nothing-listens", "trunk_failed", 4, false, false, "trunk nobody", ""},
	}
}

// standing is what the card's state line says for each exit status.
func standing(exit int) string {
	return map[int]string{0: "Confirmed", 3: "Nobody was reached", 4: "Failed"}[exit]
}

// event is what the stories read of telgate's JSON.
type event struct {
	Event     string `json:"event"`
	Outcome   string `json:"outcome"`
	Detail    string `json:"detail"`
	Status    int    `json:"sip_status"`
	Q850      int    `json:"q850"`
	Result    string `json:"result"`
	SIPCallID string `json:"sip_call_id"`
	KeyEarly  bool   `json:"key_early"`
	Prompt    string `json:"prompt"`
	Alerting  string `json:"alerting"`
	Early     string `json:"early_audio"`
}

func TestTelgateCallTellsTheTruthAboutWhatAsteriskDoes(t *testing.T) {
	library, err := prompts.New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	alert := library.PCM(prompts.NameAlert, "en")
	for _, s := range stories() {
		t.Run(s.who, func(t *testing.T) {
			t.Parallel()
			events, exit := call(t, s.who)
			ended, early := event{}, false
			for _, e := range events {
				early = early || e.KeyEarly
				if e.Event == "call_ended" {
					ended = e
				}
			}
			if ended.Outcome != s.outcome || exit != s.exit || early != s.early {
				t.Errorf("outcome %q, exit %d, early key %v; want %q, %d, %v", ended.Outcome, exit, early, s.outcome, s.exit, s.early)
			}
			if len(events) == 0 || events[len(events)-1].Event != "page_ended" {
				t.Error("the last event is not page_ended")
			}
			if network := ended.Alerting + " " + ended.Early; s.network != "" && network != s.network {
				t.Errorf("alerting and early audio: %q, want %q", network, s.network)
			}
			if s.heard {
				heard(t, ended.SIPCallID, alert)
			}
		})
	}
}

func TestACallOutlivesHalfOfAForcedSession(t *testing.T) {
	t.Parallel()
	events, exit := callWith(t, "/etc/telgate/patient.toml", "listens-for-a-minute")
	if exit != 0 {
		t.Errorf("exit %d: %+v", exit, events)
	}
}

func TestATrunkRegistersAtAsterisk(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "telgate", "--config", "/etc/telgate/registers.toml", "--json", "trunks")
	out, err := cmd.Output()
	if err != nil || !bytes.Contains(out, []byte(`"registered":true`)) {
		t.Errorf("%v: %s", err, out)
	}
}

// call runs the binary as an operator would.
func call(t *testing.T, who string) (events []event, exit int) {
	t.Helper()
	return callWith(t, "/etc/telgate/config.toml", who)
}

func callWith(t *testing.T, config, who string, more ...string) (events []event, exit int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "telgate", slices.Concat([]string{"--config", config, "--json", "call", "--direct"}, more, []string{who})...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Error(err)
		return nil, -1
	}
	lines := bufio.NewScanner(&stdout)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Errorf("%q is no event: %v", lines.Text(), err)
		}
		events = append(events, e)
	}
	if t.Failed() || len(events) == 0 {
		t.Logf("telgate said: %s", stderr.String())
	}
	return events, cmd.ProcessState.ExitCode()
}

// heard finds the alert in what Asterisk recorded of the gateway: each second of it, from the first word on, at its place.
func heard(t *testing.T, callID string, alert []int16) {
	t.Helper()
	pcm := recorded(t, callID)
	offset, score := find(pcm, alert[:8000])
	if score < 0.9 {
		t.Fatalf("the first second of the alert is not in the recording of %s: best correlation %.2f", callID, score)
	}
	for second := 1; (second+1)*8000 <= 4*8000; second++ {
		at := offset + second*8000
		if at+8000 > len(pcm) {
			break
		}
		if s := correlation(pcm[at:at+8000], alert[second*8000:(second+1)*8000]); s < 0.8 {
			t.Errorf("second %d of the alert was heard with a correlation of %.2f", second+1, s)
		}
	}
}

// recorded is what Asterisk heard of a call.
func recorded(t *testing.T, callID string) []int16 {
	t.Helper()
	sound, err := recording(filepath.Join("/recordings", callID+".heard.wav"))
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, len(sound.Samples))
	for i, v := range sound.Samples {
		pcm[i] = int16(v * 32767)
	}
	return pcm
}

// recording waits until Asterisk has closed the file: its mixer writes the header last.
func recording(path string) (prompts.Sound, error) {
	deadline := time.Now().Add(15 * time.Second)
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	var last error
	for time.Now().Before(deadline) {
		b, err := os.ReadFile(path)
		if err == nil {
			var s prompts.Sound
			if s, err = prompts.ReadWAV(b); err == nil && len(s.Samples) > 8000 {
				return s, nil
			}
		}
		last = err
		<-tick.C
	}
	return prompts.Sound{}, fmt.Errorf("no recording %s: %w", path, last)
}
