//go:build e2e

package testbed

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telgate/testbed/baresip"
)

// exchange is a PBX of another company (foreign/): the same lines, desks and dial plan on three kinds of Asterisk.
type exchange struct {
	name  string
	host  string
	plain int    // port of UDP and TCP
	tls   int    // port of TLS
	login string // of its accounts, "" = their names
}

func exchanges() []exchange {
	return []exchange{
		{"Asterisk 22", "asterisk22", 5060, 5061, "k4711"},
		{"Asterisk 16", "asterisk16", 5060, 5061, "k4711"},
		{"Asterisk 16 with chan_sip", "asterisk16", 5070, 5071, ""},
	}
}

// encounter is one call to a foreign PBX: over which line, to which extension, who sits there, and what telgate must say.
type encounter struct {
	name   string
	line   string // the account
	number string
	desk   func(*baresip.Phone) // nil = nobody has to be there
	exit   int
	said   [3]string // outcome/detail status/Q.850, by exchange; "" = it knows no such thing
}

func encounters() []encounter {
	same := func(s string) [3]string { return [3]string{s, s, s} }
	pjsip := func(s string) [3]string { return [3]string{s, s, ""} }
	drivers := func(pjsip, sip string) [3]string { return [3]string{pjsip, pjsip, sip} } // chan_sip gives no cause unless it is told to
	confirmed := "confirmed/ 200/0"
	return []encounter{
		{"somebody presses 1", "alarm", "601", pressesOne, 0, same(confirmed)},
		{"nobody says anything", "alarm", "630", nil, 3, same("answered/no_key 200/0")},
		{"it rings", "alarm", "602", letsItRing, 3, same("no_answer/ring_limit 487/0")},
		{"the dial plan gives up", "alarm", "624", letsItRing, 3, drivers("no_answer/status 603/16", "declined/status 603/0")},
		{"the dial plan gives up and says why", "alarm-why", "629", letsItRing, 3, [3]string{2: "no_answer/status 603/16"}},
		{"busy", "alarm", "603", isBusy, 3, drivers("busy/q850 486/17", "busy/status 486/0")},
		{"refused", "alarm", "641", nil, 3, drivers("declined/q850 403/21", "declined/status 403/0")},
		{"no such number", "alarm", "699", nil, 3, same("invalid_number/status 404/0")},
		{"no telephone is registered", "alarm", "606", nil, 3, drivers("unreachable/q850 404/3", "unreachable/status 480/0")},
		{"no telephone is registered, and the dial plan says so", "alarm", "656", nil, 3, drivers("unreachable/q850 480/20", "unreachable/status 480/0")},
		{"all lines are taken", "alarm", "640", nil, 4, drivers("trunk_failed/q850 503/34", "trunk_failed/status 503/0")},
		{"wrong password", "alarm-wrong", "631", nil, 4, drivers("trunk_failed/credentials 401/0", "trunk_failed/status 403/0")},
		{"nothing listens", "alarm-nowhere", "631", nil, 4, same("trunk_failed/no_response 0/0")},
		{"nothing listens, over TCP", "alarm-nowhere-tcp", "631", nil, 4, same("trunk_failed/transport 0/0")},
		{"over TCP", "alarm-tcp", "631", nil, 0, same(confirmed)},
		{"over TLS with SRTP", "alarm-tls", "631", nil, 0, same(confirmed)},
		{"keys by INFO", "alarm-info", "631", nil, 0, same(confirmed)},
		{"a session of 90 s", "alarm-timers", "632", nil, 0, same(confirmed)},
		{"ringing that must be acknowledged", "alarm-rel", "631", nil, 0, pjsip(confirmed)},
		{"held with music", "alarm", "605", holds, 0, same(confirmed)},
		{"held", "alarm-hold", "607", holds, 0, pjsip(confirmed)},
		{"handed on", "alarm", "608", handsOnTo("631"), 0, same(confirmed)},
	}
}

func TestForeignPBXsAreUnderstood(t *testing.T) {
	for i, x := range exchanges() {
		config := x.config(t)
		for _, e := range encounters() {
			if e.said[i] == "" {
				continue
			}
			t.Run(x.name+"/"+e.name, func(t *testing.T) {
				t.Parallel()
				x.meets(t, config, e, e.said[i])
			})
		}
	}
}

// meets places one call, while somebody sits at the desk if it has to be.
func (x exchange) meets(t *testing.T, config string, e encounter, want string) {
	t.Helper()
	var at *baresip.Phone
	if e.desk != nil {
		at = newDesk(t, fmt.Sprintf("%s:%d", x.host, x.plain), strings.Replace(e.number, "62", "60", 1), "Quay-9-East")
	}
	said := telling(t, config, e.line+"-"+e.number)
	if at != nil {
		e.desk(at)
	}
	events, exit := said.ends()
	ended := last(events)
	got := fmt.Sprintf("%s/%s %d/%d", ended.Outcome, ended.Detail, ended.Status, ended.Q850)
	if got != want || exit != e.exit {
		t.Errorf("%s, exit %d; want %s, %d", got, exit, want, e.exit)
	}
}

// config is telgate's, with every line of the exchange and everybody who is called over it.
func (x exchange) config(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	fmt.Fprintf(&b, "[gateway]\nstate_dir = %q\n[calls]\nring = \"6s\"\nsetup = \"8s\"\nrounds = 1\nbusy_max = 0\nmax_duration = \"75s\"\n", dir)
	lines := map[string]bool{}
	for _, e := range encounters() {
		if !lines[e.line] {
			lines[e.line] = true
			b.WriteString(x.trunk(e.line))
		}
		fmt.Fprintf(&b, "[people.%s-%s]\nphones = [\"sip:%s@%s\"]\n", e.line, e.number, e.number, e.line)
	}
	file := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// trunk is the table of one line.
func (x exchange) trunk(line string) string {
	user, port, password, more := line, x.plain, "Mole-3-West", ""
	switch line {
	case "alarm-tcp":
		user, more = "alarm", "transport = \"tcp\"\n"
	case "alarm-tls":
		port, more = x.tls, fmt.Sprintf("transport = \"tls\"\ntls_ca = \"/keys/%s.crt\"\nsrtp = \"required\"\n", x.host)
	case "alarm-wrong":
		user, password = "alarm", "guessed"
	case "alarm-nowhere":
		user, port = "alarm", 5999
	case "alarm-nowhere-tcp":
		user, port, more = "alarm", 5999, "transport = \"tcp\"\n"
	}
	login := x.login
	if login == "" {
		login = user
	}
	return fmt.Sprintf("[trunks.%s]\nkind = \"pbx\"\naddresses = [\"%s:%d\"]\nuser = %q\nauth_user = %q\npassword = %q\n%s", line, x.host, port, user, login, password, more)
}
