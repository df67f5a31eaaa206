package slacktest

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const maxBody = 1 << 20

// call is a request to the Web API.
type call struct {
	url.Values
	bearer string // the token of the header
	host   string // as the client wrote it
}

// answer is the JSON object of a success, without its "ok".
type answer map[string]any

// Refusal is a request that got an error for an answer.
type Refusal struct{ Method, Error string }

// Refused are the requests that were refused so far, planned faults left out: what a well-behaved client avoids.
func (w *Workspace) Refused() []Refusal {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Refusal(nil), w.refused...)
}

// Calls is how many requests of a method arrived, whatever became of them. "response_url" counts those to response URLs.
func (w *Workspace) Calls(method string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[method]
}

func (w *Workspace) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", w.serveAPI)
	mux.HandleFunc("/link", w.serveLink)
	mux.HandleFunc("POST /response/{id}", w.serveHook)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !w.begin() {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		defer w.tasks.Done()
		mux.ServeHTTP(rw, r)
	})
}

func (w *Workspace) serveAPI(rw http.ResponseWriter, r *http.Request) {
	name := r.PathValue("method")
	c, bad := readCall(r)
	w.mu.Lock()
	w.calls[name]++
	fault := w.fault(name)
	w.bump()
	w.mu.Unlock()
	if fault.before(rw, r, w.done) {
		return
	}
	var out answer
	if bad == nil {
		w.mu.Lock()
		out, bad = w.perform(name, c, rw.Header())
		if bad != nil {
			w.refused = append(w.refused, Refusal{name, bad.code})
		}
		w.bump()
		w.mu.Unlock()
	}
	switch {
	case fault == ResetAfter:
		cut(rw)
	case fault == HangAfter:
		hang(r, w.done)
	case bad != nil:
		bad.write(rw)
	case fault == OKWithoutTS:
		writeJSON(rw, answer{"ok": true})
	default:
		out["ok"] = true
		writeJSON(rw, out)
	}
}

// perform checks token, scope and rate in this order (assumed), then does what was asked; w.mu is held.
func (w *Workspace) perform(name string, c call, h http.Header) (answer, *failure) {
	m, found := w.methods[name]
	if !found {
		return nil, fail("unknown_method")
	}
	if bad := w.authorise(m, c, h); bad != nil {
		return nil, bad
	}
	if m.rate > 0 {
		if wait := w.limits.minute(name, m.rate, w.cfg.Pace()); wait > 0 {
			return nil, tooFast(seconds(wait))
		}
	}
	return m.run(w, c)
}

// authorise checks the token. A bot token tells its scopes in a header, whether or not they suffice (Slack docs: auth.test).
func (w *Workspace) authorise(m method, c call, h http.Header) *failure {
	token := c.bearer
	if token == "" && m.token == botToken { // Slack docs: apps.connections.open takes its token from the header alone
		token = c.Get("token")
	}
	switch token {
	case "":
		return fail("not_authed")
	case w.tokens.app:
		if m.token != appToken {
			return fail("not_allowed_token_type")
		}
		return nil
	case w.tokens.bot:
		h.Set("X-OAuth-Scopes", strings.Join(w.scopes, ","))
		if m.token != botToken {
			return fail("not_allowed_token_type")
		}
		return w.need(m.scope, h)
	}
	return fail("invalid_auth")
}

// need refuses a bot token without the scope; w.mu is held.
func (w *Workspace) need(scope string, h http.Header) *failure {
	if h != nil && scope != "" {
		h.Set("X-Accepted-OAuth-Scopes", scope)
	}
	if scope == "" || w.granted(scope) {
		return nil
	}
	f := fail("missing_scope")
	f.needed, f.provided = scope, strings.Join(w.scopes, ",")
	return f
}

// readCall takes arguments as a form, as JSON, or, of a GET, from the query (Slack docs: Web API). In JSON and in a query
// the token has no place: it comes in the header.
func readCall(r *http.Request) (call, *failure) {
	c := call{Values: url.Values{}, host: r.Host}
	c.bearer, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return c, fail("request_timeout")
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method == http.MethodGet:
		c.Values = r.URL.Query()
		c.Del("token")
	case kind == "application/json":
		return c, c.json(body)
	case kind == "application/x-www-form-urlencoded":
		if c.Values, err = url.ParseQuery(string(body)); err != nil {
			return c, fail("invalid_form_data")
		}
	case len(body) > 0:
		return c, fail("invalid_post_type")
	}
	return c, nil
}

// json reads an object; whatever is no string stays JSON.
func (c call) json(body []byte) *failure {
	if len(body) == 0 { // as clients call methods without arguments
		return nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return fail("invalid_json")
	}
	for key, raw := range object {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		if key != "token" && s != "null" {
			c.Set(key, s)
		}
	}
	return nil
}

// failure is an error of the Web API.
type failure struct {
	code             string
	needed, provided string   // of missing_scope
	messages         []string // of invalid_blocks
	status, retry    int      // HTTP status and Retry-After, 0 for 200 and none
}

func fail(code string) *failure { return &failure{code: code} }

func tooFast(wait int) *failure {
	return &failure{code: "ratelimited", status: http.StatusTooManyRequests, retry: wait}
}

// write answers as Slack does: errors come with status 200, but for rate limits (Slack docs: Web API, rate limits).
func (f *failure) write(rw http.ResponseWriter) {
	out := answer{"ok": false, "error": f.code}
	if f.needed != "" {
		out["needed"], out["provided"] = f.needed, f.provided
	}
	if len(f.messages) > 0 {
		out["response_metadata"] = answer{"messages": f.messages}
	}
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	if f.retry > 0 {
		rw.Header().Set("Retry-After", strconv.Itoa(f.retry))
	}
	if f.status != 0 {
		rw.WriteHeader(f.status)
	}
	_ = json.NewEncoder(rw).Encode(out)
}

func writeJSON(rw http.ResponseWriter, v any) {
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(rw).Encode(v)
}
