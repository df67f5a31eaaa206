package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	captureRoom    = 4096        // packets on their way to the file; RTP of a call is 100 a second
	captureHold    = time.Second // how much later than its answer a packet may be handed over
	longestPayload = 65_400      // of a UDP datagram, with room for either IP header
	linkRaw        = 101         // LINKTYPE_RAW: packets begin with their IP header
)

// capture writes datagrams to a file in the format of libpcap, each with an IP and a UDP header as it had on the wire. It
// is for our own calls: it sees what they give it and nothing else on the network, so it needs no privilege.
type capture struct {
	file    *os.File
	frames  chan frame
	closing chan struct{}
	ended   chan struct{}
	lost    atomic.Int64
	err     error // of writing; read after ended

	once sync.Once
}

type frame struct {
	at       time.Time
	from, to netip.AddrPort
	payload  []byte
}

func openCapture(path string) (*capture, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	c := &capture{file: f, frames: make(chan frame, captureRoom), closing: make(chan struct{}), ended: make(chan struct{})}
	go c.write()
	return c, nil
}

// take hands over a datagram, and keeps the payload. It never blocks: the pacer calls it.
func (c *capture) take(at time.Time, from, to netip.AddrPort, payload []byte) {
	select {
	case c.frames <- frame{at, from, to, payload}:
	default:
		c.lost.Add(1)
	}
}

// close writes what was handed over, and says what went wrong. What comes later is not written.
func (c *capture) close() error {
	c.once.Do(func() { close(c.closing) })
	<-c.ended
	err := errors.Join(c.err, c.file.Close())
	if n := c.lost.Load(); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d packets were not written: the disk is too slow", n))
	}
	return err
}

// write is the capture's goroutine.
func (c *capture) write() {
	defer close(c.ended)
	w := bufio.NewWriter(c.file)
	_, _ = w.Write(fileHeader())
	var held []frame // in the order of the wire
	for f := range c.handedOver() {
		held = inOrder(held, f)
		settled := 0
		for held[len(held)-1].at.Sub(held[settled].at) > captureHold {
			_, _ = w.Write(held[settled].record()) // the first error stays, and Flush returns it
			settled++
		}
		held = slices.Delete(held, 0, settled)
	}
	for _, f := range held {
		_, _ = w.Write(f.record())
	}
	c.err = w.Flush()
}

// inOrder puts a frame where its time belongs: what was sent is handed over when it has left, and its answer may be quicker.
func inOrder(held []frame, f frame) []frame {
	place := len(held)
	for place > 0 && held[place-1].at.After(f.at) {
		place--
	}
	return slices.Insert(held, place, f)
}

// handedOver are the frames up to close.
func (c *capture) handedOver() iter.Seq[frame] {
	return func(yield func(frame) bool) {
		for {
			select {
			case f := <-c.frames:
				yield(f)
				continue
			default:
			}
			select {
			case f := <-c.frames:
				yield(f)
			case <-c.closing:
				if len(c.frames) == 0 {
					return
				}
			}
		}
	}
}

// fileHeader begins a file: byte order, version 2.4, no limit, link type.
func fileHeader() []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xA1B2C3D4)
	b = le.AppendUint16(le.AppendUint16(b, 2), 4)
	b = le.AppendUint64(b, 0)
	return le.AppendUint32(le.AppendUint32(b, 1<<16), linkRaw)
}

// record is a frame with its record header.
func (f frame) record() []byte {
	packet := f.packet()
	le := binary.LittleEndian
	b := le.AppendUint32(nil, uint32(f.at.Unix()))
	b = le.AppendUint32(b, uint32(f.at.Nanosecond()/1000))
	b = le.AppendUint32(b, uint32(len(packet)))
	return append(le.AppendUint32(b, uint32(len(packet))), packet...)
}

// packet is the datagram with its headers: IPv4 (RFC 791) or IPv6 (RFC 8200), and UDP (RFC 768).
func (f frame) packet() []byte {
	payload := f.payload[:min(len(f.payload), longestPayload)]
	from, to := f.from.Addr().Unmap(), f.to.Addr().Unmap()
	if from.Is4() != to.Is4() { // only where an address is not known
		from, to = netip.AddrFrom16(from.As16()), netip.AddrFrom16(to.As16())
	}
	be := binary.BigEndian
	udp := be.AppendUint16(nil, f.from.Port())
	udp = be.AppendUint16(udp, f.to.Port())
	udp = be.AppendUint16(udp, uint16(8+len(payload)))
	udp = append(append(udp, 0, 0), payload...)
	pseudo := append(append([]byte(nil), from.AsSlice()...), to.AsSlice()...)
	pseudo = be.AppendUint32(be.AppendUint32(pseudo, uint32(len(udp))), protoUDP)
	sum := checksum(append(pseudo, udp...))
	if sum == 0 {
		sum = 0xFFFF // 0 would say that there is none
	}
	be.PutUint16(udp[6:], sum)
	if !from.Is4() {
		head := be.AppendUint32(nil, 6<<28)
		head = append(be.AppendUint16(head, uint16(len(udp))), protoUDP, hops)
		return append(append(append(head, from.AsSlice()...), to.AsSlice()...), udp...)
	}
	head := be.AppendUint16([]byte{0x45, 0}, uint16(20+len(udp)))
	head = append(head, 0, 0, 0, 0, hops, protoUDP, 0, 0)
	head = append(append(head, from.AsSlice()...), to.AsSlice()...)
	be.PutUint16(head[10:], checksum(head))
	return append(head, udp...)
}

const (
	protoUDP = 17
	hops     = 64
)

// checksum is that of the Internet (RFC 1071).
func checksum(b []byte) uint16 {
	var sum uint32
	for len(b) > 1 {
		sum += uint32(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xFFFF {
		sum = sum>>16 + sum&0xFFFF
	}
	return ^uint16(sum)
}
