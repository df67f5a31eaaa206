// Command town is everybody a gateway meets in a benchmark, in a process of their own: a workspace of Slack and a phone
// system. Their work is not the gateway's.
//
// Extensions that begin with 6 hang up at the first packet of sound they hear; those that begin with 7 listen until they
// are told to press 1. It speaks JSON, one object a line, see [Event]; the first one tells the addresses. Its input:
//
//	type N TEXT   somebody types TEXT in channel N: GRACE, or with -askers one of so many, in turn
//	press         everybody who listens presses 1, also who comes later, and again until the call is over
//
// It ends with its input.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"telgate/media/mediatest"
	"telgate/sip/siptest"
	"telgate/slack/slacktest"
)

const (
	enough  = 2 * time.Second // of sound an extension hears before it says so
	pressed = 5 * time.Second // after which a key is pressed once more, where nothing came of it
)

// Event is one line of output.
type Event struct {
	Event string `json:"event"` // open, typed, rang, heard, over
	SIP   string `json:"sip,omitempty"`
	API   string `json:"api,omitempty"`
	User  string `json:"user,omitempty"` // the extension
	Text  string `json:"text,omitempty"` // typed: what was answered at once; over: how the call ended
	At    int64  `json:"at,omitempty"`   // rang: when the INVITE was read, in ns since 1970
	// Of a call that is over.
	First   int64 `json:"first,omitempty"` // ns from sending 200 to the first RTP packet, 0 if none came
	Packets int   `json:"packets,omitempty"`
	Lost    int   `json:"lost,omitempty"`   // numbers that never came
	Breaks  int   `json:"breaks,omitempty"` // packets whose timestamp does not follow: turns that were skipped
}

func main() {
	channels := flag.Int("channels", 1000, "how many channels there are: C00000, C00001, …")
	askers := flag.Int("askers", 1, "how many people type: U0GRACE, U0GRACE1, U0GRACE2, …")
	flag.Parse()
	if err := run(*channels, *askers, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "town:", err)
		os.Exit(1)
	}
}

// town is who is there.
type town struct {
	slack *slacktest.Workspace
	phone *siptest.Phone
	press chan struct{} // closed by "press"
	asker []string

	mu  sync.Mutex
	out *json.Encoder
}

func run(channels, askers int, in io.Reader, out io.Writer) error {
	t := &town{press: make(chan struct{}), out: json.NewEncoder(out)}
	var err error
	if t.phone, err = siptest.NewPhone(); err != nil {
		return err
	}
	defer t.phone.Close()
	if t.slack, err = slacktest.New(slacktest.Config{}); err != nil {
		return err
	}
	defer t.slack.Close()
	for n := range askers {
		id := "U0GRACE"
		if n > 0 {
			id += strconv.Itoa(n)
		}
		t.asker = append(t.asker, id)
		t.slack.AddUser(slacktest.User{ID: id, Name: strings.ToLower(id), Team: t.slack.Config().Team})
	}
	for n := range channels {
		t.slack.AddChannel(slacktest.Channel{ID: channel(n), Name: "ops" + strconv.Itoa(n), BotIn: true})
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		for ring := range t.phone.Calls() {
			go t.attend(ctx, ring)
		}
	}()
	t.tell(Event{Event: "open", SIP: t.phone.Addr(), API: t.slack.APIURL()})
	t.obey(ctx, in)
	return nil
}

func channel(n int) string { return fmt.Sprintf("C%05d", n) }

func (t *town) tell(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.out.Encode(e)
}

// obey carries out the lines of the input.
func (t *town) obey(ctx context.Context, in io.Reader) {
	var press sync.Once
	for lines := bufio.NewScanner(in); lines.Scan(); {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		switch verb {
		case "press":
			press.Do(func() { close(t.press) })
		case "type":
			number, text, _ := strings.Cut(rest, " ")
			n, _ := strconv.Atoi(number)
			go func() {
				answer, err := t.slack.Type(ctx, t.asker[n%len(t.asker)], channel(n), text)
				if err != nil {
					answer = err.Error()
				}
				t.tell(Event{Event: "typed", Text: answer})
			}()
		}
	}
}

// attend is what the person at an extension does.
func (t *town) attend(ctx context.Context, ring *siptest.Ring) {
	user := ring.User()
	t.tell(Event{Event: "rang", User: user, At: ring.Rang().UnixNano()})
	answered := time.Now()
	if ring.Answer(ctx) == nil {
		if strings.HasPrefix(user, "6") {
			_ = ring.Ear().WaitPackets(ctx, 1)
			ring.Hangup()
		} else {
			t.listen(ctx, ring)
		}
	}
	<-ring.Over()
	heard := ring.Ear().Report()
	over := Event{Event: "over", User: user, Text: ring.Why(), Packets: heard.Packets, Lost: heard.Lost, Breaks: heard.TimestampBreaks}
	if heard.Packets > 0 {
		over.First = max(1, heard.First.Sub(answered).Nanoseconds())
	}
	t.tell(over)
}

func (t *town) listen(ctx context.Context, ring *siptest.Ring) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-ring.Over():
			stop()
		case <-ctx.Done():
		}
	}()
	if ring.Ear().WaitSound(ctx, enough) != nil {
		return
	}
	t.tell(Event{Event: "heard", User: ring.User()})
	select {
	case <-t.press:
	case <-ctx.Done():
	}
	again := time.NewTicker(pressed)
	defer again.Stop()
	for ctx.Err() == nil {
		_ = ring.Mouth().Press(ctx, "1", mediatest.Press{})
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
}
