// Package sip is the gateway's signalling: trunks, and call legs on them, as a user agent client (RFC 3261).
//
// sipgo supplies the parser, the transports and the transactions; dialogs, call legs, authentication and what is
// answered to the peer's requests are here, because an emergency call must survive forked and late answers, a CANCEL
// that crosses a 200, and peers that challenge twice. A Trunk is one user agent with its own socket. A Leg is one INVITE
// and its dialog; one goroutine owns it and reports [Event]s, the last of which is always [Ended].
//
// The package knows signalling only: SDP crosses it as bytes, and what an ending means for a page is judged elsewhere.
// It follows no redirect by itself and takes no calls: an incoming INVITE is answered 480.
package sip

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// sipgo refuses what is larger than this; an INVITE that answers two challenges is. The kernel cuts it up. What sipgo says
// outside the logs that each trunk gives it is about its own counting of references. It keeps an INVITE and its 2xx for
// timer M, 32 s, only to hand on the 2xx that come again; those find their leg without it (forks.go), once it has taken
// the first.
//
//nolint:gochecknoinits // these are variables of sipgo's, to be set once before anything is sent
func init() {
	sip.UDPMTUSize = 16 << 10
	sip.Timer_M = acceptedFor
	sip.SetDefaultLogger(slog.New(slog.DiscardHandler))
}

// acceptedFor is far longer than a leg takes to look at its answer, on any machine.
const acceptedFor = 2 * time.Second

// Env is what a trunk takes from outside.
type Env struct {
	Listen func(ctx context.Context, network, address string) (net.PacketConn, error)
	// Dial opens a TCP connection, or a socket toward a name server; local is the address to use, any where not valid.
	// nil = [Dial].
	Dial   func(ctx context.Context, network string, local netip.Addr, address string) (net.Conn, error)
	DNS    *DNS                                          // nil = the system's
	Source func(peer netip.AddrPort) (netip.Addr, error) // our address toward a peer; nil = what the kernel would use
	Rand   io.Reader                                     // for tags, branches and Call-IDs: cryptographic
	Now    func() time.Time
	Log    *slog.Logger
}

// Dial connects as the system does, from one of our addresses, any where that is not valid.
func Dial(ctx context.Context, network string, local netip.Addr, address string) (net.Conn, error) {
	d := net.Dialer{}
	if local.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
	}
	return d.DialContext(ctx, network, address)
}

// TrunkConfig describes a SIP peer and how it is spoken to.
type TrunkConfig struct {
	Name        string
	Addresses   []string // host[:port], in the order they are tried; a host alone is resolved by RFC 3263
	Transport   string   // "udp", "tcp" or "tls"
	LargeByTCP  bool     // with "udp": requests past the MTU go by TCP (RFC 3261 18.1.1)
	TLS         TLS
	Credentials Credentials
	Identity    Identity
	Addressing  Addressing
	Local       Local
	NAT         NAT
	// OutboundProxy is host[:port] of the proxy that every request outside dialogs goes through; "" = none.
	OutboundProxy string
	Keepalive     time.Duration  // between keep-alives while a leg is up or the trunk is registered; 0 = none
	Peers         []netip.Prefix // further sources whose datagrams are read
	Register      Register
	Probe         Probing
	Dialable      func(user string) error // asked about the user part of every INVITE about to be sent
	RungBy        func(user string)       // told who rings us, "" where that is withheld; must not block. nil = nobody is told
}

// Credentials answer a digest challenge (RFC 8760).
type Credentials struct {
	User     string
	AuthUser string // "" = User
	Password string
}

// Local is our side of the socket.
type Local struct {
	Bind          string         // "" = the address the kernel would use toward the trunk; host, or host:port
	Beside        bool           // another process of ours may have Bind's port: then any other will do
	Port          uint16         // to have where Bind names none and it is free; 0 = any
	PublicAddress string         // what peers outside LocalNets are told, "" = the bound address
	LocalNets     []netip.Prefix // peers that are told the bound address
	DSCP          int            // RFC 2474 code point of SIP packets
}

// ConfigError is one thing wrong with a TrunkConfig.
type ConfigError struct {
	Key     string // "addresses", "bind", …
	Message string
}

// Error is the fault in one line.
func (e *ConfigError) Error() string { return e.Key + ": " + e.Message }

// SendError says why a request never left.
type SendError struct {
	Op  string // "forbidden", "open", "resolve", "connect", "send", "closed", "credentials" (refused, resting) or "register" (not registered)
	Err error
}

// Error names what was tried.
func (e *SendError) Error() string {
	return e.Op + ": " + strings.ReplaceAll(e.Err.Error(), "\n", "; ")
}

// Unwrap gives the cause.
func (e *SendError) Unwrap() error { return e.Err }

// unnumbered takes the number that was called out of an error: sipgo's name the request line.
func unnumbered(err error, user string) error {
	if err == nil || user == "" {
		return err
	}
	return &maskedError{strings.ReplaceAll(err.Error(), user, "…"), err}
}

type maskedError struct {
	text string
	err  error
}

func (e *maskedError) Error() string { return e.text }
func (e *maskedError) Unwrap() error { return e.err }

// Invite asks for a call.
type Invite struct {
	User     string        // the final dial string
	Phone    bool          // it is a telephone number, and is addressed as the trunk wants those
	Offer    []byte        // SDP
	Fallback []byte        // a narrower one, for a 488 before any phone can ring; nil = none
	Expires  time.Duration // of the INVITE (RFC 3261 20.19); 0 = none
	Trace    *Trace        // keeps what passes for this call; nil = nobody does
}

// Hangup ends a leg.
type Hangup struct {
	Reason string // of CANCEL or BYE (RFC 3326), "" = none
}
