package sip

import "testing"

func TestADiversionIsReadFromWhatPeersReallyWrite(t *testing.T) {
	for _, c := range []struct {
		name                       string
		history, diverted, contact []string
		want                       *Diversion
	}{
		{name: "nothing", contact: []string{"<sip:7101@192.0.2.1:5060>"}},
		{name: "History-Info of a forward on no answer", history: []string{
			"<sip:7101@pbx.example?Reason=SIP%3Bcause%3D408>;index=1", "<sip:+12025550199@pbx.example;cause=408>;index=1.1",
		}, want: &Diversion{To: "+12025550199", Cause: 408}},
		{name: "in one header, the Reason alone", history: []string{
			`"Bob, B." <sip:7101@pbx.example?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%20Here%22>;index=1,<sip:7102@pbx.example>;index=1.1`,
		}, want: &Diversion{To: "7102", Cause: 486}},
		{name: "mapped to another user", history: []string{"<sip:7101@a>;index=1", "<sip:7109@a>;index=1.1;mp=1"}, want: &Diversion{To: "7109"}},
		{name: "a registered contact of the same person", history: []string{"<sip:7101@a>;index=1", "<sip:x7f3@192.0.2.7>;index=1.1;rc=1"}},
		{name: "a route that says nothing", history: []string{"<sip:7101@a>;index=1", "<sip:9999@b>;index=1.1"}},
		{name: "RFC 4458 in History-Info", history: []string{
			"<sip:7101@a>;index=1", "<sip:vm@a;target=sip:7101%40a;cause=486>;index=1.1",
		}, want: &Diversion{To: "vm", Cause: 486, Mailbox: true}},
		{name: "RFC 4458 in Contact", contact: []string{"<sip:mbx@vm.example;target=sip%3A7101%40a;cause=408>"}, want: &Diversion{To: "mbx", Cause: 408, Mailbox: true}},
		{name: "a target without a cause", contact: []string{"<sip:mbx@vm.example;target=x>"}},
		{name: "a user called voicemail, without a word of a diversion", contact: []string{"<sip:voicemail@a>"}},
		{name: "to voicemail, with a cause", history: []string{"<sip:7101@a>;index=1", "<sip:voicemail@a;cause=404>;index=1.1"}, want: &Diversion{To: "voicemail", Cause: 404, Mailbox: true}},
		{name: "Diversion, a mere forward", diverted: []string{`<sip:7101@pbx.example>;reason=user-busy;counter=1;privacy=off`}, want: &Diversion{Reason: "user-busy"}},
		{name: "Diversion, to a mailbox", diverted: []string{`"x" <sip:7101@pbx.example;vmail=1>;reason="No-Answer"`}, want: &Diversion{Reason: "no-answer", Mailbox: true}},
		{name: "a cause that RFC 4458 does not know", history: []string{"<sip:7101@a>;index=1", "<sip:7102@a;cause=999>;index=1.1"}},
		{name: "a telephone number", history: []string{"<tel:+12025550100>;index=1", "<tel:+12025550101;cause=302>;index=1.1"}, want: &Diversion{To: "+12025550101", Cause: 302}},
		{name: "nonsense", history: []string{"<", ">", "<sip:>;index", ",,;", "<sip:a@b"}, diverted: []string{"x:y", ""}},
		{name: "a user nobody can have", history: []string{"<sip:1@a>", "<sip:a%0d%0aX-Evil:%201@b;cause=302>"}, want: &Diversion{To: "aX-Evil", Cause: 302}},
	} {
		got := diversion(c.history, c.diverted, c.contact)
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func FuzzDiversion(f *testing.F) {
	f.Add("<sip:7101@a?Reason=SIP%3Bcause%3D408>;index=1, <sip:+1202@a;cause=408>;index=1.1", "<sip:a@b>;reason=user-busy", "<sip:m@v;target=x;cause=486>")
	f.Add("<tel:1>,<sip:;;@;>", "\"<\\", "sip:a;b=c")
	f.Fuzz(func(t *testing.T, history, diverted, contact string) {
		d := diversion([]string{history}, []string{diverted}, []string{contact})
		if d != nil && (len(d.To) > longestUser || len(d.Reason) > longestToken || d.Cause != 0 && (d.Cause < 300 || d.Cause > 699)) {
			t.Errorf("%+v", d)
		}
	})
}
