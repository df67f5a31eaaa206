package mediatest

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Description is what this package knows of SDP (RFC 8866): one audio stream.
type Description struct {
	Addr      netip.AddrPort
	Codecs    []string // "PCMU", "PCMA", in order
	Keys      uint8    // payload type of telephone-event, 0 = none
	Direction string   // "" = sendrecv
	Ptime     int      // ms, 0 = not said
	Version   int
	Profile   string   // "" = RTP/AVP
	Crypto    []Crypto // in order
}

// ParseSDP reads a well-formed description: the first audio stream and its address.
func ParseSDP(body []byte) (Description, error) {
	d := Description{Direction: "sendrecv"}
	var host netip.Addr
	audio, port := false, 0
	for line := range strings.Lines(string(body)) {
		kind, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		fields := strings.Fields(value)
		switch {
		case kind == "m" && port == 0 && len(fields) > 3 && fields[0] == "audio":
			audio = true
			port, _ = strconv.Atoi(fields[1])
			d.Profile = fields[2]
			d.Codecs = staticCodecs(fields[3:])
		case kind == "m":
			audio = false
		case kind == "c" && len(fields) == 3 && (audio || port == 0):
			var err error
			if host, err = netip.ParseAddr(fields[2]); err != nil {
				return d, fmt.Errorf("read c=: %w", err)
			}
		case kind == "a" && audio:
			if err := d.attribute(value); err != nil {
				return d, err
			}
		}
	}
	if port <= 0 || port > 65535 || !host.IsValid() {
		return d, errors.New("no audio stream with an address")
	}
	d.Addr = netip.AddrPortFrom(host, uint16(port))
	return d, nil
}

func staticCodecs(formats []string) (names []string) {
	for _, f := range formats {
		switch f {
		case "0":
			names = append(names, "PCMU")
		case "8":
			names = append(names, "PCMA")
		}
	}
	return names
}

func (d *Description) attribute(value string) error {
	name, rest, _ := strings.Cut(value, ":")
	switch name {
	case "sendrecv", "sendonly", "recvonly", "inactive":
		d.Direction = name
	case "ptime":
		d.Ptime, _ = strconv.Atoi(rest)
	case "rtpmap":
		pt, format, _ := strings.Cut(rest, " ")
		if n, err := strconv.Atoi(pt); err == nil && format == "telephone-event/8000" && n > 0 && n < 128 {
			d.Keys = uint8(n)
		}
	case "crypto":
		c, err := readCrypto(rest)
		d.Crypto = append(d.Crypto, c)
		return err
	}
	return nil
}

func (d Description) has(codec string) bool { return slices.Contains(d.Codecs, codec) }

// Bytes is the description as SDP.
func (d Description) Bytes() []byte {
	family := "IP4"
	if d.Addr.Addr().Is6() {
		family = "IP6"
	}
	var media, maps strings.Builder
	for _, c := range d.Codecs {
		fmt.Fprintf(&media, " %d", payloadType(c))
		fmt.Fprintf(&maps, "a=rtpmap:%d %s/8000\r\n", payloadType(c), c)
	}
	if d.Keys != 0 {
		fmt.Fprintf(&media, " %d", d.Keys)
		fmt.Fprintf(&maps, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n", d.Keys, d.Keys)
	}
	if d.Ptime != 0 {
		fmt.Fprintf(&maps, "a=ptime:%d\r\n", d.Ptime)
	}
	for _, c := range d.Crypto {
		maps.WriteString(c.line())
	}
	profile := d.Profile
	if profile == "" {
		profile = "RTP/AVP"
	}
	direction := d.Direction
	if direction == "" {
		direction = "sendrecv"
	}
	host := d.Addr.Addr()
	return fmt.Appendf(nil, "v=0\r\no=handset 1 %d IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\nm=audio %d %s%s\r\n%sa=%s\r\n",
		max(1, d.Version), family, host, family, host, d.Addr.Port(), profile, media.String(), maps.String(), direction)
}

func mirrored(direction string) string {
	switch direction {
	case "sendonly":
		return "recvonly"
	case "recvonly":
		return "sendonly"
	}
	return direction
}

func payloadType(codec string) uint8 {
	if codec == "PCMA" {
		return 8
	}
	return 0
}
