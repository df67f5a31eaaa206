package plan

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"telgate"
)

// stored is a plan with everything that is kept of one, in the middle of its second round.
func stored() (Plan, Progress) {
	p := Build([]telgate.Person{
		{
			Nick: "alice", Name: "Alice", Slack: "U1", Language: "ja", TimeZone: "Asia/Tokyo", Confirm: telgate.ConfirmAnswer,
			Numbers: []telgate.Number{
				{E164: "+12025550101", Country: "1", Label: "mobile", Ring: 7 * time.Second},
				{Extension: "7100", Trunk: "pbx"},
			},
		},
		{Nick: "bob", Numbers: []telgate.Number{{Extension: "7100", Trunk: "pbx"}, {E164: "+12025550102", Country: "1"}}},
	}, Policy{Ring: 25 * time.Second, Rounds: 3, Pause: 20 * time.Second, PageLimit: 30 * time.Minute, BusyRetry: 1500 * time.Millisecond, BusyMax: 2})
	now := time.Date(2026, 3, 1, 12, 0, 0, 250_000_000, time.UTC)
	s := Progress{Began: now}
	s.begin()
	s.begin()
	s.next = 2
	p.Note(&s, &p.Entries[0], telgate.OutcomeBusy, now)
	p.Lost(&s, &p.Entries[1], now.Add(time.Minute))
	p.Note(&s, &p.Entries[2], telgate.OutcomeInvalidNumber, now)
	return p, s
}

// TestAPlanIsStoredAsItWasBefore compares with testdata/plan.golden: pages that are stored must be readable by the version
// after and the one before. TELGATE_UPDATE_GOLDEN writes it.
func TestAPlanIsStoredAsItWasBefore(t *testing.T) {
	const name = "testdata/plan.golden"
	p, s := stored()
	got := append(append(p.Encode(), '\n'), append(p.EncodeProgress(&s), '\n')...)
	if os.Getenv("TELGATE_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(name, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("stored as\n%s\nand before as\n%s", got, want)
	}
}

func TestAPlanThatWasStoredIsTheSame(t *testing.T) {
	p, s := stored()
	q, err := Decode(p.Encode())
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Entries { // of people what a call needs is kept
		p.Entries[i].Person.Numbers = nil
	}
	if !reflect.DeepEqual(p, q) {
		t.Errorf("%+v became %+v", p, q)
	}
	u, err := q.DecodeProgress(p.EncodeProgress(&s))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s, u) {
		t.Errorf("%+v became %+v", s, u)
	}
}

func TestAProgressHoldsNoNumber(t *testing.T) {
	p, s := stored()
	for _, e := range p.Entries {
		if whole := e.Number.Key(); strings.Contains(string(p.EncodeProgress(&s)), whole) {
			t.Errorf("%s is in it", whole)
		}
	}
}

func TestWhatIsNoPlanIsAnError(t *testing.T) {
	for _, bad := range []string{``, `[]`, `{"policy":{"ring":"soon"}}`, `{"entries":[{"number":{}}]}`, `{"entries":[{"number":{"e164":"+1","extension":"7"}}]}`} {
		if p, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%s is %+v", bad, p)
		}
	}
	p, _ := stored()
	for _, bad := range []string{
		``, `{"next":4}`, `{"next":-1}`, `{"round":-1}`, `{"again":[{"entry":3}]}`, `{"again":[{"entry":-1}]}`, `{"invalid":[3]}`, `{"began":"today"}`,
	} {
		if s, err := p.DecodeProgress([]byte(bad)); err == nil {
			t.Errorf("%s is %+v", bad, s)
		}
	}
}

// FuzzDecode: whatever is read as a plan and its progress can be gone on with.
func FuzzDecode(f *testing.F) {
	p, s := stored()
	f.Add(p.Encode(), p.EncodeProgress(&s))
	f.Add([]byte(`{"policy":{"page_limit":"1h","rounds":2}}`), []byte(`{"round":1}`))
	f.Fuzz(func(t *testing.T, course, progress []byte) {
		p, err := Decode(course)
		if err != nil {
			return
		}
		s, err := p.DecodeProgress(progress)
		if err != nil {
			return
		}
		now := s.Began
		p.Resume(&s, now)
		for range 20 {
			m := p.Next(&s, now)
			switch m.Kind {
			case MoveDial:
				p.Note(&s, m.Entry, telgate.OutcomeBusy, now)
				p.Done(&s, m.Entry)
			case MoveWait:
				now = m.Until
			case MoveCalls, MoveEnd:
			}
		}
		if again, err := p.DecodeProgress(p.EncodeProgress(&s)); err != nil || again.Round != s.Round {
			t.Errorf("%+v became %+v, %v", s, again, err)
		}
	})
}
