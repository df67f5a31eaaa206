package sip_test

import (
	"context"
	"net"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"telgate/sip"
	"telgate/sip/siptest"
)

func TestWhoIsSilentOnUDPIsNamedWithHowLong(t *testing.T) {
	for limit, want := range map[time.Duration]string{
		4 * time.Second: "no answer to OPTIONS from 198.51.100.1:5060 in 4 s",
		time.Hour:       "no answer to OPTIONS from 198.51.100.1:5060 in 32 s",
	} {
		t.Run(limit.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				trunk := openOn(t, inMemory(siptest.NewWire()), carrier, func(c *sip.TrunkConfig) { c.Local.Bind = inside })
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				if _, err := trunk.Probe(ctx); err == nil || err.Error() != want || sip.FailureOf(err) != sip.FailureSilent {
					t.Errorf("%v, want %s", err, want)
				}
				if h := trunk.Health(); h.Failure != want {
					t.Errorf("the trunk's failure is %q", h.Failure)
				}
			})
		})
	}
}

func TestAPeerThatTakesTheConnectionAndSpeaksNoTLSIsNamedSo(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes connections, and nobody reads them
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	trunk := open(t, l.Addr().String(), func(c *sip.TrunkConfig) { c.Transport = "tls" })
	want := regexp.MustCompile(`tls ` + regexp.QuoteMeta(l.Addr().String()) + `: TLS handshake not finished within [\d.]+ m?s: the peer takes the connection and says nothing$`)
	for what, do := range map[string]func(context.Context) error{
		"OPTIONS": func(ctx context.Context) error { _, err := trunk.Probe(ctx); return err },
		"INVITE": func(ctx context.Context) error {
			_, err := trunk.Invite(ctx, sip.Invite{User: "7101", Offer: []byte(sdp)})
			return err
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err := do(ctx)
		cancel()
		if err == nil || !want.MatchString(err.Error()) || sip.FailureOf(err) != sip.FailureHandshake {
			t.Errorf("%s: %v", what, err)
		}
	}
	if h := trunk.Health(); !strings.Contains(h.Failure, "TLS handshake") {
		t.Errorf("the trunk's failure is %q", h.Failure)
	}
}
