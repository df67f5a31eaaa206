package slack

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestACommandIsReadAsPeopleTypeIt(t *testing.T) {
	page := func(message string, who ...string) order { return order{verb: verbPage, who: who, message: message} }
	for text, want := range map[string]order{
		"":                                  {verb: verbHelp},
		"  help ":                           {verb: verbHelp},
		"alice":                             page("", "alice"),
		"@alice db":                         page("db", "alice"),
		"alice db is down":                  page("db is down", "alice"),
		"alice,bob db":                      page("db", "alice", "bob"),
		"alice , bob db":                    page("db", "alice", "bob"),
		"alice、bob 停止":                      page("停止", "alice", "bob"),
		"アリス DB 停止":                         page("DB 停止", "アリス"),
		"<@U1AB> look":                      page("look", "<@U1AB>"),
		"<@W1AB|alice>,bob x":               page("x", "<@W1AB>", "bob"),
		"<!subteam^S1|@ops> down":           page("down", "ops"),
		"<@U0,0> x":                         page("x", "U0 0"),
		"&lt;@U1AB&gt; x":                   page("x", "<@U1AB>"),
		"alice a &amp; b &lt;c&gt;":         page("a & b <c>", "alice"),
		"alice see <https://x.test|x>":      page("see x", "alice"),
		"alice ask <@U2|bob> in <#C1>":      page("ask @bob in #C1", "alice"),
		"alice <!channel> now":              page("@channel now", "alice"),
		"alice two\nlines":                  page("two lines", "alice"),
		"alice \u202eevil":                  page("evil", "alice"),
		"new alice again":                   {verb: verbPage, who: []string{"alice"}, message: "again", new: true},
		"force alice":                       {verb: verbPage, who: []string{"alice"}, force: true},
		"force":                             {verb: verbWrong, word: "force"},
		"stop":                              {verb: verbStop},
		"STOP alice":                        {verb: verbStop, who: []string{"alice"}},
		"ｓｔａｔｕｓ":                            {verb: verbStatus},
		"status quo":                        {verb: verbStatus},
		"test":                              {verb: verbTest},
		"who alice":                         {verb: verbWho, who: []string{"alice"}},
		"who":                               {verb: verbWrong, word: "who"},
		"list":                              {verb: verbList},
		"oncall":                            {verb: verbOnCall},
		"oncall db":                         {verb: verbOnCall, who: []string{"db"}},
		"cover":                             {verb: verbCover},
		"cover alice until 18:00":           {verb: verbCover, who: []string{"alice"}, message: "until 18:00"},
		"cover <@U1> for 2h":                {verb: verbCover, who: []string{"<@U1>"}, message: "for 2h"},
		"cover alice by <@U2|bob> for 2h":   {verb: verbCover, who: []string{"alice"}, by: "<@U2>", message: "for 2h"},
		"cover alice BY bob 明日9:00まで":       {verb: verbCover, who: []string{"alice"}, by: "bob", message: "明日9:00まで"},
		"cover alice":                       {verb: verbCover, who: []string{"alice"}},
		"cover alice end":                   {verb: verbCover, who: []string{"alice"}, end: true},
		"cover alice by bob 終了":             {verb: verbCover, who: []string{"alice"}, by: "bob", end: true},
		"cover alice,bob for 2h":            {verb: verbWrong, word: "cover"},
		"cover alice by":                    {verb: verbWrong, word: "cover"},
		"all alice, bob db":                 {verb: verbPage, who: []string{"alice", "bob"}, message: "db", all: true},
		"all":                               {verb: verbWrong, word: "all"},
		"mute alice until 18:00":            {verb: verbMute, who: []string{"alice"}, message: "until 18:00"},
		"mute ME for 2h":                    {verb: verbMute, message: "for 2h"},
		"mute 自分 18:00まで":                   {verb: verbMute, message: "18:00まで"},
		"mute":                              {verb: verbWrong, word: "mute"},
		"mute alice":                        {verb: verbWrong, word: "mute"},
		"mute alice,bob for 2h":             {verb: verbWrong, word: "mute"},
		"unmute":                            {verb: verbUnmute},
		"unmute me":                         {verb: verbUnmute},
		"unmute <@U1>":                      {verb: verbUnmute, who: []string{"<@U1>"}},
		"pause":                             {verb: verbPause},
		"pause false alarms":                {verb: verbPause, message: "false alarms"},
		"Resume now":                        {verb: verbResume},
		",,":                                {verb: verbWrong},
		"alice\u00a0db":                     page("db", "alice"),
		"alice " + strings.Repeat("x", 600): page(strings.Repeat("x", 499)+"…", "alice"),
	} {
		if diff := cmp.Diff(want, parseCommand(text), cmp.AllowUnexported(order{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func FuzzParseCommand(f *testing.F) {
	for _, seed := range []string{"alice db", "<@U1|x>,bob y", "cover a by b until 1", "<@U0,0>0000", "<x|,>", "new ,", "&lt;&amp;", "<", "who 、", "\xff\xfe", "🏳️‍🌈 x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o := parseCommand(text)
		if n := len(utf16.Encode([]rune(o.message))); n > messageLimit {
			t.Errorf("%q: message of %d", text, n)
		}
		if !utf8.ValidString(o.message) || strings.ContainsAny(o.message, "\n\r\x00") {
			t.Errorf("%q: message %q", text, o.message)
		}
		if o.verb == verbPage && len(o.who) == 0 {
			t.Errorf("%q calls nobody", text)
		}
		for _, w := range o.who {
			if strings.TrimSpace(w) == "" || strings.ContainsAny(w, "\n,") {
				t.Errorf("%q: name %q", text, w)
			}
		}
	})
}
