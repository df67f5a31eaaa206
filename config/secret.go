package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
)

// Secret is a password or token. It prints as nothing but the fact that it is there.
type Secret struct{ value string }

// NewSecret wraps a secret that does not come from a file.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal is the secret itself, for the one that must send it.
func (s Secret) Reveal() string { return s.value }

// String hides the secret.
func (s Secret) String() string {
	if s.value == "" {
		return ""
	}
	return "[secret]"
}

// GoString hides it from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides it from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides it from every encoder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// isSecret tells whether a key's value is not to be shown.
func isSecret(key string) bool {
	name := key[strings.LastIndex(key, ".")+1:]
	return name == "password" || name == "source" || key == "store.url" || strings.HasSuffix(name, "token") || strings.HasSuffix(name, "secret")
}

// Secrets is where secrets are looked up.
type Secrets struct {
	Getenv   func(string) string
	ReadFile func(string) ([]byte, error)
	Dir      string // of the configuration file: relative paths begin here
	Lenient  bool   // a secret that cannot be had is no fault, but in Config.Missing: not everybody at a shell has a service's own
}

// errLiteral is a warning: the secret stands in the file itself.
var errLiteral = fmt.Errorf("the secret stands in the file: \"env:NAME\", \"file:PATH\" or \"cred:NAME\" keeps it out")

// resolve reads "env:NAME", "file:PATH" and "cred:NAME". No error says what the secret is.
func (s Secrets) resolve(v string) (Secret, error) {
	kind, name, found := strings.Cut(v, ":")
	if !found {
		kind = ""
	}
	switch kind {
	case "env":
		if value := s.Getenv(name); value != "" {
			return Secret{value}, nil
		}
		return Secret{}, fmt.Errorf("the environment has no %s", name)
	case "file":
		if err := homeless(name); err != nil {
			return Secret{}, err
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(s.Dir, name)
		}
		return s.file(name)
	case "cred":
		dir := s.Getenv("CREDENTIALS_DIRECTORY")
		if dir == "" || name != filepath.Base(name) {
			return Secret{}, fmt.Errorf("the service manager gave no credential %s", name)
		}
		return s.file(filepath.Join(dir, name))
	}
	if v == "" {
		return Secret{}, nil
	}
	if strings.HasPrefix(v, "$") {
		return Secret{v}, fmt.Errorf("%w (it begins with $: for a variable write \"env:NAME\")", errLiteral)
	}
	return Secret{v}, errLiteral
}

func (s Secrets) file(path string) (Secret, error) {
	b, err := s.ReadFile(path)
	if err != nil {
		return Secret{}, fmt.Errorf("cannot be read: %w", err)
	}
	value := strings.TrimRight(string(b), "\r\n")
	if value == "" {
		return Secret{}, fmt.Errorf("%s is empty", path)
	}
	return Secret{value}, nil
}

// missingError says that a secret could not be had, and is forgiven.
type missingError struct{ error }

func secret(at *Secret, s Secrets) setter {
	return func(v any) error {
		var name string
		if err := text(&name)(v); err != nil {
			return err
		}
		var err error
		*at, err = s.resolve(name)
		if err != nil && !errors.Is(err, errLiteral) && !errors.Is(err, errHome) && s.Lenient {
			return missingError{err}
		}
		return err
	}
}

// storeURL reads a database's address, or where it is kept. It is a secret only where it has a password in it.
func storeURL(at *Secret, s Secrets) setter {
	return func(v any) error {
		err := secret(at, s)(v)
		literal := errors.Is(err, errLiteral)
		if err != nil && !literal {
			return err
		}
		open, bad := database(at.value)
		if bad != nil || literal && open {
			return bad
		}
		return err
	}
}

// database checks the form of a database's address; open is one that has no password in it.
func database(address string) (open bool, err error) {
	if file, ok := strings.CutPrefix(address, "sqlite:"); ok && file != "" && !strings.HasPrefix(file, "//") {
		return true, homeless(file)
	}
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return false, errors.New("needs \"sqlite:FILE\" or \"postgres://USER@HOST/DATABASE\", or where such an address is kept: \"env:NAME\", \"file:PATH\" or \"cred:NAME\"")
	}
	u, err := url.Parse(address)
	if err != nil { // its words repeat the address
		return false, errors.New("is not the address of a database: a character in the password may have to be written as %XX")
	}
	_, has := u.User.Password()
	return !has, nil
}
