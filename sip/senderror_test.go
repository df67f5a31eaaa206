package sip

import (
	"errors"
	"fmt"
	"net"
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
	for got, want := range map[string]string{
		(&SendError{"connect", fmt.Errorf("Transport<TCP> dial err=%w", err)}).Error(): "connect: " + addr + ": connection refused",
		(&SendError{"open", errors.New("not yet")}).Error():                            "open: not yet",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
