package sip

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"
)

// hops are what REGISTER is sent to: the registrar, or the trunk itself. They are resolved like the trunk's (RFC 3263).
func (r *registration) hops() []string {
	cfg := &r.trunk.cfg
	switch {
	case cfg.OutboundProxy != "":
		return []string{cfg.OutboundProxy}
	case cfg.Register.Registrar != "":
		return []string{cfg.Register.Registrar}
	}
	return cfg.Addresses // the service route is not for REGISTER (RFC 3608 5)
}

func (r *registration) path(ctx context.Context) (path, error) { return r.trunk.pathBy(ctx, r.hops()) }

// mayBeElsewhere tells whether a REGISTER that failed is to be sent to another place of the registrar's at once (RFC 3263
// 4.3): this one is silent or answers 503, and there is one that did not fail lately.
func (r *registration) mayBeElsewhere(ctx context.Context, err error) bool {
	answer, answered := errors.AsType[*refusal](err)
	if _, challenged := errors.AsType[*AuthError](err); challenged || answered && answer.status != 503 {
		return false
	}
	targets, err := r.trunk.targets(ctx, r.hops(), r.trunk.cfg.Transport)
	return err == nil && len(targets) > 1 && !r.trunk.up.health.resting(targets[0].endpoint())
}

// request builds a REGISTER. It goes to the domain and names the account, not the caller id (RFC 3261 10.2).
func (r *registration) request(p path, expires time.Duration) *sip.Request {
	t := r.trunk
	req := t.request(sip.REGISTER, "", p)
	account := t.uri(t.cfg.Credentials.User, p)
	if host, port, err := splitAddress(t.cfg.Register.Registrar); err == nil && t.cfg.Identity.Domain == "" {
		account.Host = bracketed(host)
		req.Recipient.Host, req.Recipient.Port = account.Host, 0
		if port != defaultPort(t.cfg.Transport) {
			req.Recipient.Port = int(port)
		}
	}
	account.Port, account.UriParams = 0, nil
	from := &sip.FromHeader{Address: account, Params: sip.NewParams()}
	from.Params.Add("tag", r.fromTag)
	req.ReplaceHeader(from)
	req.ReplaceHeader(&sip.ToHeader{Address: *account.Clone(), Params: sip.NewParams()})
	id := sip.CallIDHeader(r.callID)
	req.ReplaceHeader(&id)
	req.ReplaceHeader(&sip.CSeqHeader{SeqNo: r.next(), MethodName: sip.REGISTER})
	req.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(int(expires/time.Second))))
	req.AppendHeader(sip.NewHeader("Allow", methods))
	return req
}

// removal is a contact to be taken away (RFC 3261 10.2.2).
func removal(contact sip.Uri) *sip.ContactHeader {
	c := &sip.ContactHeader{Address: contact, Params: sip.NewParams()}
	c.Params.Add("expires", "0")
	return c
}

// query builds a REGISTER that asks for the contacts the registrar has, and changes none (RFC 3261 10.2.3).
func (r *registration) query(p path) *sip.Request {
	req := r.request(p, 0)
	req.RemoveHeader("Contact")
	req.RemoveHeader("Expires")
	return req
}

// AwaitRegistration waits for the first attempt to register to end, and tells what came of it.
func (t *Trunk) AwaitRegistration(ctx context.Context) Registration {
	if t.registration != nil {
		select {
		case <-t.registration.tried:
		case <-ctx.Done():
		}
	}
	return t.Health().Registration
}

// next is the CSeq of the next REGISTER: it rises for the life of the trunk.
func (r *registration) next() uint32 {
	r.seq++
	return r.seq
}

// admit tells whether an INVITE may be sent now. An error is a definite refusal of our own, so that the next trunk is
// taken:
//
//   - "credentials": the trunk refused our password a short while ago. Nothing is sent, even if no other trunk is left:
//     the answer is known, and a PBX that bans us for repeating it (fail2ban) would take the BYEs of other calls with it.
//   - "register": the trunk takes calls from those registered with it, and we are not. Once we were, calls are tried in any
//     case: what has lapsed may only be the registrar. So they are where the account is shared, since whoever of us is
//     registered is for all; who has the turn gives its first attempt its time.
func (t *Trunk) admit(ctx context.Context, p path) error {
	if until := t.auth.restsUntil(); !until.IsZero() {
		return &SendError{"credentials", fmt.Errorf("%w (until %s)", errResting, until.UTC().Format("15:04:05 MST"))}
	}
	r := t.registration
	if r == nil || r.turns.away() {
		return nil
	}
	select {
	case <-r.first:
		if contact := t.vitals.contact(); contact != "" && contact != hostPort(t.contact(p).Address) {
			r.wake() // the connection is another one: the registrar shall know it
		}
		return nil
	default:
	}
	known, shared := t.Health().Registration, r.turns.sharing != nil
	if !known.Refused && (!shared || known.Failure == "") {
		r.wake()
		limited, stop := context.WithTimeout(ctx, registerWait)
		defer stop()
		select {
		case <-r.first:
			return nil
		case <-limited.Done():
		}
		known = t.Health().Registration
	}
	if shared {
		return nil
	}
	if known.Failure == "" {
		known.Failure = "no answer to REGISTER yet"
	}
	return &SendError{"register", errors.New(known.Failure)}
}
