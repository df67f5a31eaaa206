//go:build e2e

package testbed

import (
	"os/exec"
	"regexp"
	"testing"
)

func TestATestCallToTheEchoOfAsteriskProvesSoundAndKeys(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "telgate", "--config", "/etc/telgate/config.toml", "check", "--call", "main")
	out, _ := cmd.Output() // other trunks of this configuration are broken on purpose
	for _, want := range []string{
		`(?m)^ok +call +main +sip:7199@main answered in \d+ ms, PCMU, .*: sound goes both ways, back after about \d+ ms$`,
		`(?m)^ok +call +main +keys come back \(RFC 4733\)$`,
	} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

func TestTheLadderOfACallToAsteriskShowsItsMessages(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "telgate", "--config", "/etc/telgate/config.toml", "call", "--direct", "--trace", "-", "declines")
	said, _ := cmd.CombinedOutput() // it declines
	for _, want := range []string{
		`(?m)^ +0 ms \|-+ INVITE sip:7114@\S+ -+>`, `(?m) <-+ 401 Unauthorized -+\|`, `(?m) <-+ 180 Ringing -+\|`, `(?m) <-+ 403 Forbidden -+\|`,
		`(?m)^ +\| +audio \S+ PCMU,PCMA,telephone-event sendrecv +\|$`,
	} {
		if !regexp.MustCompile(want).Match(said) {
			t.Errorf("no %s in\n%s", want, said)
		}
	}
}
