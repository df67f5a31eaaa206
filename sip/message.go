package sip

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// methods is what we let the peer send; it is our Allow.
const methods = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"

// token makes an identifier nobody can guess: n random bytes as hex.
func (t *Trunk) token(n int) string {
	b := make([]byte, n)
	if _, err := io.ReadFull(t.env.Rand, b); err != nil {
		panic("sip: no randomness: " + err.Error()) // crypto/rand does not fail; without it no call is safe
	}
	return hex.EncodeToString(b)
}

// uri is a SIP URI of this trunk's domain. A transport is named where it is not UDP; with TCP for large requests only, it
// is left open, so that the URI does not change with the size.
func (t *Trunk) uri(user string, p path) sip.Uri {
	u := sip.Uri{Scheme: "sip", User: user, Host: t.cfg.Identity.Domain, UriParams: sip.NewParams()}
	if u.Host == "" && p.host != "" {
		u.Host, u.Port = bracketed(p.host), int(p.port)
	} else if u.Host == "" {
		u.Host, u.Port = hostOf(p.to.Addr()), int(p.to.Port())
	}
	if u.Port == int(defaultPort(t.cfg.Transport)) {
		u.Port = 0
	}
	if t.cfg.Transport != "udp" {
		u.UriParams.Add("transport", t.cfg.Transport)
	}
	return u
}

func hostOf(a netip.Addr) string {
	if a.Is6() && !a.Is4In6() {
		return "[" + a.String() + "]"
	}
	return a.Unmap().String()
}

// newVia is a fresh top Via with a branch of its own (RFC 3261 8.1.1.7, RFC 3581).
func (t *Trunk) newVia(p path) *sip.ViaHeader {
	v := &sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: strings.ToUpper(t.over(p)),
		Host: hostOf(p.advertise.Addr()), Port: int(p.advertise.Port()), Params: sip.NewParams(),
	}
	v.Params.Add("branch", "z9hG4bK"+t.token(12))
	v.Params.Add("rport", "")
	return v
}

// request builds a request outside any dialog.
func (t *Trunk) request(method sip.RequestMethod, user string, p path) *sip.Request {
	req := sip.NewRequest(method, t.uri(user, p))
	req.AppendHeader(t.newVia(p))
	maxForwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	for _, r := range t.preloaded(method) {
		req.AppendHeader(&sip.RouteHeader{Address: r})
	}

	from := t.uri(t.callerID(), p)
	from.Port, from.UriParams = 0, nil
	req.AppendHeader(&sip.FromHeader{
		DisplayName: t.cfg.Identity.DisplayName, Address: from, Params: sip.HeaderParams{{K: "tag", V: t.newTag()}},
	})

	to := t.uri(user, p)
	to.Port, to.UriParams = 0, nil
	req.AppendHeader(&sip.ToHeader{Address: to, Params: sip.NewParams()})

	id := sip.CallIDHeader(t.token(16))
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: method})
	req.AppendHeader(t.contact(p))
	t.userAgent(req)
	t.address(req, p)
	return req
}

func (t *Trunk) userAgent(req *sip.Request) {
	if t.cfg.Identity.UserAgent != "" {
		req.AppendHeader(sip.NewHeader("User-Agent", t.cfg.Identity.UserAgent))
	}
}

func (t *Trunk) callerID() string {
	switch {
	case t.cfg.Identity.CallerID != "":
		return t.cfg.Identity.CallerID
	case t.cfg.Credentials.User != "":
		return t.cfg.Credentials.User
	}
	return "telgate"
}

// contact is where the peer's requests reach this trunk.
func (t *Trunk) contact(p path) *sip.ContactHeader {
	u := sip.Uri{Scheme: "sip", User: t.contactUser(), Host: hostOf(p.advertise.Addr()), Port: int(p.advertise.Port())}
	if over := t.over(p); over != "udp" {
		u.UriParams = sip.NewParams()
		u.UriParams.Add("transport", over)
	}
	return &sip.ContactHeader{Address: u}
}

// inviteRequest builds the INVITE of a call.
func (t *Trunk) inviteRequest(in Invite, p path) *sip.Request {
	req := t.request(sip.INVITE, in.User, p)
	t.introduce(req, in, p)
	req.AppendHeader(sip.NewHeader("Allow", methods))
	req.AppendHeader(sip.NewHeader("Supported", supported))
	if in.Expires > 0 {
		req.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(int(in.Expires/time.Second))))
	}
	contentType := sip.ContentTypeHeader("application/sdp")
	req.AppendHeader(&contentType)
	req.SetBody(in.Offer)
	if t.over(p) == "udp" {
		slim(req, inviteGoal)
	}
	return req
}

// cancelRequest follows RFC 3261 9.1: everything of the INVITE it cancels, its Via included, and nothing more.
func (t *Trunk) cancelRequest(invite *sip.Request, reason string, p path) *sip.Request {
	req := sip.NewRequest(sip.CANCEL, *invite.Recipient.Clone())
	for _, name := range []string{"Via", "Route", "From", "To", "Call-ID"} {
		sip.CopyHeaders(name, invite, req)
	}
	maxForwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.CANCEL})
	addReason(req, reason)
	t.address(req, p)
	return req
}

func addReason(req *sip.Request, reason string) {
	if reason != "" && !strings.ContainsAny(reason, "\r\n") {
		req.AppendHeader(sip.NewHeader("Reason", reason))
	}
}

// headerValues are the values of all headers of that name.
func headerValues(m interface {
	GetHeaders(name string) []sip.Header
}, name string,
) []string {
	headers := m.GetHeaders(name)
	values := make([]string, 0, len(headers))
	for _, h := range headers {
		values = append(values, h.Value())
	}
	return values
}

func firstHeader(m interface {
	GetHeaders(name string) []sip.Header
}, names ...string,
) string {
	for _, n := range names {
		if v := headerValues(m, n); len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

// retryAfter reads "120 (I'm in a meeting);duration=60" (RFC 3261 20.33).
func retryAfter(m interface {
	GetHeaders(name string) []sip.Header
},
) time.Duration {
	v := strings.TrimSpace(firstHeader(m, "Retry-After"))
	end := 0
	for end < len(v) && v[end] >= '0' && v[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(v[:end])
	if err != nil || n > 86_400 {
		return 0
	}
	return time.Duration(n) * time.Second
}

func tagOf(params sip.HeaderParams) string {
	tag, _ := params.Get("tag")
	return tag
}

func statusLine(res *sip.Response) string { return fmt.Sprintf("%d %s", res.StatusCode, res.Reason) }

// draw is a random number from 0 to n-1, n at most 65,536, for the waits that RFC 3261 wants random.
func (t *Trunk) draw(n int) int {
	var b [2]byte
	if _, err := io.ReadFull(t.env.Rand, b[:]); err != nil {
		return n / 2 // a fixed wait does
	}
	return (int(b[0])<<8 | int(b[1])) % n
}
