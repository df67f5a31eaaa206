package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"telgate"
	"telgate/web"
	"telgate/web/client"
)

// historyCmd lists pages, or shows one.
type historyCmd struct {
	Page   string `arg:"" optional:"" help:"Show this page with every step, by the id that the list or telgate call shows. Without: list."`
	Since  string `help:"List from when on: a time (2026-01-31, 2026-01-31T21:00, by the clock of this shell or with a zone) or how long ago (90m, 24h, 7d). 24h where not given." default:"24h" placeholder:"WHEN"`
	Until  string `help:"List until when, written likewise; that moment is not in it. Now where not given." placeholder:"WHEN"`
	Person string `help:"List pages for this person only." placeholder:"NICK"`
	Result string `help:"List pages that ended so only: confirmed, answered, partial, not_reached, cancelled or failed." placeholder:"RESULT"`
	Limit  int    `help:"List at most so many, the newest: 1 to 10000." default:"100"`
	CSV    bool   `help:"List as comma-separated values, for spreadsheets." name:"csv"`
	Trace  bool   `help:"With PAGE: the SIP messages of each call, too."`
	Audit  bool   `help:"List who did what instead of pages: asked, forced, joined, stopped, confirmed, was refused, paused, muted, reloaded."`
}

// Help is shown below the flags.
func (historyCmd) Help() string {
	return `For example:

    telgate history --since 7d --person alice
    telgate history PAGE --trace
    telgate history --audit --since 2026-01-31T21:00 --until 2026-01-31T23:00

Pages of every gateway that shares the store are in it, for as long as store.keep says. The gateway of this machine is asked; where none
runs the store itself is read, by the gateway's user or root, and nothing is changed there.

A page is "confirmed" where somebody pressed the key or said "I've got it", "answered" where the configuration takes picking up for that,
"partial" where not everybody confirmed who had to, "not_reached", "cancelled" where somebody stopped it, and "failed" where no call got
beyond our trunks.`
}

// Validate holds flags against each other.
func (c *historyCmd) Validate() error {
	switch {
	case c.Trace && c.Page == "":
		return errors.New("--trace needs a PAGE")
	case c.Page != "" && (c.CSV || c.Audit):
		return errors.New("a PAGE is shown whole: --csv and --audit are for lists")
	case c.Limit < 1 || c.Limit > 10_000:
		return fmt.Errorf("--limit %d is not between 1 and 10000", c.Limit)
	case c.Result != "" && !slices.Contains(telgate.Results(), telgate.Result(c.Result)):
		return fmt.Errorf("--result %q is no way for a page to end: confirmed, answered, partial, not_reached, cancelled or failed", c.Result)
	case c.Audit && c.Person+c.Result != "":
		return errors.New("--audit is narrowed by --since, --until and --limit only")
	case c.CSV && c.Audit:
		return errors.New("--audit has no --csv: use --json")
	}
	return nil
}

// Run is the command.
func (c *historyCmd) Run(a *app) error {
	if a.cli.JSON && c.CSV {
		return withStatus(exitUsage, errors.New("--json and --csv exclude each other"))
	}
	q, err := c.query(a.env.now())
	if err != nil {
		return withStatus(exitUsage, err)
	}
	gateway, err := a.reach()
	if err != nil {
		return err
	}
	err = c.tell(a, gateway, q)
	if errors.Is(err, client.ErrNobody) {
		if read, failed := a.withoutGateway(func(stored archive) error { return c.tell(a, stored, q) }); read {
			err = failed
		}
	}
	return a.asked(err)
}

func (c *historyCmd) tell(a *app, from archive, q web.HistoryQuery) error {
	switch {
	case c.Page != "":
		return c.one(a, from)
	case c.Audit:
		return c.audit(a, from, q)
	default:
		return c.list(a, from, q)
	}
}

func (c *historyCmd) query(now time.Time) (q web.HistoryQuery, err error) {
	q = web.HistoryQuery{Person: c.Person, Result: telgate.Result(c.Result), Limit: c.Limit}
	if q.Since, err = when(c.Since, now); err != nil {
		return q, fmt.Errorf("--since: %w", err)
	}
	if q.Until, err = when(c.Until, now); err != nil {
		return q, fmt.Errorf("--until: %w", err)
	}
	return q, nil
}

// when reads a time, or how long ago it was. Without a zone it is the local one.
func when(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 36_500 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a time such as 2026-01-31T21:00 nor how long ago such as 24h or 7d", s)
}

// list prints pages, newest first.
func (c *historyCmd) list(a *app, from archive, q web.HistoryQuery) error {
	form := client.Form{Short: true} // which has no numbers to show
	if a.cli.JSON {
		form = client.Form{Numbers: a.cli.ShowNumbers}
	}
	var pages []telgate.Summary
	err := from.History(a.ctx, q, form, func(line []byte) error {
		if a.cli.JSON {
			_, err := fmt.Fprintf(a.env.out, "%s\n", line)
			return err
		}
		p, err := telgate.ParseSummary(line)
		pages = append(pages, p)
		return err
	})
	switch {
	case err != nil || a.cli.JSON:
		return err
	case c.CSV:
		return writeCSV(a.env.out, pages)
	case len(pages) == 0:
		_, err = fmt.Fprintln(a.env.err, "telgate: no such page; --since 7d looks further back")
		return err
	}
	if _, err = fmt.Fprint(a.env.out, historyTable(pages, a.env.now().Location())); err == nil && len(pages) == c.Limit {
		_, err = fmt.Fprintf(a.env.err, "telgate: these are the newest %d; --limit shows more\n", c.Limit)
	}
	return err
}

// one prints a page with its steps.
func (c *historyCmd) one(a *app, from archive) error {
	raw, err := from.Page(a.ctx, telgate.PageID(c.Page), client.Form{Numbers: a.cli.ShowNumbers, Trace: c.Trace})
	if err != nil {
		return err
	}
	if a.cli.JSON {
		_, err = fmt.Fprintf(a.env.out, "%s\n", raw)
		return err
	}
	p, err := telgate.ParsePage(raw)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(a.env.out, pageText(p, a.cli.ShowNumbers, a.env.now().Location())); err != nil || !c.Trace {
		return err
	}
	for _, s := range p.Steps {
		if s.Call != nil && s.Call.Outcome != "" {
			if err := writeLadder(a.env.out, s.Call, a.cli.ShowNumbers); err != nil {
				return err
			}
		}
	}
	return nil
}

// audit prints who did what, newest first.
func (c *historyCmd) audit(a *app, from archive, q web.HistoryQuery) error {
	rows := [][]string{{"TIME", "WHO", "FROM", "DID", "PAGE", "FOR", "DETAIL"}}
	err := from.Audit(a.ctx, q.Since, q.Until, q.Limit, func(line []byte) error {
		if a.cli.JSON {
			_, err := fmt.Fprintf(a.env.out, "%s\n", line)
			return err
		}
		e, err := parseEntry(line)
		rows = append(rows, []string{
			stampIn(e.Time, a.env.now().Location()), printable(e.Actor), string(e.From), string(e.Act), string(e.Page), printable(e.Who), printable(e.Detail),
		})
		return err
	})
	if err != nil || a.cli.JSON {
		return err
	}
	_, err = fmt.Fprint(a.env.out, table(rows))
	return err
}
