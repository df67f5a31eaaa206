package web

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"telgate"
)

// Version is the first part of every path of the API. Names may be added under one version.
const Version = "/v1"

// Ports are what the API needs. Those after Gateway may be nil: then their paths are not there.
type Ports struct {
	Pages   Pages
	Feed    Feed
	Gateway Gateway
	History History
	Switch  Switch
	Keeper  Keeper
	Covers  Covers
	Mutes   Mutes
	Audit   Audit
}

// API answers requests of those whom a connection names: see [Socket]. A request by nobody known is refused.
type API struct {
	ports  Ports
	policy func() telgate.Policy
	log    *slog.Logger
	mux    *http.ServeMux
	alive  time.Duration // between two signs of life in a stream
	end    sync.Once
	ended  chan struct{} // streams end
}

// aliveEvery is how often a stream without news says that it lives.
const aliveEvery = 15 * time.Second

// NewAPI returns the API. policy is asked with each request that needs permission.
func NewAPI(ports Ports, policy func() telgate.Policy, log *slog.Logger) *API {
	a := &API{ports: ports, policy: policy, log: log, mux: http.NewServeMux(), alive: aliveEvery, ended: make(chan struct{})}
	a.on("POST /pages", a.submit)
	a.on("GET /pages/{id}", a.page)
	a.on("GET /pages/{id}/events", a.events)
	a.on("POST /pages/{id}/stop", a.stop)
	a.on("POST /pages/{id}/confirm", a.confirm)
	a.on("GET /status", a.status)
	a.on("POST /reload", a.reload)
	if ports.History != nil {
		a.on("GET /pages", a.pages)
	}
	if ports.Switch != nil {
		a.on("POST /pause", a.pause)
		a.on("POST /resume", a.resume)
	}
	if ports.Keeper != nil {
		a.on("POST /backup", a.backup)
		a.on("POST /forget", a.forget)
	}
	if ports.Covers != nil {
		a.on("GET /covers", a.covers)
		a.on("POST /cover", a.cover)
		a.on("POST /uncover", a.uncover)
	}
	if ports.Mutes != nil {
		a.on("GET /mutes", a.mutes)
		a.on("POST /mute", a.mute)
		a.on("POST /unmute", a.unmute)
	}
	if ports.Audit != nil {
		a.on("GET /audit", a.audit)
	}
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.fail(w, r, &Error{Reason: ReasonNotFound, Message: "There is no " + r.Method + " " + r.URL.Path + " here."})
	})
	return a
}

// EndStreams ends every stream of events: the gateway stops.
func (a *API) EndStreams() { a.end.Do(func() { close(a.ended) }) }

// handler answers a request by an actor, or says why not.
type handler func(w http.ResponseWriter, r *http.Request, by telgate.Actor) error

// on answers "METHOD /path" below [Version].
func (a *API) on(pattern string, h handler) {
	method, path, _ := strings.Cut(pattern, " ")
	a.mux.HandleFunc(method+" "+Version+path, func(w http.ResponseWriter, r *http.Request) {
		by, ok := actorOf(r.Context())
		if !ok {
			a.fail(w, r, &Error{Reason: telgate.RefusedNotAllowed, Message: "Nobody vouches for you here."})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, bodyBytes)
		if err := h(w, r, by); err != nil {
			a.fail(w, r, err)
		}
	})
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	a.mux.ServeHTTP(w, r)
}
