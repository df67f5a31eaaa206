package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"telgate"
)

// ask makes one request and reads the whole answer.
func (o *opened) ask(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://telgate"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(KeyHeader, "k1")
	res, err := o.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, strings.TrimSpace(string(b))
}

func TestAPageIsAskedForInTheNameOfTheUserWhoseProcessConnects(t *testing.T) {
	o := open(t)
	code, body := o.ask(t, "POST", "/v1/pages", `{"who":["alice","@ops"],"message":"db\nis \u001b[31mdown","all":true}`)
	if code != http.StatusCreated || body != `{"v":1,"page":"p1","words":"alice"}` {
		t.Errorf("%d %s", code, body)
	}
	want := []telgate.Request{{
		Key: "api:local:grace:k1", Asker: telgate.Actor{ID: "local:grace", Name: "grace", Local: true}, Who: []string{"alice", "@ops"},
		Message: "db is [31mdown", All: true,
	}}
	if diff := cmp.Diff(want, o.asked()); diff != "" {
		t.Error(diff)
	}
}

func TestEveryPathAnswersInItsForm(t *testing.T) {
	o := open(t)
	for _, c := range []struct {
		method, path, body string
		code               int
		want               string
	}{
		{"GET", "/v1/pages/p1", "", 200, `"number":"+1…23"`},
		{"GET", "/v1/pages/p1?numbers=true", "", 200, `"number":"+12025550123"`},
		{"GET", "/v1/pages/p9", "", 404, `{"v":1,"reason":"not_found","message":"There is no such page."}`},
		{"GET", "/v1/pages?person=alice&result=confirmed&since=2026-01-31T00:00:00Z&limit=7", "", 200, "\n{\"v\":1,\"page\":\"p0\""},
		{"GET", "/v1/pages?state=running", "", 200, `"page":"p1"`},
		{"GET", "/v1/pages?form=short", "", 200, "\n{\"v\":1,\"page\":\"p0\",\"title\":\"bob\""},
		{"GET", "/v1/pages?form=short&state=running", "", 200, `"page":"p1"`},
		{"POST", "/v1/pages/p1/stop", "", 200, `"page":"p1"`},
		{"POST", "/v1/pages/p9/stop", "{}", 404, "not_found"},
		{"POST", "/v1/pages/p1/confirm", "", 403, `{"v":1,"reason":"not_allowed","message":"Only the person who is called."}`},
		{"GET", "/v1/status", "", 200, `"state":"serves"`},
		{"POST", "/v1/reload", "", 200, `{"v":1,"changed":["people"],"restart":["sip.bind"]}`},
		{"POST", "/v1/pause", `{"why":"storm"}`, 200, `{"v":1,"pages":2}`},
		{"POST", "/v1/resume", "", 200, `{"v":1,"pages":0}`},
		{"POST", "/v1/backup", `{"file":"/tmp/x"}`, 200, `{"v":1,"pages":0}`},
		{"POST", "/v1/backup", `{"file":"x"}`, 400, "bad_request"},
		{"POST", "/v1/forget", `{"person":"alice"}`, 200, `{"v":1,"pages":3}`},
		{"GET", "/v1/audit", "", 200, `{"time":"2026-01-31T21:00:00Z","actor":"local:grace","from":"socket","act":"paged","who":"alice"}`},
		{"GET", "/v1/covers", "", 200, `{"v":1,"for":"alice","by":"bob","from":"2026-01-31T21:00:00Z","until":"2026-01-31T23:00:00Z","asker":"local:grace"}`},
		{"POST", "/v1/cover", `{"for":"alice","by":"bob","when":"until 18:00"}`, 200, `"by":"bob"`},
		{"POST", "/v1/cover", `{"for":"alice","by":"bob"}`, 400, "is needed"},
		{"POST", "/v1/uncover", `{"for":"alice"}`, 200, `"for":"alice"`},
		{"POST", "/v1/uncover", `{}`, 400, "names nobody"},
		{"GET", "/v1/mutes", "", 200, `{"v":1,"who":"alice","until":"2026-01-31T23:00:00Z","by":"U1","at":"2026-01-31T21:00:00Z"}`},
		{"POST", "/v1/mute", `{"who":"alice","when":"for 1h"}`, 200, `{"v":1,"who":"alice","until":"2026-01-31T22:00:00Z","by":"local:grace","at":"2026-01-31T21:00:00Z"}`},
		{"POST", "/v1/mute", `{"who":"alice"}`, 400, "is needed"},
		{"POST", "/v1/mute", `{"who":"alice","when":"for 1h","until":"2026-01-31T22:00:00Z"}`, 400, "is needed"},
		{"POST", "/v1/mute", `{"who":"alice","until":"2026-01-31T22:30:00Z"}`, 200, `"until":"2026-01-31T22:30:00Z"`},
		{"POST", "/v1/mute", `{"when":"for 1h"}`, 400, "names nobody"},
		{"POST", "/v1/mute", `{"who":"bob","when":"soon"}`, 422, `"reason":"bad_time"`},
		{"POST", "/v1/unmute", `{"who":"alice"}`, 200, `"until":"2026-01-31T21:00:00Z"`},
		{"POST", "/v1/unmute", `{"who":"alice","when":"for 1h"}`, 400, "ends it now"},
		{"GET", "/v2/status", "", 404, `There is no GET /v2/status here.`},
		{"DELETE", "/v1/status", "", 404, "not_found"},
	} {
		code, body := o.ask(t, c.method, c.path, c.body)
		if code != c.code || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %d %s; want %d and %s", c.method, c.path, code, body, c.code, c.want)
		}
	}
	want := []HistoryQuery{{Since: at(-21 * time.Hour), Person: "alice", Result: telgate.Confirmed, Limit: 7}, {Limit: 100}}
	if diff := cmp.Diff(want, o.queries); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"local:grace: storm"}, o.pauses); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNotUnderstoodIsRefusedAndDoesNothing(t *testing.T) {
	o := open(t)
	many := `"a"` + strings.Repeat(`,"a"`, 100)
	for _, c := range []struct{ path, body, want string }{
		{"/v1/pages", ``, "names nobody"},
		{"/v1/pages", `{"who":[]}`, "names nobody"},
		{"/v1/pages", `{"who":[" "]}`, "empty or longer"},
		{"/v1/pages", `{"who":["\u0007"]}`, "empty or longer"},
		{"/v1/pages", `{"who":[` + many + `]}`, "more than 100"},
		{"/v1/pages", `{"who":["alice"],"forced":true}`, "unknown field"},
		{"/v1/pages", `{"who":"alice"}`, "cannot be read"},
		{"/v1/pages", `{"who":["alice"]}{}`, "more than one"},
		{"/v1/pages", `{"who":["alice"]} trailing`, "more than one"},
		{"/v1/pages", `{"who":["alice"`, "cannot be read"},
		{"/v1/pages?force=1", `{"who":["alice"]}`, `\"force\" is not known`},
		{"/v1/pages", `{"who":["alice"],"message":"` + strings.Repeat("x", 501) + `"}`, "longer than 500"},
		{"/v1/pause", `{"hangup":true}`, "unknown field"},
	} {
		code, body := o.ask(t, "POST", c.path, c.body)
		if code != http.StatusBadRequest || !strings.Contains(body, c.want) {
			t.Errorf("%s %.40s: %d %s; want %s", c.path, c.body, code, body, c.want)
		}
	}
	for path, want := range map[string]string{
		"/v1/pages?limit=-1":                    `\"limit\" is not a number between 0 and 10000`,
		"/v1/pages?limit=1&limit=2":             `\"limit\" stands there twice`,
		"/v1/pages?since=yesterday":             `\"since\" is no time`,
		"/v1/pages?result=maybe":                `\"result\" is none of the results of a page: [confirmed answered partial not_reached cancelled failed]`,
		"/v1/pages?state=dead":                  `\"state\" is not`,
		"/v1/pages?form=long":                   `\"form\" is not`,
		"/v1/pages?form=short&trace=true":       `\"form\" has neither`,
		"/v1/pages/p1?numbers=perhaps":          `\"numbers\" is neither true nor false`,
		"/v1/pages/p1/events?after=99999999999": `\"after\" is not a number`,
	} {
		if code, body := o.ask(t, "GET", path, ""); code != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s; want %s", path, code, body, want)
		}
	}
	code, body := o.ask(t, "POST", "/v1/pages", `{"who":["alice"],"message":"`+strings.Repeat("x", 1<<20)+`"}`)
	if code != http.StatusRequestEntityTooLarge || !strings.Contains(body, "too_large") {
		t.Errorf("a body of a mebibyte: %d %s", code, body)
	}
	if len(o.asked()) != 0 || len(o.pauses) != 0 {
		t.Errorf("something was done: %+v %v", o.asked(), o.pauses)
	}
}

