package sip

import (
	"strconv"
	"strings"
)

// Reason is what the Reason headers of a message say (RFC 3326, RFC 8606). Peers write them in any case, in several
// headers or as comma lists, with spaces and without quotes.
type Reason struct {
	Values       []string // each element as written
	Q850         int      // cause of the first Q.850 element, 0 if none
	Q850Text     string
	Q850Location string // RFC 8606
	SIPCause     int    // cause of the first SIP element
}

// parseReason reads the values of all Reason headers in order.
func parseReason(headers []string) Reason {
	var r Reason
	seenQ850 := false
	for _, h := range headers {
		for _, element := range splitOutsideQuotes(h, ',') {
			element = strings.TrimSpace(element)
			if element == "" {
				continue
			}
			r.Values = append(r.Values, element)
			parts := splitOutsideQuotes(element, ';')
			params := reasonParams(parts[1:])
			cause, _ := strconv.Atoi(params["cause"])
			switch strings.ToLower(strings.TrimSpace(parts[0])) {
			case "q.850":
				if !seenQ850 && cause >= 0 && cause <= 127 {
					seenQ850 = true
					r.Q850, r.Q850Text, r.Q850Location = cause, params["text"], params["location"]
				}
			case "sip":
				if r.SIPCause == 0 {
					r.SIPCause = cause
				}
			}
		}
	}
	return r
}

func reasonParams(parts []string) map[string]string {
	params := make(map[string]string, len(parts))
	for _, p := range parts {
		name, value, _ := strings.Cut(p, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, dup := params[name]; !dup {
			params[name] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return params
}

// splitOutsideQuotes splits at sep, but not inside a quoted string (RFC 3261 25.1).
func splitOutsideQuotes(s string, sep byte) []string {
	var parts []string
	quoted, begin := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			parts = append(parts, s[begin:i])
			begin = i + 1
		}
	}
	return append(parts, s[begin:])
}
