package sip

import (
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// headed is a message with headers.
type headed interface {
	GetHeaders(name string) []sip.Header
}

// listed are the option tags or methods of a header's comma lists, tags in lower case (RFC 3261 20.32).
func listed(m headed, names ...string) []string {
	var all []string
	for _, name := range names {
		for _, v := range headerValues(m, name) {
			for tag := range strings.SplitSeq(v, ",") {
				if tag = strings.ToLower(strings.TrimSpace(tag)); tag != "" {
					all = append(all, tag)
				}
			}
		}
	}
	return all
}

// lists tells whether one of them is there.
func lists(m headed, name, tag string) bool {
	names := []string{name}
	if name == "Supported" {
		names = append(names, "k")
	}
	return slices.Contains(listed(m, names...), strings.ToLower(tag))
}

// unknown are the extensions that a request requires and that are not known here (RFC 3261 8.2.2.3). 100rel is: it
// speaks of provisional responses, of which we send none.
func unknown(req *sip.Request) []string {
	return slices.DeleteFunc(listed(req, "Require"), func(tag string) bool { return tag == "timer" || tag == "100rel" })
}

// badExtension answers such a request with 420, and tells whether it did. A BYE is taken whatever it requires: a call
// that one side has left must not stay up.
func badExtension(req *sip.Request, tx *sip.ServerTx) bool {
	if req.IsAck() || req.IsCancel() || req.Method == sip.BYE {
		return false
	}
	tags := unknown(req)
	if len(tags) == 0 {
		return false
	}
	respond(req, tx, 420, "Bad Extension", sip.NewHeader("Unsupported", strings.Join(tags, ", ")))
	return true
}
