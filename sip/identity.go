package sip

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Identity is who we say we are.
type Identity struct {
	Domain      string // host of From and To; "" = the trunk's host
	CallerID    string // the user by which we are known to the callee; "" = Credentials.User
	FromUser    string // user of From where Assert is not AssertFrom; "" = Credentials.User, else CallerID
	ContactUser string // user of Contact, in REGISTER and INVITE alike; "" = that of From
	DisplayName string
	UserAgent   string
	Assert      Assertion // what carries CallerID; "" = AssertFrom
	Withheld    bool      // Privacy: id, and an anonymous From (RFC 3323 4.1, RFC 3325 9.3)
	Headers     []Header  // further ones of every INVITE
}

// Assertion is the header that carries our caller id.
type Assertion string

// Assertions. A peer that trusts us takes AssertPAI, one that we are a subscriber of takes AssertPPI and asserts the
// number itself (RFC 3325 9.1, 9.2); AssertRPID is draft-ietf-sip-privacy-04, for old equipment.
const (
	AssertFrom Assertion = "from"
	AssertPAI  Assertion = "pai"
	AssertPPI  Assertion = "ppi"
	AssertRPID Assertion = "rpid"
)

// Header is one header of an INVITE that is the operator's own business.
type Header struct{ Name, Value string }

// Addressing is how telephone numbers are written into the Request-URI and To.
type Addressing struct {
	Tel       bool // tel: (RFC 3966) in place of sip:
	UserPhone bool // ;user=phone in sip: (RFC 3261 19.1.1)
}

// anonymous is the From of a caller that is withheld (RFC 3323 4.1.1.3).
const anonymous = "anonymous"

// introduce makes a request an INVITE of ours to this user: whom it is addressed to and who is seen to call.
func (t *Trunk) introduce(req *sip.Request, in Invite, p path) {
	id := t.cfg.Identity
	if in.Phone {
		t.addressPhone(req, in.User)
	}
	from := req.From()
	from.Address.User = t.fromUser()
	if t.numbered(from.Address.User) {
		from.Address.UriParams = phoneParam()
	}
	if id.Withheld {
		from.DisplayName = "Anonymous"
		from.Address = sip.Uri{Scheme: "sip", User: anonymous, Host: "anonymous.invalid"}
		req.AppendHeader(sip.NewHeader("Privacy", "id"))
	}
	if name, value := t.asserted(p); name != "" {
		req.AppendHeader(sip.NewHeader(name, value))
	}
	for _, h := range id.Headers {
		req.AppendHeader(sip.NewHeader(h.Name, h.Value))
	}
}

// addressPhone writes a telephone number into the Request-URI and To.
func (t *Trunk) addressPhone(req *sip.Request, user string) {
	to := req.To()
	switch {
	case t.cfg.Addressing.Tel:
		uri := sip.Uri{}
		if err := sip.ParseUri("tel:"+t.subscriber(user), &uri); err != nil {
			return // digits always parse
		}
		req.Recipient, to.Address = uri, *uri.Clone()
	case t.cfg.Addressing.UserPhone:
		if req.Recipient.UriParams == nil {
			req.Recipient.UriParams = sip.NewParams()
		}
		req.Recipient.UriParams.Add("user", "phone")
		to.Address.UriParams = phoneParam()
	}
}

// Target is what an INVITE to this user would be addressed to, for those who want to know beforehand; phone tells that it
// is a telephone number.
func (t *Trunk) Target(user string, phone bool) string {
	req := t.rehearsal(user)
	if phone {
		t.addressPhone(req, user)
	}
	return req.Recipient.String()
}

// Introduction is who an INVITE would say that we are: its From, and the header that carries our number beside it, or the
// one that withholds it.
func (t *Trunk) Introduction() []string {
	req := t.rehearsal("")
	t.introduce(req, Invite{}, t.outline())
	said := []string{req.From().String()}
	for _, name := range []string{"P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Privacy"} {
		for _, h := range req.GetHeaders(name) {
			said = append(said, h.String())
		}
	}
	return said
}

// rehearsal is as much of an INVITE as its addresses need, to be looked at and not to be sent.
func (t *Trunk) rehearsal(user string) *sip.Request {
	p := t.outline()
	req := sip.NewRequest(sip.INVITE, t.uri(user, p))
	for _, h := range []sip.Header{&sip.FromHeader{DisplayName: t.cfg.Identity.DisplayName, Address: t.uri("", p)}, &sip.ToHeader{Address: t.uri(user, p)}} {
		req.AppendHeader(h)
	}
	req.From().Address.Port, req.From().Address.UriParams = 0, nil
	return req
}

// outline is as much of a path as addresses need.
func (t *Trunk) outline() path {
	host, port, _ := splitAddress(t.cfg.Addresses[0]) // validated
	return path{host: host, port: port}
}

// subscriber is a number as tel: has it: one without its country code needs the context in which it is valid (RFC 3966
// 5.1.5).
func (t *Trunk) subscriber(user string) string {
	if strings.HasPrefix(user, "+") {
		return user
	}
	return user + ";phone-context=" + t.cfg.contextName()
}

