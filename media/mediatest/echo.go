package mediatest

import "github.com/pion/rtp"

// Echo lets the handset say all that it hears, keys included, in its own stream: what an echo extension of a PBX does.
func (h *Handset) Echo() {
	h.Ear.mu.Lock()
	defer h.Ear.mu.Unlock()
	h.Ear.echo = (&echo{mouth: h.Mouth}).take
}

// echoRoom is how far an echo may be behind; the rest is lost.
const echoRoom = 50

// echo turns packets of the ear into rows of the mouth.
type echo struct {
	mouth *Mouth
	stamp uint32 // of the key that is down
	began uint32
}

func (e *echo) take(p *rtp.Packet) {
	m := e.mouth
	m.mu.Lock()
	defer m.mu.Unlock()
	r := row{payload: append([]byte(nil), p.Payload...)}
	if p.PayloadType == m.keys && m.keys != 0 {
		e.began += frameSamples
		if p.Marker || p.Timestamp != e.stamp {
			e.stamp, e.began = p.Timestamp, 0
		}
		r.key, r.marker, r.began = true, p.Marker, e.began
	}
	if len(m.plan) < echoRoom {
		m.plan = append(m.plan, &utterance{rows: []row{r}, done: make(chan struct{})})
	}
}
