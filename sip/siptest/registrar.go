package siptest

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Registrar is a PBX that devices register with. It answers REGISTER (RFC 3261 10.3) and OPTIONS, and every INVITE with 486.
type Registrar struct {
	conn net.PacketConn
	work sync.WaitGroup
	seen chan Message

	mu       sync.Mutex
	rules    Rules
	messages []Message
	bindings []string       // our contacts, as written
	expires  map[string]int // of a contact, in seconds
	nonces   map[string]int // the highest nc seen
	made     int
	answers  map[string]string // by Via: a repetition is answered as before
}

// Rules are how a registrar behaves.
type Rules struct {
	Password      string // "" = asks for none
	Algorithm     string // of its challenges; "" = MD5
	Grant         int    // seconds, 0 = as asked
	MinExpires    int    // seconds, 0 = none
	OneTime       bool   // a nonce is good for one request, and its refusal does not say stale
	Stale         bool   // an old nonce is called stale
	Silent        bool
	Deaf          bool     // to OPTIONS
	Bare          bool     // a wrong password is answered 403, as by chan_sip and FreeSWITCH
	Status        string   // of every answer to a REGISTER, "403 Forbidden"; "" = the right one
	More          []string // header lines of every answer to a REGISTER
	Others        []string // contacts of other devices
	RealmOfInvite string   // of challenges to INVITE, "" = the registrar's
	SeenAt        string   // host:port that requests seem to come from, as behind a NAT; "" = where they do
	Rewrite       bool     // keeps contacts as it sees them, not as they are written
	Most          int      // contacts that it keeps, 0 = any number; one more is refused
	Replaces      bool     // with Most: the oldest makes room instead
}

// NewRegistrar serves on a socket, which it closes.
func NewRegistrar(conn net.PacketConn, rules Rules) *Registrar {
	r := &Registrar{
		conn: conn, rules: rules, seen: make(chan Message, 1024), expires: map[string]int{}, nonces: map[string]int{}, answers: map[string]string{},
	}
	r.work.Go(r.read)
	return r
}

// Addr is its host and port.
func (r *Registrar) Addr() string { return r.conn.LocalAddr().String() }

// Close ends it without a word.
func (r *Registrar) Close() {
	_ = r.conn.Close()
	r.work.Wait()
}

// Change has it behave in another way from now on.
func (r *Registrar) Change(change func(*Rules)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.rules)
}

// Forget loses every binding and nonce, as a PBX that restarts.
func (r *Registrar) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bindings, r.nonces = nil, map[string]int{}
}

// Bindings are the contacts that are registered.
func (r *Registrar) Bindings() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.bindings...)
}

// Seen are the requests of a method so far, repetitions left out.
func (r *Registrar) Seen(method string) []Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Message
	for _, m := range r.messages {
		if m.Method() == method {
			all = append(all, m)
		}
	}
	return all
}

// Requests are the requests as they come, repetitions left out.
func (r *Registrar) Requests() <-chan Message { return r.seen }

func (r *Registrar) read() {
	buf := make([]byte, 65536)
	for {
		n, from, err := r.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		m, err := parse(string(buf[:n]))
		udp, ok := from.(*net.UDPAddr)
		if err != nil || !ok || m.Method() == "" {
			continue // keep-alives
		}
		m.From = udp
		if text := r.take(m); text != "" {
			_, _ = r.conn.WriteTo([]byte(text), from)
		}
	}
}

// take books a request and gives its answer.
func (r *Registrar) take(m Message) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.Method() == "ACK" {
		return ""
	}
	text, known := r.answers[m.Get("Via")]
	if !known {
		r.messages = append(r.messages, m)
		select {
		case r.seen <- m:
		default:
		}
	}
	if text == "" && !r.rules.Silent { // what was not answered may be when it is repeated
		text = r.answer(m)
	}
	r.answers[m.Get("Via")] = text
	return text
}

func (r *Registrar) answer(m Message) string {
	host, port, _ := net.SplitHostPort(r.seenAt(m))
	via := fmt.Sprintf("%s;received=%s;rport=%s", strings.ReplaceAll(m.Get("Via"), ";rport", ""), host, port)
	for i := range m.Headers {
		if m.Headers[i][0] == "Via" {
			m.Headers = append([][2]string(nil), m.Headers...)
			m.Headers[i][1] = via
			break
		}
	}
	reply := func(status string, more ...string) string {
		return m.response(status, "registrar", r.Addr(), "", more...)
	}
	if m.Method() == "REGISTER" && r.rules.Status != "" {
		return reply(r.rules.Status, r.rules.More...)
	}
	if r.rules.Password != "" && m.Method() != "OPTIONS" {
		if challenge := r.demand(m); challenge != "" {
			if r.rules.Bare && m.Get("Authorization") != "" {
				return reply("403 Forbidden")
			}
			return reply("401 Unauthorized", challenge)
		}
	}
	switch m.Method() {
	case "REGISTER":
		return r.register(m)
	case "OPTIONS":
		if r.rules.Deaf {
			return ""
		}
		return reply("200 OK")
	}
	return reply("486 Busy Here")
}

