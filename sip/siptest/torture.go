package siptest

import (
	"fmt"
	"strings"
)

// Torture is a message in the spirit of RFC 4475, whose sections its names are: unusual and valid, or wrong in one way.
type Torture struct {
	Name  string
	Valid bool // a parser must take it (RFC 4475 3.1.1)
	Text  string
}

// torso is a message that will be told wrong in one way.
type torso struct {
	start string
	lines []string
	body  string
}

// Tortures are requests and responses to a gateway at this address, from that one.
func Tortures(gateway, from string) []Torture {
	request := func(method string, lines ...string) torso {
		base := []string{
			"Via: SIP/2.0/UDP " + from + ";branch=z9hG4bKtorture", "Max-Forwards: 70", "From: <sip:caller@" + from + ">;tag=torture",
			"To: <sip:telgate@" + gateway + ">", "Call-ID: torture@" + from, "CSeq: 1 " + method, "Contact: <sip:caller@" + from + ">",
		}
		return torso{method + " sip:telgate@" + gateway + " SIP/2.0", append(base, lines...), ""}
	}
	response := func(status string) torso {
		r := request("INVITE")
		r.start = "SIP/2.0 " + status
		return r
	}
	valid := func(name string, m torso) Torture { return Torture{name, true, m.text()} }
	wrong := func(name string, m torso) Torture { return Torture{name, false, m.text()} }
	long := strings.Repeat("verylong", 64)
	return []Torture{
		// 3.1.1: valid
		valid("a short tortuous INVITE", request("INVITE").line("From", "From : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8").line("CSeq", "CSeq: 0009\r\n  INVITE").
			with("Subject :", "NewFangledHeader:   newfangled value\r\n continued newfangled value", "v:  SIP  / 2.0  / UDP     192.0.2.2;branch=390skdjuw")),
		valid("wide range of characters", request("!interesting-Method0123456789_*+`.%indeed'~").line("CSeq", "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~")),
		valid("percent in the method", request("RE%47IST%45R")),
		valid("escaped nulls in URIs", request("REGISTER").with("Contact: <sip:%00@host5.example.com>", "Contact: <sip:%00%00@host5.example.com>")),
		valid("URI parameters and headers", request("OPTIONS").to("sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com")),
		valid("no space between display name and <", request("OPTIONS").line("From", "From: caller<sip:caller@example.com>;tag=323")),
		valid("long values", request("INVITE").with("User-Agent: "+long, "X-"+long+": "+long, "Via: SIP/2.0/TCP "+long+".example;branch=z9hG4bK"+long).line("From", "From: <sip:"+long+"@example.com>;tag="+long)),
		valid("extra octets after a request", request("REGISTER").after("REGISTER sip:example.com SIP/2.0\r\n\r\n")),
		valid("a semicolon in the user part", request("OPTIONS").to("sip:user;par=u%40example.net@example.com")),
		valid("many transports", request("OPTIONS").with("Via: SIP/2.0/SCTP t1.example.com;branch=z9hG4bK1", "Via: SIP/2.0/TLS t2.example.com;branch=z9hG4bK2", "Via: SIP/2.0/UNKNOWN t3.example.com;branch=z9hG4bK3")),
		valid("a body of several parts", request("MESSAGE").with("Content-Type: multipart/mixed;boundary=7a9").body7("--7a9\r\nContent-Type: text/plain\r\n\r\nHello\x00\xff\r\n--7a9--\r\n")),
		valid("an unusual reason phrase", response("200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \xd1\x81\xd1\x82\xd0\xbe")),
		valid("no reason phrase", response("100 ")),
		// 3.1.2: invalid
		wrong("extraneous separators", request("INVITE").line("Via", "Via: SIP/2.0/UDP 192.0.2.15;;,;,,").line("Contact", "Contact: \"Joe\" <sip:joe@example.org>;;;;").line("From", "From: <sip:joe@example.org>;;tag=1;;")),
		wrong("a body shorter than Content-Length", request("INVITE").with("Content-Type: application/sdp", "Content-Length: 9999").raw("v=0\r\n")),
		wrong("a negative Content-Length", request("INVITE").with("Content-Length: -999").raw("v=0\r\n")),
		wrong("scalars too large in a request", request("REGISTER").line("CSeq", "CSeq: 36893488147419103232 REGISTER").line("Max-Forwards", "Max-Forwards: 300").with("Expires: 10000000000000000000000000", "Contact: <sip:a@b>;expires=280297596632815")),
		wrong("scalars too large in a response", response("503 Service Unavailable").line("CSeq", "CSeq: 9292394834772304023312 INVITE").with("Retry-After: 949302838503028349304023988", "Warning: 1812 overture \"In Progress\"")),
		wrong("an unterminated quote", request("INVITE").line("To", "To: \"Mr. J. User <sip:j.user@example.com>")),
		wrong("angle brackets around the request URI", request("INVITE").to("<sip:user@example.com>")),
		wrong("spaces in the request URI", request("INVITE").to("sip:user@example.com; lr")),
		wrong("several spaces in the request line", torso{start: "INVITE  sip:user@example.com  SIP/2.0", lines: request("INVITE").lines}),
		wrong("spaces at the end of the request line", torso{start: "OPTIONS sip:user@example.com SIP/2.0  ", lines: request("OPTIONS").lines}),
		wrong("headers escaped in a URI", request("INVITE").to("sip:user@example.com?Route=%3Csip:example.com%3E")),
		wrong("a broken time", request("INVITE").with("Date: Fri, 01 Jan 2010 16:00:00 EST")),
		wrong("a Contact without angle brackets around parameters", request("REGISTER").line("Contact", "Contact: sip:user@example.com?Route=%3Csip:x%3E;expires=1")),
		wrong("spaces in an address", request("OPTIONS").line("To", "To: \"Watson, Thomas\" < sip:t.watson@example.org >")),
		wrong("a display name that is no token", request("OPTIONS").line("From", "From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43")),
		wrong("an unknown version", torso{start: "OPTIONS sip:t.watson@example.org SIP/7.0", lines: request("OPTIONS").lines}),
		wrong("a method that differs in CSeq", request("OPTIONS").line("CSeq", "CSeq: 8 INVITE")),
		wrong("an unknown method that differs in CSeq", request("NEWMETHOD").line("CSeq", "CSeq: 34 INVITE")),
		wrong("a status of four digits", response("4294967301 better not break the receiver")),
		// 3.2, 3.3: transactions and applications
		wrong("a branch of nothing but the cookie", request("OPTIONS").line("Via", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK")),
		wrong("headers missing", torso{start: "INVITE sip:user@example.com SIP/2.0", lines: []string{"CSeq: 193942 INVITE", "Via: SIP/2.0/UDP " + from + ";branch=z9hG4bKm"}}),
		wrong("nothing but a Via", torso{start: "BYE sip:user@example.com SIP/2.0", lines: []string{"Via: SIP/2.0/UDP " + from + ";branch=z9hG4bKn"}}),
		wrong("an unknown scheme", request("OPTIONS").to("nobodyKnowsThisScheme:totallyopaquecontent")),
		wrong("a familiar scheme", request("OPTIONS").to("soap.beep://192.0.2.103:3002")),
		wrong("an unknown scheme in From", request("REGISTER").line("From", "From: <http://www.example.com>;tag=2")),
		wrong("extensions nobody knows", request("OPTIONS").with("Require: nothingSupportsThis, nothingSupportsThisEither", "Proxy-Require: noProxiesSupportThis")),
		wrong("an unknown content type", request("INVITE").with("Content-Type: application/unknownformat").body7("<audio>\r\n <pcmu port=\"443\"/>\r\n</audio>\r\n")),
		wrong("an unknown authorization scheme", request("REGISTER").with("Authorization: NoOneKnowsThisScheme opaque-data=here")),
		wrong("single headers twice", request("INVITE").with("CSeq: 59 INVITE", "Call-ID: other", "From: <sip:other@example.com>;tag=3413415", "To: <sip:other@example.com>", "Max-Forwards: 5", "Contact: <sip:a@b>")),
		wrong("two Content-Lengths", request("OPTIONS").with("Content-Length: 13", "Content-Length: 5").raw("There's no way to know how many octets")),
		wrong("a response that would be broadcast", response("200 OK").line("Via", "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923").with("Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23")),
		wrong("no hops left", request("OPTIONS").line("Max-Forwards", "Max-Forwards: 0")),
		wrong("a Contact of nothing", request("REGISTER").line("Contact", "Contact:")),
		wrong("an old request without a branch", request("INVITE").line("Via", "Via: SIP/2.0/UDP "+from)),
		wrong("an SDP that lacks what it must have", request("INVITE").with("Content-Type: application/sdp").body7("v=0\r\no=- 1 1 IN IP4 192.0.2.98\r\nm=audio 49217 RTP/AVP 0\r\n")),
		wrong("nothing but line ends", torso{}),
		wrong("a request line and nothing else", torso{start: "INVITE sip:user@example.com SIP/2.0"}),
		wrong("a header line without a colon", request("OPTIONS").with("this is no header")),
		wrong("a thousand Vias", request("OPTIONS").with(strings.Split(strings.TrimSuffix(strings.Repeat("Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKv\n", 1000), "\n"), "\n")...)),
		wrong("bytes that are no text", request("OPTIONS").with("X-\xff\xfe: \x00\x01\x02\x03")),
	}
}

// line puts another line in the place of a header's.
func (m torso) line(name, with string) torso {
	lines := make([]string, len(m.lines))
	for i, l := range m.lines {
		lines[i] = l
		if strings.HasPrefix(l, name+":") {
			lines[i] = with
		}
	}
	m.lines = lines
	return m
}

// with adds lines.
func (m torso) with(lines ...string) torso {
	m.lines = append(append([]string(nil), m.lines...), lines...)
	return m
}

// to puts another URI into the request line.
func (m torso) to(uri string) torso {
	method, _, _ := strings.Cut(m.start, " ")
	m.start = method + " " + uri + " SIP/2.0"
	return m
}

// body7 adds a body with its true length; raw one without; after adds bytes behind a message that is whole.
func (m torso) body7(body string) torso {
	return m.with(fmt.Sprintf("Content-Length: %d", len(body))).raw(body)
}

func (m torso) raw(body string) torso {
	m.body = body
	return m
}

func (m torso) after(rest string) torso { return m.with("Content-Length: 0").raw(rest) }

func (m torso) text() string {
	lines := m.lines
	if !strings.Contains(strings.Join(lines, "\n"), "Content-Length:") && m.body == "" && len(lines) > 2 {
		lines = append(append([]string(nil), lines...), "Content-Length: 0")
	}
	return strings.Join(append([]string{m.start}, lines...), "\r\n") + "\r\n\r\n" + m.body
}
