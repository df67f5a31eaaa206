package media

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/pion/sdp/v3"
)

// keysPT is the payload type our offers give telephone-event (RFC 4733), as nearly everybody does.
const keysPT = 101

// local is our side of a description.
type local struct {
	id, version uint64
	at          netip.AddrPort
	codecs      []Codec
	keys        uint8 // payload type of telephone-event, 0 = none
	direction   string
	profile     string   // of the stream: RTP/AVP, …
	crypto      []string // values of a=crypto
}

// offer writes it (RFC 3264 5): one audio stream, the codecs in order, keys, 20 ms.
func (l local) offer() ([]byte, error) { return l.write([]*sdp.MediaDescription{l.audio()}) }

// answer writes it in answer to an offer: as many streams in the same order, ours in its place and the others refused
// with port 0 (RFC 3264 6).
func (l local) answer(to peerSDP, ours int) ([]byte, error) {
	streams := make([]*sdp.MediaDescription, len(to.streams))
	for i, m := range to.streams {
		if i == ours {
			streams[i] = l.audio()
			continue
		}
		formats := m.formats
		if len(formats) == 0 {
			formats = []string{"0"}
		}
		streams[i] = &sdp.MediaDescription{MediaName: sdp.MediaName{Media: m.kind, Protos: strings.Split(m.profile, "/"), Formats: formats}}
	}
	return l.write(streams)
}

func (l local) audio() *sdp.MediaDescription {
	m := &sdp.MediaDescription{MediaName: sdp.MediaName{
		Media: "audio", Port: sdp.RangedPort{Value: int(l.at.Port())}, Protos: strings.Split(l.profile, "/"),
	}}
	for _, c := range l.codecs {
		m = m.WithCodec(c.PayloadType, c.Name, clockRate, 0, "")
	}
	if l.keys != 0 {
		m = m.WithCodec(l.keys, "telephone-event", clockRate, 0, "0-15")
	}
	for _, c := range l.crypto {
		m = m.WithValueAttribute("crypto", c)
	}
	return m.WithValueAttribute("ptime", "20").WithPropertyAttribute(l.direction)
}

func (l local) write(streams []*sdp.MediaDescription) ([]byte, error) {
	kind := "IP4"
	if l.at.Addr().Is6() {
		kind = "IP6"
	}
	host := l.at.Addr().String()
	s := &sdp.SessionDescription{
		Origin:                sdp.Origin{Username: "-", SessionID: l.id, SessionVersion: l.version, NetworkType: "IN", AddressType: kind, UnicastAddress: host},
		SessionName:           "telgate",
		ConnectionInformation: &sdp.ConnectionInformation{NetworkType: "IN", AddressType: kind, Address: &sdp.Address{Address: host}},
		TimeDescriptions:      []sdp.TimeDescription{{}},
		MediaDescriptions:     streams,
	}
	body, err := s.Marshal()
	if err != nil {
		return nil, fmt.Errorf("describe the session: %w", err)
	}
	return body, nil
}

// mirror is the direction that answers another (RFC 3264 6.1). Who gave 0.0.0.0 for an address can only be listened to.
func mirror(d description) string {
	switch {
	case d.direction == "inactive":
		return "inactive"
	case d.direction == "sendonly" || d.addr.Addr().IsUnspecified():
		return "recvonly"
	case d.direction == "recvonly":
		return "sendonly"
	}
	return "sendrecv"
}
