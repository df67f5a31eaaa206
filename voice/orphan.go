package voice

import (
	"context"
	"errors"
	"fmt"

	"telgate"
	"telgate/sip"
)

// errNoTrunk says that a trunk is not, or no longer, configured.
var errNoTrunk = errors.New("the trunk does not exist")

// End ends a call that a gateway left behind when it died, by a CANCEL or, if it was answered, a BYE. The status is that of
// the answer: 481 says that there was nothing to end. A peer that takes us for somebody else may not say anything.
func (v *Voice) End(ctx context.Context, c *telgate.Call) (status int, err error) {
	line, ok := v.lines[c.Trunk]
	if !ok || line.End == nil {
		return 0, fmt.Errorf("end a call over %q: %w", c.Trunk, errNoTrunk)
	}
	return line.End(ctx, sip.Ending(c.Ending)) //nolint:wrapcheck // it says what was tried
}
