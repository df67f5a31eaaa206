//go:build interop

package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// registrarConfig is Kamailio as a registrar. It counts nonces, so that one sent twice is refused, and it is so without
// stale: what was sent ahead and refused must not look like a wrong password.
const registrarConfig = `#!KAMAILIO
debug=2
log_stderror=yes
children=2
auto_aliases=no
disable_tcp=yes
listen=udp:%s
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("auth", "nonce_count", 1)
modparam("auth", "qop", "auth")
modparam("registrar", "max_expires", 120)
modparam("registrar", "min_expires", 60)

request_route {
	if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
	if (!is_method("REGISTER")) { sl_send_reply("404", "Not Found"); exit; }
	if (!pv_www_authenticate("pbx", "secret", "0")) { www_challenge("pbx", "1"); exit; }
	save("location");
}
`

// newRegistrar starts Kamailio and returns its address.
func newRegistrar(t *testing.T) string {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	runKamailio(t, fmt.Sprintf(registrarConfig, address), "udp:"+address)
	return address
}

// trunks runs "telgate trunks" and returns what it says of the only trunk.
func trunks(t *testing.T, config string) (state, reason string, registered bool, granted int) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(file, []byte(fmt.Sprintf("[gateway]\nstate_dir = %q\n", dir)+config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Getenv("TELGATE"), "--config", file, "--json", "trunks")
	out, _ := cmd.Output() // its status says what the lines say
	for line := range strings.Lines(string(out)) {
		var l struct {
			Trunk, State, Reason string
			Registration         struct {
				Registered bool `json:"registered"`
				Granted    int  `json:"granted_s"`
			}
		}
		if err := json.Unmarshal([]byte(line), &l); err == nil && l.Trunk != "" {
			return l.State, l.Reason, l.Registration.Registered, l.Registration.Granted
		}
	}
	t.Fatalf("no trunk in %s", out)
	return "", "", false, 0
}

func TestKamailioGrantsLessThanIsAskedFor(t *testing.T) {
	t.Parallel()
	state, _, registered, granted := trunks(t, trunk("pbx", newRegistrar(t), "register = true"))
	if state != "up" || !registered || granted < 115 || granted > 120 {
		t.Errorf("%s, registered %v for %d s", state, registered, granted)
	}
}

func TestKamailioRefusesAWrongPassword(t *testing.T) {
	t.Parallel()
	config := strings.Replace(trunk("pbx", newRegistrar(t), "register = true"), `"secret"`, `"wrong"`, 1)
	if state, reason, registered, _ := trunks(t, config); state != "down" || reason != "credentials" || registered {
		t.Errorf("%s (%s), registered %v", state, reason, registered)
	}
}
