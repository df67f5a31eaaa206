package sip

import (
	"bytes"
	"strings"
)

// overview says in one line what a message's SDP says (RFC 8866): for each stream what it is, where, the codecs, the
// direction, and whether keys for SRTP came with it. "" where there is no SDP.
func overview(raw []byte) string {
	_, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok || len(body) == 0 || !isSDP(contentType(raw)) {
		return ""
	}
	session := stream{direction: "sendrecv"}
	var streams []stream
	at := &session
	for line := range bytes.Lines(body) {
		line := strings.TrimSpace(string(line))
		if len(line) < 2 || line[1] != '=' {
			continue
		}
		if line[0] == 'm' {
			if len(streams) == mostStreams {
				break
			}
			streams = append(streams, newStream(line[2:], session))
			at = &streams[len(streams)-1]
			continue
		}
		at.take(line[0], line[2:])
	}
	parts := make([]string, 0, len(streams))
	for _, s := range streams {
		parts = append(parts, s.String())
	}
	return printable(strings.Join(parts, "; "), longestOverview)
}

const mostStreams = 8

// stream is what is said for the session, or for one of its streams.
type stream struct {
	kind, port string
	host       string
	direction  string
	formats    []string
	names      map[string]string // of codecs, by payload type
	crypto     bool
}

func newStream(value string, session stream) stream {
	s := stream{host: session.host, direction: session.direction, crypto: session.crypto}
	fields := strings.Fields(value)
	if len(fields) > 1 {
		s.kind, s.port = fields[0], fields[1]
	}
	if len(fields) > 3 {
		s.formats = fields[3:min(len(fields), 16)]
	}
	return s
}

func (s *stream) take(line byte, value string) {
	switch line {
	case 'c':
		if fields := strings.Fields(value); len(fields) == 3 {
			s.host = fields[2]
		}
	case 'a':
		name, rest, _ := strings.Cut(value, ":")
		switch name {
		case "sendrecv", "sendonly", "recvonly", "inactive":
			s.direction = name
		case "crypto":
			s.crypto = true
		case "rtpmap":
			pt, codec, _ := strings.Cut(rest, " ")
			codec, _, _ = strings.Cut(codec, "/")
			if s.names == nil {
				s.names = make(map[string]string)
			}
			if len(s.names) < 16 {
				s.names[pt] = codec
			}
		}
	}
}

// String is the stream in words.
func (s *stream) String() string {
	if s.port == "0" {
		return s.kind + " refused"
	}
	host := s.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	codecs := make([]string, 0, len(s.formats))
	for _, f := range s.formats {
		codecs = append(codecs, s.codec(f))
	}
	out := s.kind + " " + host + ":" + s.port + " " + strings.Join(codecs, ",") + " " + s.direction
	if s.crypto {
		out += " crypto"
	}
	return out
}

// codec is the name of a payload type: as said, else as RFC 3551 6 has it.
func (s *stream) codec(format string) string {
	if name := s.names[format]; name != "" {
		return name
	}
	switch format {
	case "0":
		return "PCMU"
	case "3":
		return "GSM"
	case "8":
		return "PCMA"
	case "9":
		return "G722"
	case "18":
		return "G729"
	}
	return format
}