// seenAt is where a request seems to come from.
func (r *Registrar) seenAt(m Message) string {
	if r.rules.SeenAt != "" {
		return r.rules.SeenAt
	}
	return m.From.String()
}

// demand is the challenge a request has to answer yet, "" if it has proved to know the password.
func (r *Registrar) demand(m Message) string {
	home := realm
	if r.rules.RealmOfInvite != "" && m.Method() == "INVITE" {
		home = r.rules.RealmOfInvite
	}
	p := parameters(strings.TrimPrefix(m.Get("Authorization"), "Digest "))
	_, uri, _ := strings.Cut(m.Start, " ")
	uri, _, _ = strings.Cut(uri, " ")
	nc, _ := strconv.ParseInt(p["nc"], 16, 32)
	last, known := r.nonces[p["nonce"]]
	right := proof(p, home, r.rules.Password, m.Method(), uri) == p["response"] && p["uri"] == uri && p["realm"] == home
	used := !known || int(nc) <= last || r.rules.OneTime && last > 0
	if right && !used {
		r.nonces[p["nonce"]] = int(nc)
		return ""
	}
	r.made++
	fresh := hash(fmt.Sprintf("%d of %s", r.made, r.Addr()))
	r.nonces[fresh] = 0
	algorithm := r.rules.Algorithm
	if algorithm == "" {
		algorithm = "MD5"
	}
	stale := ""
	if r.rules.Stale && right {
		stale = ", stale=true"
	}
	return fmt.Sprintf(`WWW-Authenticate: Digest realm=%q, nonce=%q, algorithm=%s, qop="auth"%s`, home, fresh, algorithm, stale)
}

// register keeps, lists or removes the request's contact.
func (r *Registrar) register(m Message) string {
	reply := func(status string, more ...string) string {
		return m.response(status, "registrar", r.Addr(), "", more...)
	}
	before := append([]string(nil), r.bindings...)
	for _, written := range m.All("Contact") {
		asked, _ := strconv.Atoi(m.Get("Expires"))
		contact, params, _ := strings.Cut(written, ">")
		contact = strings.TrimPrefix(contact, "<")
		if e, found := strings.CutPrefix(params, ";expires="); found {
			asked, _ = strconv.Atoi(e)
		}
		if user, _, ok := strings.Cut(contact, "@"); ok && r.rules.Rewrite {
			contact = user + "@" + r.seenAt(m)
		}
		if asked > 0 && asked < r.rules.MinExpires {
			return reply("423 Interval Too Brief", "Min-Expires: "+strconv.Itoa(r.rules.MinExpires))
		}
		r.bind(contact, asked)
	}
	if over := len(r.bindings) - r.rules.Most; r.rules.Most > 0 && over > 0 {
		if !r.rules.Replaces {
			r.bindings = before
			return reply("403 Forbidden")
		}
		r.bindings = r.bindings[over:]
	}
	more := append([]string(nil), r.rules.More...)
	for _, c := range r.rules.Others {
		more = append(more, "Contact: <"+c+">;expires=1800")
	}
	for _, c := range r.bindings {
		more = append(more, fmt.Sprintf("Contact: <%s>;expires=%d", c, r.expires[c]))
	}
	text := reply("200 OK", append(more, "Date: "+time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))...)
	return strings.Replace(text, fmt.Sprintf("Contact: <sip:peer@%s>\r\n", r.Addr()), "", 1)
}

// bind keeps a contact for the seconds asked, 0 takes it away.
func (r *Registrar) bind(contact string, asked int) {
	r.remove(contact)
	if asked == 0 {
		return
	}
	r.bindings = append(r.bindings, contact)
	if r.rules.Grant > 0 {
		asked = r.rules.Grant
	}
	r.expires[contact] = asked
}

func (r *Registrar) remove(contact string) {
	for i, c := range r.bindings {
		if c == contact {
			r.bindings = append(r.bindings[:i:i], r.bindings[i+1:]...)
			return
		}
	}
}
