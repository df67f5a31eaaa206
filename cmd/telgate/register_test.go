package main

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"telgate/sip/siptest"
)

func TestARegistrationIsShownAndARefusedOneIsNamed(t *testing.T) {
	t.Parallel()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	registrar := siptest.NewRegistrar(conn, siptest.Rules{})
	t.Cleanup(registrar.Close)
	s := newSite(t)
	s.replace("$REGISTRAR", registrar.Addr())
	s.vars["PASSWORD"] = "right"
	s.file("config.toml", strings.Replace(mainTrunk, "addresses = [\"$PBX\"]",
		"addresses = [\"$REGISTRAR\"]\nregister = true\nuser = \"telgate\"\npassword = \"env:PASSWORD\"", 1)+alice+slackSocket)
	for _, c := range []struct {
		name  string
		rules siptest.Rules
	}{
		{"registered", siptest.Rules{Password: "right", Grant: 300}},
		{"not alone", siptest.Rules{Password: "right", Grant: 300, Others: []string{"sip:desk@192.0.2.7", "sip:09012345678@192.0.2.8"}}},
		{"may not", siptest.Rules{Status: "403 Forbidden"}},
		{"wrong password", siptest.Rules{Password: "another"}},
		{"wrong password, and it does not say so", siptest.Rules{Password: "another", Bare: true}},
		{"no password", siptest.Rules{Password: "right"}},
	} {
		registrar.Change(func(r *siptest.Rules) { *r = c.rules })
		fmt.Fprintf(&s.script, "# %s\n", c.name)
		if c.name == "no password" {
			delete(s.vars, "PASSWORD")
		}
		s.telgate("check")
		s.telgate("trunks")
		if c.rules.Status != "" || c.rules.Password == "another" {
			s.serves(func() { s.logs("not registered"); s.types("/tel alice db is down", failure) })
		}
	}
	s.golden("register")
	if left := registrar.Bindings(); len(left) > 0 {
		t.Errorf("%v are left at the registrar", left)
	}
	for _, m := range registrar.Seen("INVITE") {
		t.Errorf("%s", m.Start)
	}
}
