package media_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"testing"
	"time"

	"telgate/media"
	"telgate/media/mediatest"
)

// ffmpeg has an SRTP and an SDES of its own: what it hears of us and we of it is no mistake that two ends share.
func TestFFmpegHearsUsAndWeHearFFmpeg(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed")
	}
	e := running(t, media.Config{})
	for _, suite := range []string{mediatest.CM80, mediatest.CM32} {
		t.Run(suite+" to ffmpeg", func(t *testing.T) {
			t.Parallel()
			s, line, at := withFFmpeg(t, e, suite)
			told := mediatest.Description{Addr: at, Codecs: []string{"PCMU"}, Profile: "RTP/SAVP", Crypto: []mediatest.Crypto{line.ours}}
			listen := exec.CommandContext(t.Context(), program, "-loglevel", "error", "-protocol_whitelist", "pipe,udp,rtp,srtp", "-f", "sdp", "-i", "pipe:0",
				"-t", "4", "-f", "s16le", "-ar", "8000", "-ac", "1", "pipe:1")
			listen.Stdin = bytes.NewReader(told.Bytes())
			var heard bytes.Buffer
			listen.Stdout = &heard
			ended := begin(t, listen)
			said := mediatest.Speech(time.Second, 4)
			s.Play(frames(media.PCMU, said))
			late := time.NewTimer(2 * time.Minute)
			defer late.Stop()
			for over := false; !over; {
				select {
				case ev := <-s.Events():
					if _, done := ev.(media.Played); done {
						s.Play(frames(media.PCMU, said))
					}
				case err := <-ended:
					if over = true; err != nil {
						t.Fatal(err)
					}
				case <-late.C:
					t.Fatal("ffmpeg hears nothing")
				}
			}
			pcm := make([]int16, heard.Len()/2)
			for i := range pcm {
				pcm[i] = int16(binary.LittleEndian.Uint16(heard.Bytes()[2*i:]))
			}
			if share := mediatest.Share(pcm, said); share < 0.5 { // a busy machine may have cut it up
				t.Errorf("ffmpeg heard %.2f of it: %+v", share, mediatest.Correlate(pcm, said))
			}
		})
		t.Run(suite+" from ffmpeg", func(t *testing.T) {
			t.Parallel()
			s, line, _ := withFFmpeg(t, e, suite)
			pause := time.NewTimer(0)
			defer pause.Stop()
			begin(t, exec.CommandContext(t.Context(), program, "-nostdin", "-loglevel", "error", "-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=8000",
				"-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1", "-f", "rtp", "-srtp_out_suite", suite,
				"-srtp_out_params", base64.StdEncoding.EncodeToString(line.theirs.Master), "srtp://"+line.at.String()+"?pkt_size=172"))
			slow := time.Now().Add(2 * time.Minute)
			for s.Stats().Received < 10 && time.Now().Before(slow) { // it takes its time to start
				pause.Reset(10 * time.Millisecond)
				<-pause.C
			}
			next[media.SpeechBegan](t, s)
			if st := s.Stats(); st.Forged != 0 || st.Received == 0 || st.Suite != suite {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

// line is what one call's SDP says.
type line struct {
	ours, theirs mediatest.Crypto
	at           netip.AddrPort // where we are
}

// withFFmpeg is a session that speaks SRTP with a port where ffmpeg will be.
func withFFmpeg(t *testing.T, e *media.Engine, suite string) (*media.Session, line, netip.AddrPort) {
	t.Helper()
	s := open(t, e, media.Options{SRTP: media.SRTPRequired})
	offer, err := mediatest.ParseSDP(s.Offer())
	if err != nil {
		t.Fatal(err)
	}
	ours := offer.Crypto[slices.IndexFunc(offer.Crypto, func(c mediatest.Crypto) bool { return c.Suite == suite })]
	theirs := mediatest.Crypto{Tag: ours.Tag, Suite: suite, Master: bytes.Repeat([]byte("ffmpeg"), 5)}
	there := evenPort(t)
	answer := mediatest.Description{Addr: there, Codecs: []string{"PCMU"}, Profile: "RTP/SAVP", Crypto: []mediatest.Crypto{theirs}}
	if err := s.Accept(answer.Bytes()); err != nil {
		t.Fatal(err)
	}
	return s, line{ours, theirs, offer.Addr}, there
}

// begin starts a program, which is killed and waited for with the test; the channel tells its end.
func begin(t *testing.T, cmd *exec.Cmd) <-chan error {
	t.Helper()
	var words bytes.Buffer
	cmd.Stderr = &words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended, gone := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(gone)
		err := cmd.Wait()
		if err != nil {
			err = fmt.Errorf("%s: %w: %s", cmd.Path, err, words.String())
		}
		ended <- err
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-gone
	})
	return ended
}

// evenPort is a port of this host that is free for RTP, or was a moment ago.
func evenPort(t *testing.T) netip.AddrPort {
	t.Helper()
	for {
		h, err := mediatest.NewHandset(mediatest.Config{})
		if err != nil {
			t.Fatal(err)
		}
		h.Close()
		if h.Addr().Port()%2 == 0 {
			return h.Addr()
		}
	}
}
