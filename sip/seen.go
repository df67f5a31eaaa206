package sip

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Sight is how a peer sees us, by what its answer says.
type Sight struct {
	Said netip.AddrPort // what our Via said
	Seen netip.AddrPort // where the request came from: received and rport (RFC 3581); the zero value where it does not say
	Date time.Time      // the peer's clock (RFC 3261 20.17), to the second; zero where it does not say
}

// sightOf reads the top Via and the Date of a response.
func sightOf(res *sip.Response, said netip.AddrPort) Sight {
	s := Sight{Said: said}
	if at, err := http.ParseTime(strings.TrimSpace(firstHeader(res, "Date"))); err == nil {
		s.Date = at
	}
	via := res.Via()
	if via == nil || via.Params == nil {
		return s
	}
	host, port, told := said.Addr(), said.Port(), false
	received, _ := via.Params.Get("received")
	if addr, err := netip.ParseAddr(trimBrackets(received)); err == nil {
		host, told = addr.Unmap(), true
	}
	rport, _ := via.Params.Get("rport")
	if n, err := strconv.ParseUint(rport, 10, 16); err == nil && n > 0 {
		port, told = uint16(n), true
	}
	if told {
		s.Seen = netip.AddrPortFrom(host, port)
	}
	return s
}
