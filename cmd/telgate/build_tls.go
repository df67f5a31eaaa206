package main

import (
	"strings"

	"telgate"
	"telgate/config"
	"telgate/sip"
)

// newTLS reads the files of a trunk's TLS.
func newTLS(cfg config.Config, env *environment, t config.Trunk) (sip.TLS, config.Faults) {
	var faults config.Faults
	read := func(key, path string) []byte {
		if path == "" {
			return nil
		}
		b, err := env.readFile(cfg.File.Beside(path))
		if err != nil {
			faults = append(faults, telgate.Fault{Path: "trunks." + t.Name + "." + key, Message: path + ": " + withoutPath(err).Error()})
		}
		return b
	}
	secure := sip.TLS{
		CA: read("tls_ca", t.TLS.CA), Cert: read("tls_cert", t.TLS.Cert), Key: read("tls_key", t.TLS.Key),
		ServerName: t.TLS.ServerName, MinVersion: t.TLS.Min,
	}
	if text := t.TLS.KeyText.Reveal(); text != "" {
		secure.Key = []byte(strings.TrimSpace(text) + "\n")
	}
	if missing(cfg, "trunks."+t.Name) && secure.Key == nil { // told already; a certificate is of no use without its key
		secure.Cert = nil
	}
	if len(faults) > 0 { // what could not be read is no further fault
		return sip.TLS{}, faults
	}
	return secure, nil
}
