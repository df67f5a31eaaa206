package voice

import (
	"testing"
	"testing/synctest"
	"time"

	"telgate"
	"telgate/sip"
)

func TestARedirectIsDialledInPlaceOfTheNumberWithinTheTimeThatIsLeft(t *testing.T) {
	mobile := telgate.Number{E164: "+12025550101", Country: "1"}
	desk := telgate.Number{Extension: "7101", Trunk: "main"}
	for _, c := range []struct {
		name    string
		number  telgate.Number
		forward string
		spent   time.Duration
		user    string
		phone   bool
		setup   time.Duration
	}{
		{"the number itself", mobile, "", 0, "dialled", true, 20 * time.Second},
		{"an extension", desk, "", 0, "dialled", false, 20 * time.Second},
		{"to a number", desk, "+12025550189", 5 * time.Second, "+12025550189", true, 15 * time.Second},
		{"to a national number", desk, "0312345678", time.Minute, "0312345678", true, 4 * time.Second},
		{"to an extension", mobile, "7102", 0, "7102", false, 20 * time.Second},
		{"to a name", desk, "front-desk", 0, "front-desk", false, 20 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := begin(t, func(_ *Config, o *telgate.Order) {
				o.Number, o.Forward, o.Spent = c.number, c.forward, c.spent
			})
			if s.invite.User != c.user || s.invite.Phone != c.phone || s.invite.Expires != c.setup+25*time.Second+expiresMargin {
				t.Errorf("%s: %+v", c.name, s.invite)
			}
			s.pass(c.setup - time.Millisecond)
			select {
			case <-s.leg.hung:
				t.Errorf("%s: cancelled within the time", c.name)
			default:
			}
			call, _ := s.hungUp(t, sip.EndedByCancelled)
			if call.Outcome != telgate.OutcomeTrunkFailed {
				t.Errorf("%s: %s", c.name, call.Outcome)
			}
		})
	}
}