func TestARefusalIsTheGatewaysOwnAndAFaultInsideIsNotTold(t *testing.T) {
	o := open(t)
	o.refuse = &telgate.Refusal{Reason: telgate.RefusedUnknownName, Message: "Who is alcie?", Suggestions: []string{"alice"}, Subject: "alcie"}
	code, body := o.ask(t, "POST", "/v1/pages", `{"who":["alcie"]}`)
	want := `{"v":1,"reason":"unknown_name","message":"Who is alcie?","suggestions":["alice"],"subject":"alcie"}`
	if code != http.StatusUnprocessableEntity || body != want {
		t.Errorf("%d %s", code, body)
	}
	o.refuse = errors.New("dial postgres://user:secret@db")
	code, body = o.ask(t, "GET", "/v1/pages", "")
	if code != http.StatusInternalServerError || strings.Contains(body, "secret") {
		t.Errorf("%d %s", code, body)
	}
}

func TestNobodyIsAnsweredWhomNoConnectionNames(t *testing.T) {
	o := open(t)
	w := httptest.NewRecorder()
	o.api.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/status", nil))
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "not_allowed") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestWhoIsNoAdministratorDoesNotRunTheGateway(t *testing.T) {
	o := open(t)
	for _, path := range []string{"POST /v1/pause", "POST /v1/resume", "POST /v1/reload", "POST /v1/forget", "POST /v1/backup", "GET /v1/audit", "GET /v1/pages/p1?numbers=1", "GET /v1/status"} {
		method, target, _ := strings.Cut(path, " ")
		r := httptest.NewRequest(method, target, nil)
		w := httptest.NewRecorder()
		o.api.ServeHTTP(w, r.WithContext(As(r.Context(), telgate.Actor{ID: "token:grafana"})))
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// follow opens a stream of events.
func (o *opened) follow(t *testing.T, path string) (*bufio.Scanner, func()) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://telgate"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := o.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return bufio.NewScanner(res.Body), func() { leave(); _ = res.Body.Close() }
}

func event(seq int, kind telgate.EventKind) telgate.Event {
	return telgate.Event{Seq: seq, Time: at(time.Duration(seq) * time.Second), Kind: kind, Page: "p1"}
}

func TestAStreamGoesOnAfterTheLastEventSeenAndEndsWithThePage(t *testing.T) {
	o := open(t)
	lines, leave := o.follow(t, "/v1/pages/p1/events?after=2")
	defer leave()
	go func() {
		for i, kind := range []telgate.EventKind{telgate.EventPageAccepted, telgate.EventDialing, telgate.EventRinging, telgate.EventPageEnded} {
			o.events <- event(i+1, kind)
		}
	}()
	var got []string
	for lines.Scan() {
		ev, err := telgate.ParseEvent(lines.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(ev.Kind))
	}
	if diff := cmp.Diff([]string{"ringing", "page_ended"}, got); diff != "" {
		t.Error(diff)
	}
	<-o.left
}

func TestAStreamEndsWhenItsReaderLeaves(t *testing.T) {
	o := open(t)
	lines, leave := o.follow(t, "/v1/pages/p1/events")
	o.events <- event(1, telgate.EventPageAccepted)
	if !lines.Scan() {
		t.Fatal("no event came")
	}
	leave()
	<-o.left // or the test hangs
}

func TestAStreamEndsWhenTheGatewayStops(t *testing.T) {
	o := open(t)
	lines, leave := o.follow(t, "/v1/pages/p1/events")
	defer leave()
	o.stop()
	if lines.Scan() {
		t.Errorf("there was %s", lines.Text())
	}
	<-o.left
}

func TestAStreamWithoutNewsSaysThatItLives(t *testing.T) {
	o := open(t)
	o.api.alive = time.Millisecond
	lines, leave := o.follow(t, "/v1/pages/p1/events")
	defer leave()
	if !lines.Scan() || lines.Text() != "" {
		t.Errorf("%q", lines.Text())
	}
}

func TestOfAPageWhoseEventsAreGoneTheEndIsTold(t *testing.T) {
	o := open(t)
	o.page.State, o.page.Result, o.page.Ended, o.page.Version = telgate.PageEnded, telgate.NotReached, at(time.Minute), 12
	close(o.events)
	_, body := o.ask(t, "GET", "/v1/pages/p1/events", "")
	if body != `{"v":1,"seq":12,"time":"2026-01-31T21:01:00.000Z","event":"page_ended","page":"p1","result":"not_reached"}` {
		t.Error(body)
	}
	if _, again := o.ask(t, "GET", "/v1/pages/p1/events?after=12", ""); again != body { // gateways may count otherwise: nobody waits for ever
		t.Errorf("after the end: %s", again)
	}
}

func TestTheSocketIsForItsOwnUserAndGoneAfterwards(t *testing.T) {
	o := open(t)
	info, err := os.Stat(o.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	o.stop()
	if _, err := os.Stat(o.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestTheSocketOfAGatewayThatDiedIsReplacedAndNothingElseIs(t *testing.T) {
	o := open(t)
	o.stop()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: o.path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	if err := removeStale(o.path); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(o.path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := removeStale(o.path); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Errorf("%v", err)
	}
}

func TestAPathThatIsTooLongForASocketIsNamed(t *testing.T) {
	err := CheckSocket(filepath.Join("/var/lib", strings.Repeat("x", 100), SocketName))
	if err == nil || !strings.Contains(err.Error(), "gateway.state_dir") {
		t.Errorf("%v", err)
	}
}

func TestAClientThatSendsNothingHoldsNothingUp(t *testing.T) {
	o := open(t)
	for range 50 {
		c, err := net.Dial("unix", o.path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if _, err := io.WriteString(c, "POST /v1/pages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
	}
	if code, body := o.ask(t, "GET", "/v1/status", ""); code != http.StatusOK || !json.Valid([]byte(body)) {
		t.Errorf("%d %s", code, body)
	}
}
