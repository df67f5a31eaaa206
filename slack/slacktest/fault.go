package slacktest

import (
	"net"
	"net/http"
	"strings"
)

// Fault is a way in which a request goes wrong.
type Fault string

// The faults. Those that keep a request from being processed do so before tokens and limits are looked at.
const (
	HTTP500         Fault = "http 500"        // status 500 with a page of HTML
	HTTP503         Fault = "http 503"        // status 503 without a body
	RateLimited     Fault = "rate limited"    // status 429, Retry-After 1
	RateLimitedBare Fault = "rate limited, 0" // status 429 that does not say for how long
	Hang            Fault = "hang"            // no answer until the client gives up
	OKWithoutTS     Fault = "ok without ts"   // the request is processed, the answer says only that it is ok
	ResetAfter      Fault = "reset after"     // the request is processed, then the connection is cut
	HangAfter       Fault = "hang after"      // the request is processed, and no answer comes until the client gives up
	errorPrefix           = "error "
)

// ErrorCode is the fault of an error that Slack names, such as "is_archived".
func ErrorCode(code string) Fault { return Fault(errorPrefix + code) }

// Fail lets the next n requests of a method fail so, after those of earlier calls. The method "response_url" is the
// posting to such an address.
func (w *Workspace) Fail(method string, n int, how Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range n {
		w.faults[method] = append(w.faults[method], how)
	}
}

// fault takes the next planned fault of a method, "" for none; w.mu is held.
func (w *Workspace) fault(method string) Fault {
	planned := w.faults[method]
	if len(planned) == 0 {
		return ""
	}
	w.faults[method] = planned[1:]
	return planned[0]
}

// before lets a request fail that is not to be processed; false says that it goes on.
func (f Fault) before(rw http.ResponseWriter, r *http.Request, closing <-chan struct{}) bool {
	switch {
	case f == HTTP500:
		rw.Header().Set("Content-Type", "text/html")
		rw.WriteHeader(http.StatusInternalServerError)
		_, _ = rw.Write([]byte("<!DOCTYPE html><html><title>Server Error</title><body>It's not you, it's us.</body></html>"))
	case f == HTTP503:
		rw.WriteHeader(http.StatusServiceUnavailable)
	case f == RateLimited:
		limited(rw, 1)
	case f == RateLimitedBare:
		limited(rw, 0)
	case f == Hang:
		hang(r, closing)
	case strings.HasPrefix(string(f), errorPrefix):
		fail(strings.TrimPrefix(string(f), errorPrefix)).write(rw)
	default:
		return false
	}
	return true
}

// hang keeps a client waiting until it gives up.
func hang(r *http.Request, closing <-chan struct{}) {
	select {
	case <-r.Context().Done():
	case <-closing:
	}
}

// limited writes status 429; a wait of 0 leaves the header out.
func limited(rw http.ResponseWriter, wait int) {
	f := fail("ratelimited")
	f.status, f.retry = http.StatusTooManyRequests, wait
	f.write(rw)
}

// cut ends the connection of a request without an answer.
func cut(rw http.ResponseWriter) {
	h, ok := rw.(http.Hijacker)
	if !ok {
		return
	}
	conn, _, err := h.Hijack()
	if err != nil {
		return
	}
	reset(conn)
}

// reset closes a connection so that the other side reads an error instead of an end.
func reset(conn net.Conn) {
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = conn.Close()
}
