package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	"telgate"
	"telgate/media"
	"telgate/sip"
)

// look is somebody who watches calls closely: their messages as a ladder, their packets as a capture. nil is nobody.
type look struct {
	app     *app
	ladder  io.Writer // nil = none
	file    *os.File  // behind ladder, nil where that is stderr
	lost    error     // of the ladder: the first that was not written
	capture *capture  // nil = none
	ear     *ear      // nil = none

	asUDP sync.Once // the notice about SIP that was no UDP
}

// openLook opens what is asked for; "" is nothing. Its files are for their owner alone: they tell who was called.
func openLook(a *app, ladder, pcap string) (*look, error) {
	if ladder == "" && pcap == "" {
		return nil, nil
	}
	l := &look{app: a}
	if ladder == "-" {
		l.ladder = a.env.err
	} else if ladder != "" {
		f, err := os.OpenFile(ladder, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, withStatus(exitUsage, fmt.Errorf("--trace: %w", err))
		}
		l.ladder, l.file = f, f
	}
	if pcap != "" {
		var err error
		if l.capture, err = openCapture(pcap); err != nil {
			l.close()
			return nil, withStatus(exitUsage, fmt.Errorf("--pcap: %w", err))
		}
	}
	return l, nil
}

// traces tells whether messages are shown.
func (l *look) traces() bool { return l != nil && l.ladder != nil }

// options are what a call keeps of its messages.
func (l *look) options() sip.TraceOptions {
	if l == nil {
		return sip.TraceOptions{}
	}
	o := sip.TraceOptions{Whole: l.traces(), Numbers: l.app.cli.ShowNumbers}
	if l.capture != nil {
		o.Tap = l.message
	}
	return o
}

// message puts a SIP message into the capture. What went over a connection is written as if it had been a datagram.
func (l *look) message(m sip.Message) {
	if m.Transport != "udp" {
		l.asUDP.Do(func() {
			_, _ = fmt.Fprintf(l.app.env.err, "telgate: SIP over %s is written to the capture as UDP, one message a packet\n", m.Transport)
		})
	}
	from, to := m.Remote, m.Local
	if m.Sent {
		from, to = to, from
	}
	l.capture.take(m.At, from, to, []byte(m.Text))
}

// packets shows RTP to the capture; nil where there is none.
func (l *look) packets() media.Tap {
	if l == nil || l.capture == nil {
		return nil
	}
	return func(sent bool, local, remote netip.AddrPort, packet []byte) {
		from, to := remote, local
		if sent {
			from, to = to, from
		}
		l.capture.take(l.app.env.now(), from, to, append([]byte(nil), packet...))
	}
}

// hears keeps what the callee says; nil where nobody wants it.
func (l *look) hears() func(media.Codec, []byte) {
	if l == nil || l.ear == nil {
		return nil
	}
	return l.ear.take
}

// ended shows the messages of a call.
func (l *look) ended(c *telgate.Call) {
	if l.traces() {
		l.lost = cmp.Or(l.lost, writeLadder(l.ladder, c, l.app.cli.ShowNumbers))
	}
}

// close finishes the files. What could not be written is told, and changes neither the call nor the exit status: that is
// the truth about who was reached.
func (l *look) close() {
	if l == nil {
		return
	}
	if l.capture != nil {
		l.incomplete("--pcap", l.capture.close())
	}
	if l.file != nil {
		l.lost = cmp.Or(l.lost, l.file.Close())
	}
	l.incomplete("--trace", l.lost)
}

func (l *look) incomplete(flag string, err error) {
	if err != nil {
		_, _ = fmt.Fprintf(l.app.env.err, "telgate: %s: the file is not complete: %v\n", flag, err)
	}
}

// checkPaths holds what --trace and --pcap cannot both be, before either is opened and so emptied.
func checkPaths(ladder, pcap string) error {
	if pcap == "-" {
		return errors.New("--pcap - is no file: a capture is read by Wireshark, give it a name such as call.pcap")
	}
	if ladder != "" && pcap != "" && sameFile(ladder, pcap) {
		return fmt.Errorf("--trace and --pcap both write to %s: give each a file of its own", pcap)
	}
	return nil
}

// sameFile tells whether two names are of one file, by whatever way; one that is no file of a disk, as /dev/null, may serve
// both.
func sameFile(a, b string) bool {
	one, errA := os.Stat(a)
	two, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(one, two) && one.Mode().IsRegular()
	}
	return errA != nil && errB != nil && whole(a) == whole(b)
}

// whole is the path of a file that is not there yet, by way of no link.
func whole(path string) string {
	path, err := filepath.Abs(path)
	if dir, failed := filepath.EvalSymlinks(filepath.Dir(path)); err == nil && failed == nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return path
}
