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
	Local   netip.AddrPort // what we are bound to
	Said    netip.AddrPort // what our Via said
	Seen    netip.AddrPort // where the request came from: received and rport (RFC 3581); the zero value where it does not say
	Learned bool           // Via, Contact and SDP name what was seen, from now on
	Date    time.Time      // the peer's clock (RFC 3261 20.17), to the second; zero where it does not say
}

// sightOf reads the top Via and the Date of a response.
func sightOf(res *sip.Response, said netip.AddrPort) Sight {
	s := Sight{Said: said, Seen: seenAt(res.Via(), said)}
	if at, err := http.ParseTime(strings.TrimSpace(firstHeader(res, "Date"))); err == nil {
		s.Date = at
	}
	return s
}

// seenAt is where a request came from, by its Via in a response; what it does not say is as it was said.
func seenAt(via *sip.ViaHeader, said netip.AddrPort) netip.AddrPort {
	if via == nil || via.Params == nil {
		return netip.AddrPort{}
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
	if !told {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(host, port)
}
