package config

import (
	"fmt"
	"strings"
)

// TLS is how a trunk's TLS connections are made. CA, Cert and Key are paths as written.
type TLS struct {
	CA         string
	Cert       string
	Key        string // "" where KeyText has it
	KeyText    Secret // of "env:…", "file:…" or "cred:…"
	ServerName string
	Min        string // "1.2" or "1.3"
}

// keyFile is a path, or names a secret whose value is the key itself.
func keyFile(path *string, value *Secret, s Secrets) setter {
	return func(v any) error {
		var name string
		if err := text(&name)(v); err != nil {
			return err
		}
		if kind, _, found := strings.Cut(name, ":"); found && (kind == "env" || kind == "file" || kind == "cred") {
			return secret(value, s)(v)
		}
		return filePath(path)(name)
	}
}

// transport is "udp", "tcp" or "tls", or a list of "udp" and "tcp", which says that requests too large for UDP may go by
// TCP.
func transport(at *string, large *bool) setter {
	return func(v any) error {
		*large = false
		if _, several := v.([]any); !several {
			return oneOf(at, "udp", "tcp", "tls")(v)
		}
		var both []string
		if err := list(&both)(v); err != nil {
			return err
		}
		if len(both) != 2 || both[0] != "udp" || both[1] != "tcp" {
			return fmt.Errorf("a list can only be [\"udp\", \"tcp\"]: UDP, and TCP for what is too large")
		}
		*at, *large = "udp", true
		return nil
	}
}
