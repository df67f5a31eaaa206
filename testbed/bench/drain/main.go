//go:build linux

// Command drain is where RTP of a benchmark goes: a row of UDP sockets that are emptied every 10 ms and that nobody waits
// for in between, so that no sender pays for waking a reader. It prints the ports on one line. To every line of its input
// it answers with how many datagrams have come so far; it ends with its input.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	every = 10 * time.Millisecond
	rest  = 100 * time.Millisecond // what was sent before a line is counted in its answer
)

func main() {
	sockets := flag.Int("sockets", 50, "how many; 20 streams fill a socket's buffer of 200 kB in 300 ms")
	flag.Parse()
	if err := drain(*sockets); err != nil {
		fmt.Fprintln(os.Stderr, "drain:", err)
		os.Exit(1)
	}
}

func drain(sockets int) error {
	var fds []int
	var ports []any
	for range sockets {
		fd, port, err := open()
		if err != nil {
			return err
		}
		fds, ports = append(fds, fd), append(ports, port)
	}
	if _, err := fmt.Fprintln(os.Stdout, ports...); err != nil {
		return err
	}
	var came atomic.Uint64
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for ; ; <-tick.C {
			for _, fd := range fds {
				came.Add(empty(fd))
			}
		}
	}()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		timer := time.NewTimer(rest)
		<-timer.C
		if _, err := fmt.Fprintln(os.Stdout, came.Load()); err != nil {
			return err
		}
	}
	return nil
}

// open binds a socket to loopback. It is none of package net, whose poller is woken by every datagram.
func open() (fd, port int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, 0, fmt.Errorf("open a socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, 0, fmt.Errorf("bind a socket: %w", err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		return 0, 0, fmt.Errorf("name a socket: %w", err)
	}
	return fd, bound.(*unix.SockaddrInet4).Port, nil //nolint:errcheck,forcetypeassert // it was bound to one
}

// empty takes what waits in a socket and counts it.
func empty(fd int) (n uint64) {
	var buf [256]byte
	for {
		if _, _, err := unix.Recvfrom(fd, buf[:], unix.MSG_DONTWAIT); err != nil {
			return n
		}
		n++
	}
}
