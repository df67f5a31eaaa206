// Package telgate holds the words of a self-hosted calling gateway: what a user would say about people, pages and calls.
//
// # A page's life
//
// Somebody types "/tel alice db is down". Room slack reads the command, asks [Policy.May] whether this asker may, and
// hands a [Request] to room pager. The pager asks room directory who "alice" is and room plan which numbers to ring in
// which order, accepts the [Page], and from then on one goroutine owns it. For each step it asks plan for a trunk and
// gives an [Order] to room voice, which rings one number over one trunk: room sip signals, room media sends and hears
// RTP, room prompts supplies what is said. Voice returns a [Call] with exactly one [Outcome]; on the way it reports an
// [Event] for everything worth showing. The pager records the call, decides what comes next, and slack draws the one
// card of the page from its newest state. Out by calls, back by return values and events, never by a call upward.
//
// A page is over when somebody confirmed it, when every round of its plan was tried, or when it was stopped. Rang,
// picked up and confirmed are three different things: only the confirm key, or "I've got it" by the target's own Slack
// id, makes a page [Confirmed].
//
// # Rooms
//
//   - config: config.toml to values, all faults at once; only cmd/telgate knows it
//   - directory: who a word means
//   - plan: pure rules: what comes next, which trunk, which numbers are never called
//   - pager: runs pages
//   - voice: one call, where signalling and media meet
//   - sip: trunks and call legs (RFC 3261), signalling only
//   - media: RTP sessions, codecs, keys (RFC 3550, RFC 4733)
//   - prompts: the recordings that are played
//   - slack: commands in, one edited card out
//   - web: the HTTP mux
//   - cmd/telgate: the program, and the only place where rooms are wired together
//
// This package imports the standard library only and does nothing by itself: it has no goroutines, files or sockets.
package telgate
