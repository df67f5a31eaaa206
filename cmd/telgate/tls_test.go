package main

import (
	"testing"
	"time"

	"telgate/sip/siptest"
)

// overTLS is the trunk of a site where somebody speaks TLS at $TLS.
const overTLS = `
[sip]
bind = "127.0.0.1"
[calls]
setup = "2s"
rounds = 1
[trunks.main]
kind = "pbx"
addresses = ["$TLS"]
transport = "tls"
`

func TestCheckSaysWhatIsWrongWithTLSAndWhatToDoAboutIt(t *testing.T) {
	t.Parallel()
	ca := siptest.NewAuthority(t, "our CA")
	for _, c := range []struct {
		name  string
		pair  siptest.Pair
		keys  string
		wants []string
	}{
		{"unknown CA", ca.Issue(time.Hour, "127.0.0.1"), "", []string{
			"fail  trunk    main", "signed by an unknown CA (CN=our CA): set tls_ca to the CA", "fail  tls      main", "CN=127.0.0.1 by CN=our CA",
		}},
		{"expired", ca.Issue(-time.Hour, "127.0.0.1"), "tls_ca = \"ca.pem\"\n", []string{"its certificate has expired", "have the peer's certificate renewed"}},
		{"wrong name", ca.Issue(time.Hour, "pbx.test"), "tls_ca = \"ca.pem\"\n", []string{"is for another server than 127.0.0.1", "set tls_server_name"}},
		{"soon over", ca.Issue(time.Hour, "pbx.test"), "tls_ca = \"ca.pem\"\ntls_server_name = \"pbx.test\"\ntls_cert = \"cert.pem\"\ntls_key = \"key.pem\"\n", []string{
			"warn  tls      main", "CN=pbx.test by CN=our CA, until ", "have it renewed", "we show CN=telgate by CN=our CA", "renew tls_cert",
		}},
		{"no such file", ca.Issue(time.Hour, "127.0.0.1"), "tls_ca = \"nowhere.pem\"\n", []string{"trunks.main.tls_ca: nowhere.pem: no such file or directory", "-- exit 2"}},
		{"no certificate", ca.Issue(time.Hour, "127.0.0.1"), "tls_ca = \"config.toml\"\n", []string{"trunks.main.tls_ca: holds no certificate in PEM form"}},
		{"no key", ca.Issue(time.Hour, "127.0.0.1"), "tls_cert = \"cert.pem\"\n", []string{"trunks.main.tls_key: is needed where tls_cert is given"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			peer := siptest.NewStreamAt(t, "127.0.0.1:0", c.pair.Config(t))
			s.replace("$TLS", peer.Addr())
			mine := ca.Issue(time.Hour, "telgate")
			s.file("ca.pem", string(ca.PEM()))
			s.file("cert.pem", string(mine.Cert))
			s.file("key.pem", string(mine.Key))
			s.file("config.toml", overTLS+c.keys)
			s.telgate("check")
			for _, want := range c.wants {
				s.says(want)
			}
		})
	}
}

func TestACallSaysWhyTLSFailed(t *testing.T) {
	t.Parallel()
	ca := siptest.NewAuthority(t, "our CA")
	for _, c := range []struct {
		name string
		pair siptest.Pair
		keys string
		want string
	}{
		{"unknown CA", ca.Issue(time.Hour, "127.0.0.1"), "", "its certificate is signed by an unknown CA (CN=our CA))"},
		{"expired", ca.Issue(-time.Hour, "127.0.0.1"), "tls_ca = \"ca.pem\"\n", "its certificate has expired, or is not valid yet"},
		{"wrong name", ca.Issue(time.Hour, "pbx.test"), "tls_ca = \"ca.pem\"\n", "its certificate is for another server than 127.0.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.replace("$TLS", siptest.NewStreamAt(t, "127.0.0.1:0", c.pair.Config(t)).Addr())
			s.file("ca.pem", string(ca.PEM()))
			s.file("config.toml", overTLS+c.keys+alice)
			s.telgate("call alice")
			s.says("trunk main cannot be reached (connect: tls $TLS: "+c.want, "-- exit 4")
		})
	}
}
