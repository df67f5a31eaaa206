package slacktest

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"
)

// A response_url takes five messages within thirty minutes (Slack docs: handling user interaction, message responses).
const (
	hookUses = 5
	hookLife = 30 * time.Minute
)

// hook is a response_url.
type hook struct {
	user, channel string
	source        *Message // the message whose button was pressed; nil for a slash command
	until         time.Time
	used          int
}

// postJSON is what a response_url takes, and an acknowledgement may carry.
type postJSON struct {
	Text            string          `json:"text"`
	Blocks          json.RawMessage `json:"blocks"`
	Attachments     json.RawMessage `json:"attachments"`
	ResponseType    string          `json:"response_type"`
	ThreadTS        string          `json:"thread_ts"`
	ReplaceOriginal bool            `json:"replace_original"`
	DeleteOriginal  bool            `json:"delete_original"`
}

func (p postJSON) content() content {
	return content{text: p.Text, blocks: list(string(p.Blocks)), attachments: list(string(p.Attachments))}
}

// hook makes a response_url; w.mu is held.
func (w *Workspace) hook(h *hook) (url string) {
	id := w.token("response")
	h.until = w.cfg.Now().Add(hookLife)
	w.hooks[id] = h
	return w.base + "/response/" + id
}

// serveHook answers "ok" and no timestamp: what was posted here can never be edited by chat.update (report: phelia#27).
func (w *Workspace) serveHook(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	w.mu.Lock()
	w.calls["response_url"]++
	fault := w.fault("response_url")
	w.bump()
	w.mu.Unlock()
	if err != nil || fault.before(rw, r, w.done) {
		return
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var p postJSON
	status, word := http.StatusBadRequest, "invalid_payload"
	if kind == "application/json" && json.Unmarshal(body, &p) == nil {
		status, word = w.respond(r.PathValue("id"), p)
	}
	if fault == ResetAfter {
		cut(rw)
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, word)
}

// respond posts through a response_url, also where the bot is no member (Slack docs: slash commands). Status and words of
// errors are assumed.
func (w *Workspace) respond(id string, p postJSON) (status int, word string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	status, word = w.tryRespond(id, p)
	if word != "ok" {
		w.refused = append(w.refused, Refusal{"response_url", word})
	}
	return status, word
}

func (w *Workspace) tryRespond(id string, p postJSON) (status int, word string) {
	h := w.hooks[id]
	switch {
	case h == nil:
		return http.StatusNotFound, "invalid_url"
	case !w.cfg.Now().Before(h.until):
		return http.StatusNotFound, "expired_url"
	case h.used >= hookUses:
		return http.StatusNotFound, "used_url"
	case p.ThreadTS != "" && (p.ResponseType != "in_channel" || p.ReplaceOriginal): // Slack docs: message responses, threads
		return http.StatusBadRequest, "invalid_thread_ts"
	}
	if p.DeleteOriginal {
		h.used++
		if h.source != nil { // that of a slash command deletes nothing (reports: bolt-python#1268, bolt-js#2287)
			w.drop(h.source)
		}
		return http.StatusOK, "ok"
	}
	said := p.content()
	if bad := said.check(); bad != nil {
		return http.StatusBadRequest, bad.code
	}
	if p.ReplaceOriginal && h.source != nil && !slices.Contains(w.messages, h.source) {
		return http.StatusNotFound, "message_not_found"
	}
	h.used++
	if p.ReplaceOriginal && h.source != nil { // that of a slash command posts anew: the same reports
		w.change(h.source, said)
		return http.StatusOK, "ok"
	}
	m := said.message(h.channel, w.cfg.BotUser, "response_url")
	m.ThreadTS = p.ThreadTS
	if p.ResponseType != "in_channel" {
		m.Ephemeral = h.user
	}
	w.add(m)
	return http.StatusOK, "ok"
}
