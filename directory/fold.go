package directory

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// fold makes words that people take for the same the same: compatibility forms (half-width ｱﾘｽ, full-width Ａ), case, and
// katakana as hiragana.
func fold(word string) string {
	s := cases.Fold().String(norm.NFKC.String(strings.TrimSpace(word)))
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if r >= 'ァ' && r <= 'ヶ' { // katakana with a hiragana twin; the long vowel mark ー stays
			return r - 'ァ' + 'ぁ'
		}
		return r
	}, s))
}

// longestName bounds what Slack and logs must show.
const longestName = 64

// unusable says why a word cannot be a name; "" if it can.
func unusable(word string) string {
	switch {
	case word == "":
		return "it is empty"
	case !utf8.ValidString(word) || utf8.RuneCountInString(word) > longestName:
		return "it is too long"
	case strings.ContainsAny(word, " \t\r\n\u3000,<>@:"):
		return "it contains a space, comma, <, >, @ or :"
	case slices.Contains(reserved(), fold(word)):
		return "the word is a command"
	}
	return ""
}

// reserved are the commands of "/tel", those of later versions included.
func reserved() []string {
	return []string{
		"force", "new", "stop", "status", "test", "who", "list", "help", "pause", "resume", "mute", "unmute", "cover",
		"oncall", "all",
	}
}

// mention reads "<@U123>" and "<@U123|name>".
func mention(word string) (id string, ok bool) {
	inner, ok := strings.CutPrefix(word, "<@")
	if !ok || !strings.HasSuffix(inner, ">") {
		return "", false
	}
	id, _, _ = strings.Cut(strings.TrimSuffix(inner, ">"), "|")
	return id, id != ""
}

// suggestions is how many names are offered for a word that means nobody.
const suggestions = 3

// suggest finds the configured words nearest to one that means nobody, best first.
func (d *Directory) suggest(word string) []string {
	type near struct {
		word     string
		distance int
	}
	key := []rune(fold(word))
	if len(key) > longestName {
		return nil
	}
	var found []near
	for folded, e := range d.words {
		n := distance(key, []rune(folded))
		if n <= max(1, len(key)/3) || len(key) >= 2 && strings.HasPrefix(folded, string(key)) {
			found = append(found, near{e.word, n})
		}
	}
	slices.SortFunc(found, func(a, b near) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.word, b.word)
	})
	var words []string
	for _, f := range found[:min(suggestions, len(found))] {
		words = append(words, f.word)
	}
	return words
}

// distance is the number of runes to insert, delete, replace or swap with their neighbour (optimal string alignment).
func distance(a, b []rune) int {
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}
