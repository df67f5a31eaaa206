package sip

import (
	"context"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Probe is what a trunk answered to OPTIONS.
type Probe struct {
	Status  int
	Phrase  string
	Latency time.Duration
	Allow   string
	Server  string
}

// Alive tells whether the trunk can be expected to take calls: any final response but 408 and 503 says that it is there.
func (p Probe) Alive() bool { return p.Status >= 200 && p.Status != 408 && p.Status != 503 }

// Probe sends OPTIONS to the trunk (RFC 3261 11) and rings nobody. It answers one challenge.
func (t *Trunk) Probe(ctx context.Context) (Probe, error) {
	p, err := t.path(ctx)
	if err != nil {
		return Probe{}, err
	}
	req := t.request(sip.OPTIONS, "", p)
	req.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
	began := t.env.Now()
	res, err := t.transact(ctx, req)
	if err == nil && (res.StatusCode == 401 || res.StatusCode == 407) && t.cfg.Credentials.User != "" {
		auth, authErr := t.cfg.Credentials.answerChallenges(res, "OPTIONS", req.Recipient.String(), nil)
		if authErr == nil {
			began = t.env.Now()
			res, err = t.transact(ctx, t.again(req, 2, p, auth))
		}
	}
	if err != nil {
		return Probe{}, fmt.Errorf("OPTIONS to %s: %w", p.to, err)
	}
	return Probe{
		Status: res.StatusCode, Phrase: res.Reason, Latency: t.env.Now().Sub(began),
		Allow: firstHeader(res, "Allow"), Server: firstHeader(res, "Server", "User-Agent"),
	}, nil
}
