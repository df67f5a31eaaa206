package siptest

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// Message is a request or response as received.
type Message struct {
	Start   string // the first line
	Headers [][2]string
	Body    string
	From    *net.UDPAddr
}

// Method is the request's method, "" for a response.
func (m Message) Method() string {
	word, _, _ := strings.Cut(m.Start, " ")
	if strings.HasPrefix(word, "SIP/") {
		return ""
	}
	return word
}

// Get is the first header of that name.
func (m Message) Get(name string) string {
	for _, h := range m.Headers {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}

// All are the headers of that name.
func (m Message) All(name string) []string {
	var all []string
	for _, h := range m.Headers {
		if strings.EqualFold(h[0], name) {
			all = append(all, h[1])
		}
	}
	return all
}

// Seen is the request as a peer reads it that follows RFC 3581: its top Via says where it came from.
func (m Message) Seen() Message {
	m.Headers = slices.Clone(m.Headers)
	for i, h := range m.Headers {
		if h[0] == "Via" {
			m.Headers[i][1] = strings.Replace(h[1], ";rport", fmt.Sprintf(";received=%s;rport=%d", m.From.IP, m.From.Port), 1)
			break
		}
	}
	return m
}

func parse(s string) (Message, error) {
	head, body, found := strings.Cut(s, "\r\n\r\n")
	if !found {
		return Message{}, fmt.Errorf("no empty line after the headers")
	}
	lines := strings.Split(head, "\r\n")
	m := Message{Start: lines[0], Body: body}
	for _, l := range lines[1:] {
		name, value, ok := strings.Cut(l, ":")
		if !ok {
			return m, fmt.Errorf("header %q has no colon", l)
		}
		m.Headers = append(m.Headers, [2]string{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	for _, must := range []string{"Via", "From", "To", "Call-ID", "CSeq", "Content-Length"} {
		if m.Get(must) == "" {
			return m, fmt.Errorf("no %s", must)
		}
	}
	if m.Method() != "" && m.Get("Max-Forwards") == "" {
		return m, fmt.Errorf("no Max-Forwards")
	}
	if m.Get("Content-Length") != strconv.Itoa(len(body)) {
		return m, fmt.Errorf("Content-Length %s of %d bytes", m.Get("Content-Length"), len(body))
	}
	return m, nil
}

// response is the text of an answer to a request. tag becomes the To tag; more are whole header lines; a body is SDP.
func (m Message) response(status, tag, contact, body string, more ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %s\r\n", status)
	for _, v := range m.All("Via") {
		fmt.Fprintf(&b, "Via: %s\r\n", v)
	}
	to := m.Get("To")
	if tag != "" && !strings.Contains(to, "tag=") {
		to += ";tag=" + tag
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n", m.Get("From"), to, m.Get("Call-ID"), m.Get("CSeq"))
	if (strings.HasPrefix(status, "2") || strings.HasPrefix(status, "18")) && !names(more, "Contact") {
		fmt.Fprintf(&b, "Contact: <sip:peer@%s>\r\n", contact)
	}
	finish(&b, body, more)
	return b.String()
}

// request is the text of a request inside the dialog that this INVITE and tag made. A Via, Contact or Content-Type
// among more replaces the usual one.
func (m Message) request(method, tag, contact string, seq int, body string, more ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s sip:telgate@%s SIP/2.0\r\nMax-Forwards: 70\r\n", method, m.From)
	if !names(more, "Via") {
		fmt.Fprintf(&b, "%s\r\n", via(method, tag, contact, seq))
	}
	fmt.Fprintf(&b, "From: %s;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n",
		m.Get("To"), tag, m.Get("From"), m.Get("Call-ID"), seq, method)
	if !names(more, "Contact") {
		fmt.Fprintf(&b, "Contact: <sip:peer@%s>\r\n", contact)
	}
	finish(&b, body, more)
	return b.String()
}

func finish(b *strings.Builder, body string, more []string) {
	for _, h := range more {
		b.WriteString(h + "\r\n")
	}
	if body != "" && !names(more, "Content-Type") {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(b, "Content-Length: %d\r\n\r\n%s", len(body), body)
}

// via is the Via line of a request; method, tag and number make its branch.
func via(method, tag, contact string, seq int) string {
	return fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bK%s%s%d;rport", contact, strings.ToLower(method), tag, seq)
}

// names tells whether one of these header lines is of that name, and replaces the usual one.
func names(lines []string, name string) bool {
	return slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, name+":") })
}
