package sip

import "testing"

func TestReasonHeadersAreReadAsPeersWriteThem(t *testing.T) {
	for _, c := range []struct {
		headers  []string
		q850     int
		text     string
		location string
		elements int
	}{
		{[]string{"Q.850;cause=16"}, 16, "", "", 1},
		{[]string{`q.850 ; CAUSE = 21 ; text = "rejected"`}, 21, "rejected", "", 1},
		{[]string{"SIP;cause=200;text=\"Call completed elsewhere\"", "Q.850;cause=19"}, 19, "", "", 2},
		{[]string{`SIP;cause=503;text="a, b; c", Q.850;cause=34;location=LN`}, 34, "", "LN", 2},
		{[]string{"Q.850;cause=17, Q.850;cause=18"}, 17, "", "", 2},
		{[]string{"Q.850;text=unquoted words;cause=1"}, 1, "unquoted words", "", 1},
		{[]string{"Q.850;cause=abc"}, 0, "", "", 1},
		{[]string{"Q.850;cause=999"}, 0, "", "", 1},
		{[]string{"", ",", `"`}, 0, "", "", 1},
		{nil, 0, "", "", 0},
	} {
		r := parseReason(c.headers)
		if r.Q850 != c.q850 || r.Q850Text != c.text || r.Q850Location != c.location || len(r.Values) != c.elements {
			t.Errorf("%q: %+v", c.headers, r)
		}
	}
}

func FuzzReason(f *testing.F) {
	f.Add(`SIP;cause=503;text="a, b", Q.850;cause=34`)
	f.Add("Q.850;cause=\"\\\"")
	f.Fuzz(func(t *testing.T, h string) {
		if r := parseReason([]string{h}); r.Q850 < 0 || r.Q850 > 127 {
			t.Errorf("cause %d", r.Q850)
		}
	})
}
