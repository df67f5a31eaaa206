package sip

import (
	"slices"

	"github.com/emiago/sipgo/sip"
)

// dialog is one dialog of a leg, early or confirmed (RFC 3261 12). A forked INVITE makes several.
type dialog struct {
	toTag  string
	remote sip.ToHeader
	target sip.Uri
	called *sip.Uri  // the INVITE's: in place of a target, where the peer named none
	routes []sip.Uri // in the order requests follow them
	sdp    []byte    // of a 18x, used where the 2xx carries none
	order  sequence  // of the peer's requests
	rseq   uint32    // of the last reliable 18x, 0 before the first (RFC 3262)
	gone   bool      // a 199 ended it (RFC 6228)
	byed   bool      // a BYE came before its 2xx
	way    *heading  // nil = its requests go as the INVITE did
}

// dialogOf reads a dialog from a response that made it.
func dialogOf(res *sip.Response) *dialog {
	d := &dialog{}
	if to := res.To(); to != nil {
		d.remote, d.toTag = *to, tagOf(to.Params)
	}
	d.refresh(res)
	for _, h := range res.GetHeaders("Record-Route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			d.routes = append(d.routes, rr.Address)
		}
	}
	slices.Reverse(d.routes) // RFC 3261 12.1.2
	return d
}

// refresh follows a new Contact of the peer (target refresh, RFC 3261 12.2.1.2).
func (d *dialog) refresh(m interface{ Contact() *sip.ContactHeader }) {
	if c := m.Contact(); c != nil && !c.Address.Wildcard && c.Address.Host != "" {
		d.target = *c.Address.Clone()
	}
}

// request builds a request inside the dialog (RFC 3261 12.2.1.1), by the way that is known now. Contact stays where the
// INVITE said we are, whatever the way: another would be a new target.
func (l *Leg) request(d *dialog, method sip.RequestMethod, seq uint32) *sip.Request {
	p := l.toward(d)
	uri, routes := l.routed(d)
	req := sip.NewRequest(method, uri)
	req.AppendHeader(l.trunk.newVia(p))
	maxForwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	for _, r := range routes {
		req.AppendHeader(&sip.RouteHeader{Address: *r.Clone()})
	}
	from := *l.from
	req.AppendHeader(&from)
	remote := d.remote
	req.AppendHeader(&remote)
	id := sip.CallIDHeader(l.callID)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: method})
	if method != sip.ACK {
		req.AppendHeader(l.trunk.contact(l.path))
	}
	l.trunk.userAgent(req)
	l.trunk.address(req, p)
	return req
}

// remoteTarget is the Request-URI of the dialog's requests.
func (l *Leg) remoteTarget(d *dialog) *sip.Uri {
	switch {
	case d.target.Host != "":
		return &d.target
	case d.called != nil:
		return d.called
	}
	return &l.first.Recipient
}

// routed are the Request-URI and the Routes of the dialog's requests. A first hop that is no loose router is addressed itself,
// and the target is where the way ends (RFC 3261 12.2.1.1); a loose router that forgot to say so undoes that (16.4).
func (l *Leg) routed(d *dialog) (uri sip.Uri, routes []sip.Uri) {
	target := l.remoteTarget(d).Clone()
	if len(d.routes) == 0 || isLoose(&d.routes[0]) {
		return *target, d.routes
	}
	hop := d.routes[0].Clone()
	hop.Headers = nil // a Request-URI holds neither (19.1.1)
	hop.UriParams.Remove("method")
	return *hop, append(slices.Clone(d.routes[1:]), *target)
}

// isLoose tells whether a route is a loose router's.
func isLoose(route *sip.Uri) bool {
	_, loose := param(route.UriParams, "lr")
	return loose
}

// hop is the URI that the dialog's requests go to: the first route, else the remote target.
func (d *dialog) hop() *sip.Uri {
	if len(d.routes) > 0 {
		return &d.routes[0]
	}
	return &d.target
}

func trimBrackets(host string) string {
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}
