package sip

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// Failure is why a trunk cannot be reached, for those who show it or act on it.
type Failure string

// What keeps a request from leaving.
const (
	FailureUnknown           Failure = ""
	FailureNoName            Failure = "no_such_name"       // DNS knows no address
	FailureDNS               Failure = "dns"                // no name server answers, or all fail
	FailureRefused           Failure = "refused"            // nobody listens at the port
	FailureNoRoute           Failure = "no_route"           // host or network unreachable
	FailureTimeout           Failure = "timeout"            // nothing came back from connecting
	FailureSilent            Failure = "silent"             // a request was sent, and nothing came back
	FailureUnknownCA         Failure = "unknown_ca"         // the peer's certificate is signed by nobody we trust
	FailureExpired           Failure = "expired"            // or not valid yet
	FailureWrongName         Failure = "wrong_name"         // the certificate is for another server
	FailureCertificate       Failure = "bad_certificate"    // anything else that is wrong with it
	FailureClientCertificate Failure = "client_certificate" // the peer wants one of us, or another
	FailureHandshake         Failure = "handshake"          // no common TLS version, no TLS at all, …
	FailureLost              Failure = "lost"               // the connection was there and broke
)

// FlowError says why a target could not be reached, or why the connection to it ended.
type FlowError struct {
	Target  Target
	Failure Failure
	Err     error
}

// Error names the target and, in words, what failed.
func (e *FlowError) Error() string { return fmt.Sprintf("%s: %v", e.Target, e.Err) }

// Unwrap gives the cause.
func (e *FlowError) Unwrap() error { return e.Err }

// FailureOf finds what failed in an error of this package.
func FailureOf(err error) Failure {
	if f, ok := errors.AsType[*FlowError](err); ok {
		return f.Failure
	}
	if _, ok := errors.AsType[*silence](err); ok {
		return FailureSilent
	}
	if _, ok := errors.AsType[*noSuchNameError](err); ok {
		return FailureNoName
	}
	if s, ok := errors.AsType[*SendError](err); ok && s.Op == "resolve" {
		return FailureDNS
	}
	return FailureUnknown
}

// notConnected explains why no connection was made, after so long.
func notConnected(target Target, after time.Duration, err error) *FlowError {
	e := &FlowError{Target: target, Err: err}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Failure, e.Err = FailureRefused, worded("connection refused: nobody listens there", err)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		e.Failure = FailureNoRoute
	case isTimeout(err):
		e.Failure, e.Err = FailureTimeout, worded("no answer to connecting in "+inWords(after), err)
	}
	return e
}

// notSecured explains why there is a connection, and no TLS on it.
func notSecured(target Target, after time.Duration, err error) *FlowError {
	e := &FlowError{Target: target, Err: err}
	switch {
	case isTimeout(err):
		e.Failure, e.Err = FailureHandshake, worded("TLS handshake not finished within "+inWords(after)+": the peer takes the connection and says nothing", err)
	case errors.Is(err, context.Canceled):
	default:
		e.Failure, e.Err = handshakeReason(err)
	}
	return e
}

// worded is an error in words of ours; what it wraps is for errors.Is, not for people.
func worded(text string, err error) error { return &maskedError{text, err} }

func timedOut(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// handshakeReason names what a TLS handshake failed of.
func handshakeReason(err error) (Failure, error) {
	if ca, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return FailureUnknownCA, worded("its certificate is signed by an unknown CA"+issuerOf(ca.Cert), err)
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return FailureExpired, fmt.Errorf("its certificate has expired, or is not valid yet: %w", invalid)
		}
		return FailureCertificate, err
	}
	if name, ok := errors.AsType[x509.HostnameError](err); ok {
		return FailureWrongName, fmt.Errorf("its certificate is for another server than %s: %w", name.Host, name)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return FailureHandshake, fmt.Errorf("TLS handshake failed, the peer speaks no TLS at this port: %w", err)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return FailureCertificate, err
	}
	return alertReason(err)
}

// alertReason reads what the peer said (RFC 8446 6.2); crypto/tls has no type for it outside QUIC.
func alertReason(err error) (Failure, error) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return FailureHandshake, fmt.Errorf("TLS handshake failed: %w", err)
	}
	said := op.Err.Error()
	asked, ok := errors.AsType[*askedError](err)
	switch {
	case ok && asked.shown:
		return FailureClientCertificate, fmt.Errorf("the peer refuses our client certificate (tls_cert): %w", err)
	case ok, strings.Contains(said, "certificate"):
		return FailureClientCertificate, fmt.Errorf("the peer wants a client certificate (tls_cert, tls_key): %w", err)
	case strings.Contains(said, "unrecognized name"):
		return FailureWrongName, fmt.Errorf("the peer does not know this server name (tls_server_name): %w", err)
	}
	return FailureHandshake, fmt.Errorf("TLS handshake failed: %w", err)
}

func issuerOf(c *x509.Certificate) string {
	if c == nil || c.Issuer.String() == "" {
		return ""
	}
	return " (" + c.Issuer.String() + ")"
}

// definite tells whether an INVITE surely never reached the peer, so that the next target may have it.
func definite(err error) bool {
	s, ok := errors.AsType[*SendError](err)
	return ok && (s.Op == "connect" || s.Op == "send")
}
