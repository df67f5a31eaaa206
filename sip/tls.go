package sip

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"sync"
	"time"
)

// TLS is how a trunk's TLS connections are made.
type TLS struct {
	CA         []byte // PEM; nil = the system's
	Cert, Key  []byte // PEM, of our client certificate; nil = none
	ServerName string // that the peer's certificate must be for; "" = the configured host
	MinVersion string // "1.2" (also "") or "1.3"
}

// Certificate is what a peer's TLS handshake showed, or what we show.
type Certificate struct {
	Target    Target // zero for our own
	Name      string // that it was checked for
	Subject   string
	Issuer    string
	Names     []string // DNS names and IP addresses it is for
	NotBefore time.Time
	NotAfter  time.Time
	Version   string // "TLS 1.3"; "" where the handshake failed
	Err       error  // why it is not trusted; nil = it is
}

// config makes what every connection of the trunk has in common; faults are told by key.
func (c TLS) config(fault func(key, format string, args ...any)) *tls.Config {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	switch c.MinVersion {
	case "", "1.2":
	case "1.3":
		conf.MinVersion = tls.VersionTLS13
	default:
		fault("tls_min", "%q is not 1.2 or 1.3", c.MinVersion)
	}
	if c.CA != nil {
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(c.CA) {
			fault("tls_ca", "holds no certificate in PEM form")
		}
	}
	switch {
	case c.Cert == nil && c.Key == nil:
	case c.Cert == nil:
		fault("tls_cert", "is needed where tls_key is given")
	case c.Key == nil:
		fault("tls_key", "is needed where tls_cert is given")
	default:
		pair, err := tls.X509KeyPair(c.Cert, c.Key)
		if err != nil {
			fault("tls_cert", "with tls_key: %v", err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	if !isToken(c.ServerName) {
		fault("tls_server_name", "contains characters that a host name cannot hold")
	}
	return conf
}

// OwnCertificate is the one the trunk shows to peers that want one.
func (t *Trunk) OwnCertificate() (Certificate, bool) {
	if t.up.tls == nil || len(t.up.tls.Certificates) == 0 || t.up.tls.Certificates[0].Leaf == nil {
		return Certificate{}, false
	}
	return describe(t.up.tls.Certificates[0].Leaf), true
}

// Certificates are those the trunk's targets showed last, also where they were refused.
func (t *Trunk) Certificates() []Certificate { return t.up.shown.list() }

// Certificate is the one that was shown last of all.
func (t *Trunk) Certificate() (Certificate, bool) {
	list := t.up.shown.list()
	if len(list) == 0 {
		return Certificate{}, false
	}
	return list[len(list)-1], true
}

// shown keeps what handshakes showed, the newest last, one for each place.
type shown struct {
	mu    sync.Mutex
	certs []Certificate
}

func (s *shown) add(c Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.certs = slices.DeleteFunc(s.certs, func(old Certificate) bool { return old.Target.Addr == c.Target.Addr })
	s.certs = append(s.certs[max(0, len(s.certs)+1-maxTargets):], c)
}

func (s *shown) list() []Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.certs)
}

func describe(c *x509.Certificate) Certificate {
	d := Certificate{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Names: slices.Clone(c.DNSNames), NotBefore: c.NotBefore, NotAfter: c.NotAfter,
	}
	for _, ip := range c.IPAddresses {
		d.Names = append(d.Names, ip.String())
	}
	return d
}

// serverName is what the certificate of a target must be for. In-dialog requests may go to addresses that have no name of
// their own; they are still the trunk's (RFC 5922 7.2 asks for the domain that was configured).
func (t *Trunk) serverName(target Target) string {
	if t.cfg.TLS.ServerName != "" {
		return t.cfg.TLS.ServerName
	}
	if target.Host != "" {
		return target.Host
	}
	host, _, _ := splitAddress(t.firstHops()[0]) // validated
	return host
}

// handshake secures a connection, and keeps what the peer showed. early is what the peer sent at once.
func (t *Trunk) handshake(ctx context.Context, conn net.Conn, target Target) (secure *tls.Conn, early []byte, err error) {
	conf := t.up.tls.Clone()
	conf.ServerName = t.serverName(target)
	conf.Time = t.env.Now
	asked := false
	conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		asked = true
		if len(conf.Certificates) > 0 {
			return &conf.Certificates[0], nil
		}
		return new(tls.Certificate), nil // none; the peer decides whether it can do without
	}
	secure = tls.Client(conn, conf)
	began := time.Now()
	err = secure.HandshakeContext(ctx)
	if err == nil && asked {
		early, err = verdict(secure, 2*time.Since(began))
	}
	if err != nil && asked {
		err = &askedError{err, len(conf.Certificates) > 0}
	}
	t.keepShown(secure.ConnectionState(), target, conf.ServerName, err)
	if err != nil {
		return nil, nil, err
	}
	return secure, early, nil
}

// askedError is a handshake that failed after the peer asked for a certificate of ours.
type askedError struct {
	error
	shown bool
}

func (e *askedError) Unwrap() error { return e.error }

// verdict waits for what the peer says to our certificate: in TLS 1.3 that comes after the handshake is over for us, and a
// request sent before would be lost with the connection. Silence is consent.
func verdict(conn *tls.Conn, patience time.Duration) (early []byte, err error) {
	_ = conn.SetReadDeadline(time.Now().Add(min(max(patience, 200*time.Millisecond), time.Second)))
	first := make([]byte, 1)
	n, err := conn.Read(first)
	_ = conn.SetReadDeadline(time.Time{})
	if n == 0 && !timedOut(err) {
		return nil, err
	}
	return first[:n], nil
}

func (t *Trunk) keepShown(state tls.ConnectionState, target Target, name string, err error) {
	chain := state.PeerCertificates
	if bad, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		chain = bad.UnverifiedCertificates
	}
	if len(chain) == 0 {
		return
	}
	c := describe(chain[0])
	c.Target, c.Name = target, name
	if err != nil {
		_, c.Err = handshakeReason(err)
	} else {
		c.Version = tls.VersionName(state.Version)
	}
	t.up.shown.add(c)
}
