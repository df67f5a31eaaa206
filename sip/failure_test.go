package sip

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
)

func TestARefusedConnectionNamesTheAddressAndTheReason(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	_, err = net.Dial("tcp", addr)
	refused := &SendError{"connect", notConnected(Target{Transport: "tcp", Addr: netip.MustParseAddrPort(addr)}, 0, err)}
	for got, want := range map[string]string{
		refused.Error(): "connect: tcp " + addr + ": connection refused: nobody listens there",
		(&SendError{"open", errors.New("not yet")}).Error(): "open: not yet",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if !errors.Is(refused, syscall.ECONNREFUSED) || FailureOf(refused) != FailureRefused {
		t.Errorf("%v lost its cause", refused)
	}
}
