//go:build e2e

package testbed

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"telgate/prompts"
)

// telephones is the configuration that rings telephones behind Asterisk.
const telephones = "/etc/telgate/desks.toml"

func TestAHoldStopsTheRecordingAndComingBackStartsItAnew(t *testing.T) {
	t.Parallel()
	library, err := prompts.New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	desk := newDesk(t, "asterisk", "7151", "secret")
	trace := filepath.Join(t.TempDir(), "trace")
	said := telling(t, telephones, "holds", "--trace", trace)
	holds(desk)
	events, exit := said.ends()
	alerts := 0
	for _, e := range events {
		if e.Event == "prompt" && e.Prompt == prompts.NameAlert {
			alerts++
		}
	}
	if ended := last(events); exit != 0 || ended.Outcome != "confirmed" || alerts != 2 {
		t.Errorf("%s, exit %d, after %d alerts; want confirmed, 0, 2", ended.Outcome, exit, alerts)
	}
	traced(t, trace, "sendonly")
	cutShort(t, recorded(t, last(events).SIPCallID), library.PCM(prompts.NameAlert, "en"))
}

// cutShort finds words of the alert twice, the second time before the first alert could have come to its end. It looks for
// quarters of a second: Asterisk's recorder leaves out the hold, and on a busy machine a few packets here and there.
func cutShort(t *testing.T, heard, alert []int16) {
	t.Helper()
	const quarter = 8000 / 4
	for at := 8000; at < 3*8000; at += quarter {
		word := alert[at : at+quarter]
		one, first := find(heard, word)
		rest := slices.Clone(heard)
		clear(rest[one : one+quarter])
		other, second := find(rest, word)
		if apart := max(one, other) - min(one, other); first > 0.9 && second > 0.9 && apart < len(alert) {
			return
		}
	}
	t.Error("nothing of the alert's second and third seconds was heard twice within its length")
}

func TestATransferByTheTelephoneTakesTheCallAlong(t *testing.T) {
	t.Parallel()
	desk := newDesk(t, "asterisk", "7152", "secret")
	said := telling(t, telephones, "hands-on")
	handsOnTo("7142")(desk)
	if events, exit := said.ends(); exit != 0 || last(events).Outcome != "confirmed" {
		t.Errorf("%s, exit %d", last(events).Outcome, exit)
	}
}

func TestTwoTelephonesRingAndTheOtherStops(t *testing.T) {
	t.Parallel()
	desk, other := newDesk(t, "asterisk", "7153", "secret"), newDesk(t, "asterisk", "7154", "secret")
	said := telling(t, telephones, "two-telephones")
	other.Until("CALL_INCOMING")
	pressesOne(desk)
	other.Until("CALL_CLOSED")
	if events, exit := said.ends(); exit != 0 || last(events).Outcome != "confirmed" {
		t.Errorf("%s, exit %d", last(events).Outcome, exit)
	}
}

func TestMediaGoesStraightToTheTelephone(t *testing.T) {
	t.Parallel()
	desk := newDesk(t, "asterisk", "7155", "secret")
	trace := filepath.Join(t.TempDir(), "trace")
	said := telling(t, telephones, "hears-straight", "--trace", trace)
	pressesOne(desk)
	if events, exit := said.ends(); exit != 0 || last(events).Outcome != "confirmed" {
		t.Errorf("%s, exit %d", last(events).Outcome, exit)
	}
	// The telephone and telgate are in one container: an address of ours in what Asterisk offers is the telephone's.
	traced(t, trace, fmt.Sprintf("audio %s:32", ours(t)))
}

// traced finds a text in the ladder of a call.
func traced(t *testing.T, file, want string) {
	t.Helper()
	ladder, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(ladder), want) {
		t.Errorf("no %q in\n%s", want, ladder)
	}
}
