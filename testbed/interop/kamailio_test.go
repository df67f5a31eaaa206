//go:build interop

package interop

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telgate/testbed/baresip"
)

// proxyConfig is Kamailio as the proxy of a company: it stays in the path (Record-Route), and forks a call to every
// phone of an extension.
const proxyConfig = `#!KAMAILIO
debug=2
log_stderror=yes
children=2
auto_aliases=no
disable_tcp=%s
%s
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "corex.so"
modparam("tm", "fr_timer", 5000)
modparam("tm", "fr_inv_timer", 30000)

request_route {
	if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
	if (has_totag()) {
		if (loose_route()) { t_relay(); exit; }
		if (is_method("ACK") && t_check_trans()) { t_relay(); }
		exit;
	}
	if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
	if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
	if (!is_method("INVITE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
	record_route();
	remove_hf("Route");
	t_on_failure("ENDED");
%s
	sl_send_reply("404", "Not Found");
}

failure_route[ENDED] { exit; }
`

// newProxy starts Kamailio with these lines about where its extensions are; more go to the top of its configuration.
func newProxy(t *testing.T, listen []string, tcp bool, routes string, more ...string) {
	t.Helper()
	lines := strings.Join(more, "\n") + "\nlisten=" + strings.Join(listen, "\nlisten=")
	disable := map[bool]string{true: "no", false: "yes"}[tcp]
	runKamailio(t, fmt.Sprintf(proxyConfig, disable, lines, routes), listen...)
}

// runKamailio runs a configuration until the test ends, and waits until it listens.
func runKamailio(t *testing.T, config string, listen ...string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "kamailio.cfg")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "kamailio", "-f", file, "-DD", "-E", "-m", "32", "-M", "4", "-Y", dir, "-w", dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends its children then
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Skipf("no Kamailio here: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Cancel()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Kamailio said:\n%s", out.String())
		}
	})
	for _, l := range listen {
		network, address, _ := strings.Cut(l, ":")
		listening(t, strings.Replace(network, "tls", "tcp", 1), address, func() string { return "see its log" })
	}
}

// fork is a route that rings these phones at once.
func fork(user string, phones ...*baresip.Phone) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\tif ($rU == %q) {\n", user)
	for i, p := range phones {
		if i == 0 {
			fmt.Fprintf(&b, "\t\t$ru = \"sip:%s@%s\";\n", user, p.Address)
		} else {
			fmt.Fprintf(&b, "\t\tappend_branch(\"sip:%s@%s\");\n", user, p.Address)
		}
	}
	b.WriteString("\t\tt_relay();\n\t\texit;\n\t}\n")
	return b.String()
}

func TestAProxyForksToTwoPhonesAndTheOtherStopsRinging(t *testing.T) {
	t.Parallel()
	for _, s := range []struct {
		name  string
		trunk func(proxy string) string
	}{
		{"the trunk is the proxy", func(proxy string) string { return trunk("proxy", proxy) }},
		{"the trunk is behind it", func(proxy string) string {
			return trunk("proxy", "pbx.example.com", fmt.Sprintf("outbound_proxy = %q", proxy))
		}},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			desk, mobile := newPhone(t, "7101", ""), newPhone(t, "7101", "")
			address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
			newProxy(t, []string{"udp:" + address}, false, fork("7101", desk, mobile))
			story := telling(t, settings+s.trunk(address)+person("alice", "sip:7101@proxy"), "alice")
			mobile.Until("CALL_INCOMING")
			answer(desk)
			mobile.Until("CALL_CLOSED")
			story.ends(t, "confirmed/", 0)
			desk.Until("CALL_CLOSED")
		})
	}
}

func TestAProxySaysWhatTheLastPhoneSaid(t *testing.T) {
	t.Parallel()
	desk := newPhone(t, "7101", "")
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	newProxy(t, []string{"udp:" + address}, false, fork("7101", desk))
	story := telling(t, settings+trunk("proxy", address)+person("alice", "sip:7101@proxy"), "alice")
	desk.Until("CALL_INCOMING")
	desk.Do("hangup", "")
	story.ends(t, "busy/status", 3)
}

func TestAnExtensionThatAProxyDoesNotKnowDoesNotExist(t *testing.T) {
	t.Parallel()
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	newProxy(t, []string{"udp:" + address}, false, "")
	telling(t, settings+trunk("proxy", address)+person("alice", "sip:7101@proxy"), "alice").ends(t, "invalid_number/status", 3)
}
