package main

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/width"

	"telgate"
)

// historyTable is pages for people: when, whom, by whom, how it ended, and after how long somebody picked up.
func historyTable(pages []telgate.Summary, in *time.Location) string {
	rows := [][]string{{"TIME", "PAGE", "FOR", "ASKED BY", "RESULT", "CALLS", "PICKED UP", "TOOK"}}
	for i := range pages {
		p := &pages[i]
		rows = append(rows, []string{
			stampIn(p.Accepted, in), string(p.ID), printable(p.Title), printable(askers(p)), standingOf(p), strconv.Itoa(p.Calls),
			after(p.Accepted, p.PickedUp), after(p.Accepted, p.Ended),
		})
	}
	return table(rows)
}

func askers(p *telgate.Summary) string {
	if p.Joined > 0 {
		return fmt.Sprintf("%s +%d", p.Asker, p.Joined)
	}
	return p.Asker
}

// standingOf is how a page ended, or how far it is.
func standingOf(p *telgate.Summary) string {
	switch {
	case p.State != telgate.PageEnded:
		return string(p.State) + "…"
	case p.Late:
		return string(p.Result) + ", late"
	case p.Reached.Nick != "" && p.Result.Reached() && p.People > 1:
		return string(p.Result) + " by " + printable(p.Reached.Nick)
	}
	return string(p.Result)
}

// after is how much later something happened, "-" where it did not.
func after(begun, at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return short(at.Sub(begun))
}

func short(d time.Duration) string { return d.Round(time.Second).String() }

func stampIn(t time.Time, in *time.Location) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(in).Format("2006-01-02 15:04:05")
}

// pageText is one page with every step.
func pageText(p telgate.Page, numbers bool, in *time.Location) string {
	var b strings.Builder
	zone := p.Accepted.In(in).Format("MST")
	fmt.Fprintf(&b, "page %s for %s\n", p.ID, printable(p.Title))
	for i, a := range p.Askers {
		did := "asked for"
		if i > 0 {
			did = "joined"
		}
		fmt.Fprintf(&b, "%s %s  %s by %s", stampIn(a.At, in), zone, did, printable(cmp.Or(a.Name, a.ID)))
		if a.Message != "" {
			fmt.Fprintf(&b, ": %s", printable(a.Message))
		}
		b.WriteString("\n")
	}
	for _, s := range p.Steps {
		number := s.Number.String()
		if numbers {
			number = s.Number.Whole()
		}
		fmt.Fprintf(&b, "%s %s  %d. %s %s", stampIn(s.At, in), zone, s.N, s.Person, number)
		switch {
		case s.Call == nil:
			fmt.Fprintf(&b, ": not dialled: %s\n", skipWords(s.Skip))
		case s.Call.Outcome == "":
			fmt.Fprintf(&b, " over %s: %s\n", s.Call.Trunk, s.Call.State)
		default:
			fmt.Fprintf(&b, " over %s: %s\n", s.Call.Trunk, printable(outcomeWords(*s.Call)))
		}
	}
	for _, t := range p.Targets {
		if !t.CalledBack.IsZero() {
			fmt.Fprintf(&b, "%s %s  %s called back\n", stampIn(t.CalledBack, in), zone, t.Nick)
		}
	}
	switch {
	case p.State != telgate.PageEnded:
		fmt.Fprintf(&b, "it is %s\n", p.State)
	case p.Stopped != "":
		fmt.Fprintf(&b, "%s %s  ended: %s by %s\n", stampIn(p.Ended, in), zone, resultWords(p.Result, p.Targets), printable(p.Stopped))
	default:
		fmt.Fprintf(&b, "%s %s  ended: %s\n", stampIn(p.Ended, in), zone, resultWords(p.Result, p.Targets))
	}
	return b.String()
}

// writeCSV is pages for a spreadsheet. A cell that one would take for a formula gets an apostrophe before it.
func writeCSV(to io.Writer, pages []telgate.Summary) error {
	w := csv.NewWriter(to)
	rows := [][]string{{"time", "page", "for", "asked_by", "message", "state", "result", "late", "by", "via", "calls", "picked_up_s", "took_s"}}
	for i := range pages {
		p := &pages[i]
		rows = append(rows, []string{
			p.Accepted.UTC().Format(time.RFC3339), string(p.ID), p.Title, askers(p), p.Message, string(p.State), string(p.Result),
			strconv.FormatBool(p.Late), p.Reached.By, string(p.Reached.Via), strconv.Itoa(p.Calls), secondsAfter(p.Accepted, p.PickedUp),
			secondsAfter(p.Accepted, p.Ended),
		})
	}
	for _, row := range rows {
		for i := range row {
			row[i] = harmless(row[i])
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// secondsAfter is how much later something happened, "" where it did not.
func secondsAfter(begun, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return strconv.FormatFloat(at.Sub(begun).Seconds(), 'f', 1, 64)
}

// harmless keeps a spreadsheet from taking somebody's words for a formula.
func harmless(cell string) string {
	cell = printable(cell)
	if first := strings.TrimLeft(cell, " "); first != "" && strings.ContainsRune("=+-@|%＝＋－＠", []rune(first)[0]) {
		return "'" + cell
	}
	return cell
}

// table puts cells below each other.
func table(rows [][]string) string {
	wide := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			wide[i] = max(wide[i], cells(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", wide[i]-cells(cell)+2))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// cells is how wide a text is on a terminal.
func cells(s string) (n int) {
	for _, r := range s {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// printable is what somebody wrote without what would disturb a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r == '\r' {
			return ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

func parseEntry(line []byte) (e telgate.AuditEntry, err error) {
	if err = json.Unmarshal(line, &e); err != nil {
		err = fmt.Errorf("read an entry of the audit: %w", err)
	}
	return e, err
}