// writable tells why a number cannot be addressed as this trunk is told to.
func (c TrunkConfig) writable(in Invite) error {
	if c.Addressing.Tel && in.Phone && !strings.HasPrefix(in.User, "+") && c.contextName() == "" {
		return errors.New("a tel: address without country code needs a domain by name (RFC 3966 5.1.5)")
	}
	return nil
}

// contextName is the domain whose dialling plan local numbers belong to; "" where only an address is known.
func (c TrunkConfig) contextName() string {
	return firstName(append([]string{c.Identity.Domain}, c.Addresses...))
}

// HasName tells whether one of these hosts is a name, which tel: addresses without country code need.
func HasName(hosts []string) bool { return firstName(hosts) != "" }

func firstName(hosts []string) string {
	for _, h := range hosts {
		host, _, err := splitAddress(h)
		if _, isAddr := netip.ParseAddr(host); err == nil && isAddr != nil {
			return host
		}
	}
	return ""
}

// asserted is the header that carries our number beside From, "" if none does.
func (t *Trunk) asserted(p path) (name, value string) {
	id := t.cfg.Identity
	uri := t.uri(t.callerID(), p)
	uri.Port, uri.UriParams = 0, nil
	if t.numbered(uri.User) {
		uri.UriParams = phoneParam()
	}
	value = "<" + uri.String() + ">"
	if id.DisplayName != "" {
		value = `"` + id.DisplayName + `" ` + value
	}
	switch id.Assert {
	case AssertPAI:
		return "P-Asserted-Identity", value
	case AssertPPI:
		return "P-Preferred-Identity", value
	case AssertRPID:
		privacy := "off"
		if id.Withheld {
			privacy = "full"
		}
		return "Remote-Party-ID", value + ";party=calling;screen=yes;privacy=" + privacy
	case AssertFrom:
	}
	return "", ""
}

// fromUser is the user part of From.
func (t *Trunk) fromUser() string {
	id := t.cfg.Identity
	if id.Assert == AssertFrom || id.Assert == "" {
		return t.callerID()
	}
	for _, u := range []string{id.FromUser, t.cfg.Credentials.User} {
		if u != "" {
			return u
		}
	}
	return t.callerID()
}

// contactUser is the user part of Contact; one that is withheld is not named there either (RFC 3323 4.1.1.3), but where the
// peer knows us by it.
func (t *Trunk) contactUser() string {
	if t.cfg.Identity.ContactUser != "" {
		return t.cfg.Identity.ContactUser
	}
	if t.cfg.Identity.Withheld {
		return anonymous
	}
	return t.fromUser()
}

// numbered tells whether a user of ours is marked as a telephone number.
func (t *Trunk) numbered(user string) bool {
	return t.cfg.Addressing.UserPhone && user == t.cfg.Identity.CallerID && strings.Trim(strings.TrimPrefix(user, "+"), "0123456789") == "" && len(user) >= 7
}

func phoneParam() sip.HeaderParams {
	params := sip.NewParams()
	params.Add("user", "phone")
	return params
}

// userOf is the user that a URI calls: of a tel: the number.
func userOf(uri *sip.Uri) string {
	if uri.User == "" && strings.EqualFold(uri.Scheme, "tel") {
		number, _, _ := strings.Cut(uri.Raw(), ";")
		return number
	}
	return uri.User
}

// check reports what is wrong with an identity; it is asked when a trunk is made, and again before every INVITE.
func (i Identity) check(fault func(key, format string, args ...any)) {
	for _, f := range []struct{ key, value string }{{"caller_id", i.CallerID}, {"from_user", i.FromUser}} {
		if !isToken(f.value) || strings.ContainsAny(f.value, ":[]") {
			fault(f.key, "contains characters that a SIP address cannot hold")
		}
	}
	if strings.ContainsAny(i.DisplayName, `"\`) || control(i.DisplayName) {
		fault("display_name", "contains a line break, quote or backslash")
	}
	switch i.Assert {
	case "", AssertFrom:
		if i.FromUser != "" {
			fault("from_user", "has no place while identity = \"from\": From carries caller_id")
		}
	case AssertPAI, AssertPPI, AssertRPID:
	default:
		fault("identity", "%q is not from, pai, ppi or rpid", i.Assert)
	}
	if len(i.Headers) > maxHeaders {
		fault("headers", "%d headers are more than %d", len(i.Headers), maxHeaders)
	}
	for n, h := range i.Headers {
		if err := h.check(); err != nil {
			fault("headers", "%q: %v", h.Name, err)
		}
		for _, other := range i.Headers[:min(n, maxHeaders)] {
			if strings.EqualFold(other.Name, h.Name) {
				fault("headers", "%q comes twice", h.Name)
			}
		}
	}
}

// sound is check as one error.
func (i Identity) sound() error {
	var faults []error
	i.check(func(key, format string, args ...any) {
		faults = append(faults, &ConfigError{key, fmt.Sprintf(format, args...)})
	})
	return errors.Join(faults...)
}
