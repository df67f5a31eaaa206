package slack

import (
	"unicode"
	"unicode/utf16"

	"golang.org/x/text/width"
)

// ellipsis marks what was cut; it is one character wide everywhere but in old East Asian fonts.
const ellipsis = "…"

// truncate shortens s to at most limit UTF-16 units, the larger of the ways Slack may count, and never tears a character
// from what belongs to it (accents, variation selectors, joined emoji, flags).
func truncate(s string, limit int) string { return cut(s, limit, units) }

// clip shortens s to a display width of at most cells, where wide East Asian characters and emoji take two.
func clip(s string, cells int) string { return cut(s, cells, cellsOf) }

func units(cluster []rune) int {
	n := 0
	for _, r := range cluster {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

func cellsOf(cluster []rune) int {
	if len(cluster) == 0 {
		return 0
	}
	switch width.LookupRune(cluster[0]).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

func cut(s string, limit int, measure func([]rune) int) string {
	runes := []rune(s)
	total, fits := 0, 0 // fits: how many runes leave room for the ellipsis
	room := limit - measure([]rune(ellipsis))
	for i := 0; i < len(runes); {
		n := cluster(runes[i:])
		total += measure(runes[i : i+n])
		i += n
		if total <= room {
			fits = i
		}
		if total > limit {
			if room < 0 {
				return ""
			}
			return string(runes[:fits]) + ellipsis
		}
	}
	return s
}

// joiner glues emoji into one: family, profession.
const joiner = '\u200d'

// cluster is how many runes at the head of rs are shown as one character. It is a small part of Unicode TR 29: enough
// for marks, emoji sequences and flags.
func cluster(rs []rune) int {
	n := 1
	if regional(rs[0]) && len(rs) > 1 && regional(rs[1]) {
		n = 2
	}
	for n < len(rs) {
		switch r := rs[n]; {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc), r >= 0x1f3fb && r <= 0x1f3ff, r >= 0xe0020 && r <= 0xe007f:
			n++
		case r == joiner && n+1 < len(rs):
			n += 2
		case r == joiner:
			n++
		default:
			return n
		}
	}
	return n
}

func regional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }
