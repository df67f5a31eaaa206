//go:build crash

// Package crash tries to lose a page. Real telgate processes serve a stand-in for Slack and ring a farm of telephones on
// loopback, while everything that may die does: the gateways, PostgreSQL, connections, disks, clocks. What counts is seen
// from outside only: the cards in Slack, the rings in the farm's book, and what telgate history says.
package crash

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv("TELGATE") == "" {
		fmt.Println("make crash builds what this needs") //nolint:forbidigo // there is no test yet to say it
		os.Exit(0)
	}
	status := m.Run()
	fmt.Print(sums.table()) //nolint:forbidigo // after the last test
	os.Exit(status)
}

// seed makes a run repeatable as far as processes can be: TELGATE_SEED.
func seed(t *testing.T) uint64 {
	t.Helper()
	if s, err := strconv.ParseUint(os.Getenv("TELGATE_SEED"), 10, 64); err == nil {
		return s
	}
	s := uint64(time.Now().UnixNano())
	t.Logf("TELGATE_SEED=%d", s)
	return s
}

// amount is a number from the environment.
func amount(name string, usual int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return usual
}

// pass waits: from outside a process nothing tells when it has got somewhere.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

// within waits until something is so, and tells whether it came to be in time.
func within(t *testing.T, limit time.Duration, so func() bool) bool {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); pass(t, 50*time.Millisecond) {
		if so() {
			return true
		}
	}
	return so()
}

// chance is a moment, on the average so far away.
func chance(dice *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(dice.ExpFloat64() * float64(mean))
}

// portBlocks numbers the RTP ports of gateways.
var portBlocks atomic.Int32 //nolint:gochecknoglobals // of this run

var ports atomic.Int32 //nolint:gochecknoglobals // likewise

// freePorts is the first of some ports of loopback in a row that nobody has, below those that systems hand out.
func freePorts(t *testing.T, many int) int {
	t.Helper()
	for range 2000 {
		first := 10000 + int(ports.Add(int32(many)))%9000
		free := 0
		for ; free < many; free++ {
			address := fmt.Sprintf("127.0.0.1:%d", first+free)
			u, err := net.ListenPacket("udp", address)
			if err != nil {
				break
			}
			_ = u.Close()
			l, err := net.Listen("tcp", address)
			if err != nil {
				break
			}
			_ = l.Close()
		}
		if free == many {
			return first
		}
	}
	t.Fatal("no ports are free")
	return 0
}
