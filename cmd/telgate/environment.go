package main

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/term"

	"telgate/sip"
)

// environment is everything a command takes from outside; tests give their own.
type environment struct {
	now          func() time.Time
	rand         io.Reader
	listenPacket func(ctx context.Context, network, address string) (net.PacketConn, error)
	listen       func(ctx context.Context, network, address string) (net.Listener, error)
	dial         func(ctx context.Context, network, address string) (net.Conn, error)
	dialFrom     func(ctx context.Context, network string, local netip.Addr, address string) (net.Conn, error)
	getenv       func(string) string
	readFile     func(string) ([]byte, error)
	in           io.Reader
	typed        bool // in is a terminal
	out, err     io.Writer
	terminal     bool // out is a terminal
	signals      func() (<-chan os.Signal, func())
}

// dialTimeout is for connections to Slack.
const dialTimeout = 10 * time.Second

func realEnvironment() *environment {
	return &environment{
		now:  now,
		rand: rand.Reader,
		listenPacket: func(ctx context.Context, network, address string) (net.PacketConn, error) {
			return new(net.ListenConfig).ListenPacket(ctx, network, address)
		},
		listen: func(ctx context.Context, network, address string) (net.Listener, error) {
			return new(net.ListenConfig).Listen(ctx, network, address)
		},
		dial:     (&net.Dialer{Timeout: dialTimeout}).DialContext,
		dialFrom: sip.Dial,
		getenv:   os.Getenv, readFile: os.ReadFile,
		in: os.Stdin, typed: term.IsTerminal(int(os.Stdin.Fd())), out: os.Stdout, err: os.Stderr,
		terminal: term.IsTerminal(int(os.Stdout.Fd())),
		signals: func() (<-chan os.Signal, func()) {
			c := make(chan os.Signal, 4)
			signal.Notify(c, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
			return c, func() { signal.Stop(c) }
		},
	}
}

// user is who runs this, for the notes that are kept of calls.
func (e *environment) user() string {
	for _, name := range []string{"SUDO_USER", "USER", "LOGNAME"} {
		if u := e.getenv(name); u != "" {
			return u
		}
	}
	return "uid-" + strconv.Itoa(os.Getuid())
}
