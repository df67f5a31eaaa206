package voice

import (
	"strings"
	"time"
)

const (
	// leastSetup is what is left to set up a call after a redirect took its part of the time.
	leastSetup = 4 * time.Second
	// shortestPhone is how many digits a redirect's target has that is a telephone number rather than an extension.
	shortestPhone = 7
)

// user is the final dial string: of the number, or what a redirect named in its place, which the pager has held against the
// rules for numbers and the trunk will hold against those for dial strings.
func (c *call) user(line *Line) (string, error) {
	if c.out.Forward != "" {
		return c.out.Forward, nil
	}
	return line.Dial(c.out.Number)
}

// phone tells whether that is a telephone number.
func (c *call) phone() bool {
	if to := c.out.Forward; to != "" {
		digits := strings.TrimPrefix(to, "+")
		return strings.Trim(digits, "0123456789") == "" && (digits != to || len(digits) >= shortestPhone)
	}
	return c.out.Number.Extension == ""
}

// setup is how long the network may take from now on.
func (c *call) setup() time.Duration {
	return max(c.cfg.Setup-c.out.Spent, min(leastSetup, c.cfg.Setup))
}
