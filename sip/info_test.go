package sip

import (
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

func TestKeysAreReadInBothForms(t *testing.T) {
	for _, c := range []struct {
		body   string
		digit  byte
		lasted time.Duration
	}{
		{"Signal=5\r\nDuration=160\r\n", '5', 160 * time.Millisecond},
		{"Signal= 5\nDuration= 160\n", '5', 160 * time.Millisecond},
		{"signal=*", '*', 0},
		{"DURATION=99999999\r\nSIGNAL=#", '#', 5 * time.Second},
		{"Signal=10\r\nDuration=250", '*', 250 * time.Millisecond},
		{"Signal=11", '#', 0},
		{"Signal=a", 'A', 0},
		{"1", '1', 0},
		{"  9\r\n", '9', 0},
		{"d", 'D', 0},
		{"", 0, 0},
		{"Signal=", 0, 0},
		{"Signal=16", 0, 0},
		{"Signal=hf", 0, 0},
		{"Signal=123", 0, 0},
		{"12", 'A', 0}, // an event number
		{"Duration=100", 0, 0},
		{"Signal=5\r\nDuration=-3", '5', 0},
		{"Signal=é", 0, 0},
	} {
		digit, lasted, ok := readKey([]byte(c.body))
		if ok != (c.digit != 0) || ok && (digit != c.digit || lasted != c.lasted) {
			t.Errorf("%q: %q for %v, %v", c.body, digit, lasted, ok)
		}
	}
}

func FuzzKeysInAnINFO(f *testing.F) {
	for _, s := range []string{"Signal=5\r\nDuration=160\r\n", "1", "#", "Signal=10\nDuration=1", "=\n=", "\r\n\r\n", "Signal=5\r\nSignal=6"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		digit, lasted, ok := readKey(body)
		if lasted < 0 || lasted > longestKey {
			t.Errorf("held for %v", lasted)
		}
		if _, known := keyOf(string(rune(digit))); ok != known {
			t.Errorf("%q, %v", digit, ok)
		}
	})
}

type header struct{ name, value string }

func FuzzSessionExpires(f *testing.F) {
	for _, s := range []string{"1800;refresher=uac", "90", "4294967295;refresher=UAS", "-1", ";;;=", "90 ; refresher = uas", "0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		e, ok := readExpiry(headersOf(header{"Session-Expires", value}))
		if ok != (e.after > 0) || e.after > longestSession || e.refresher != "" && e.refresher != "uac" && e.refresher != "uas" {
			t.Errorf("%+v, %v", e, ok)
		}
	})
}

func TestSessionExpiresIsReadAsItIsWritten(t *testing.T) {
	for _, c := range []struct {
		header
		after     time.Duration
		refresher string
	}{
		{header{"Session-Expires", "1800;refresher=uac"}, 1800 * time.Second, "uac"},
		{header{"Session-Expires", " 90 ; Refresher = UAS ; x=y"}, 90 * time.Second, "uas"},
		{header{"x", "120"}, 120 * time.Second, ""},
		{header{"Session-Expires", "1800;refresher=both"}, 1800 * time.Second, ""},
		{header{"Session-Expires", "0"}, 0, ""},
		{header{"Session-Expires", "soon"}, 0, ""},
		{header{"Session-Expires", "4000000000"}, 24 * time.Hour, ""},
	} {
		if e, _ := readExpiry(headersOf(c.header)); e.after != c.after || e.refresher != c.refresher {
			t.Errorf("%v: %+v", c.header, e)
		}
	}
}

func headersOf(all ...header) *sip.Request {
	req := sip.NewRequest(sip.INVITE, sip.Uri{})
	for _, h := range all {
		req.AppendHeader(sip.NewHeader(h.name, h.value))
	}
	return req
}
