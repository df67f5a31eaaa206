package directory

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"time"

	"telgate"
	"telgate/directory/rota"
)

// Covers keeps covers across a restart, and between gateways.
type Covers interface {
	// SaveCover keeps a cover, in place of one with the same ID.
	SaveCover(ctx context.Context, c telgate.Cover) error
	// Covers are those that end after a moment, in the order in which they were asked for.
	Covers(ctx context.Context, after time.Time) ([]telgate.Cover, error)
}

// covered puts those who stand in for others in their place. A cover of a person counts before one of the whole rota, a later
// one before an earlier; who stands in may be stood in for, too. turn gets the covers and the end of what they make so.
func (d *Directory) covered(r *roster, people []int, t time.Time, turn *telgate.OnCall) []int {
	d.mu.RLock()
	covers := d.covers
	d.mu.RUnlock()
	ends := func(at time.Time) {
		if at.After(t) && (turn.Until.IsZero() || at.Before(turn.Until)) {
			turn.Until = at
		}
	}
	find := func(who string) (telgate.Cover, int, bool) {
		for _, c := range slices.Backward(covers) {
			if by, ok := d.words[fold(c.By)]; c.For == who && ok && by.person() {
				ends(c.From)
				ends(c.Until)
				if c.At(t) {
					return c, by.index, true
				}
			}
		}
		return telgate.Cover{}, 0, false
	}
	use := func(c telgate.Cover) {
		if !slices.ContainsFunc(turn.Covers, func(x telgate.Cover) bool { return x.ID == c.ID }) {
			turn.Covers = append(turn.Covers, c)
		}
	}
	var on []int
	add := func(i int) {
		for passed := []int{i}; ; passed = append(passed, i) {
			c, by, ok := find(d.people[i].Nick)
			if !ok || slices.Contains(passed, by) {
				break
			}
			use(c)
			i = by
		}
		if !slices.Contains(on, i) {
			on = append(on, i)
		}
	}
	whole, by, isCovered := find(r.nick)
	for _, i := range people {
		if _, _, ok := find(d.people[i].Nick); !ok && isCovered {
			use(whole)
			i = by
		}
		add(i)
	}
	if len(people) == 0 && isCovered {
		use(whole)
		add(by)
	}
	return on
}

// Cover has somebody stand in for somebody else. The error is a [*telgate.Refusal] where the order cannot be carried out.
// Whether the asker may do so is for the caller to know (telgate.ActCover).
func (d *Directory) Cover(ctx context.Context, o telgate.CoverOrder) (telgate.Cover, error) {
	whose, err := d.coverable(o.For)
	if err != nil {
		return telgate.Cover{}, err
	}
	by, err := d.standIn(o)
	if err != nil {
		return telgate.Cover{}, err
	}
	if whose == by.Nick {
		return telgate.Cover{}, refuse(telgate.RefusedCover, whose, "%s cannot cover for themselves. Say who does: by NAME.", whose)
	}
	now := d.env.Now()
	zone := d.zoneOf(o.Asker, whose)
	from, until, err := rota.ParseSpan(o.When, now, zone)
	if err != nil {
		return telgate.Cover{}, refuse(telgate.RefusedTime, o.When, "I cannot cover: %v.", err)
	}
	if !d.hasTurn(whose, from, until) {
		return telgate.Cover{}, refuse(telgate.RefusedCover, whose, "%s is not on call in any rota from %s until %s: there is nothing to cover.",
			whose, from.In(zone).Format("Mon 15:04"), until.In(zone).Format("Mon 2006-01-02 15:04 MST"))
	}
	id := make([]byte, 8)
	if _, err := io.ReadFull(d.env.Rand, id); err != nil {
		return telgate.Cover{}, fmt.Errorf("name the cover: %w", err)
	}
	c := telgate.Cover{
		ID: "c" + hex.EncodeToString(id), For: whose, By: by.Nick, From: from.In(zone), Until: until.In(zone), Asker: o.Asker.ID, Asked: now,
	}
	return c, d.save(ctx, c)
}

// Uncover ends the covers for somebody, those to come included; by somebody, if the order names one.
func (d *Directory) Uncover(ctx context.Context, o telgate.CoverOrder) ([]telgate.Cover, error) {
	whose, err := d.coverable(o.For)
	if err != nil {
		return nil, err
	}
	by := ""
	if o.By != "" {
		p, err := d.standIn(o)
		if err != nil {
			return nil, err
		}
		by = p.Nick
	}
	now := d.env.Now()
	var ended []telgate.Cover
	for _, c := range d.Covers() {
		if c.For != whose || by != "" && c.By != by {
			continue
		}
		if c.Until = now; now.Before(c.From) {
			c.Until = c.From
		}
		if err := d.save(ctx, c); err != nil {
			return ended, err
		}
		ended = append(ended, c)
	}
	if len(ended) == 0 {
		return nil, refuse(telgate.RefusedCover, whose, "Nobody covers for %s.", whose)
	}
	return ended, nil
}

// Covers are those in force and those to come.
func (d *Directory) Covers() []telgate.Cover {
	d.mu.RLock()
	defer d.mu.RUnlock()
	now := d.env.Now()
	return slices.DeleteFunc(slices.Clone(d.covers), func(c telgate.Cover) bool { return !now.Before(c.Until) || !c.From.Before(c.Until) })
}

// save keeps a cover, and has it in force only if it was kept.
func (d *Directory) save(ctx context.Context, c telgate.Cover) error {
	if err := d.env.Covers.SaveCover(ctx, c); err != nil {
		return fmt.Errorf("keep the cover: %w", err)
	}
	return d.readCovers(ctx)
}

// readCovers takes up what was kept, by this gateway or another.
func (d *Directory) readCovers(ctx context.Context) error {
	covers, err := d.env.Covers.Covers(ctx, d.env.Now())
	if err != nil {
		return fmt.Errorf("read the covers: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.covers = covers
	return nil
}

// coverable is the nickname of a person or rota.
func (d *Directory) coverable(word string) (string, error) {
	e, err := d.somebody(word)
	if err != nil {
		return "", err
	}
	if e.kind == "group" {
		return "", refuse(telgate.RefusedCover, word, "%s is a group, which has no turns: name a person or a rota.", d.title(e))
	}
	return d.title(e), nil
}

// standIn is who is to take the turns.
func (d *Directory) standIn(o telgate.CoverOrder) (telgate.Person, error) {
	if o.By == "" {
		if i, ok := d.slack[o.Asker.ID]; ok {
			return d.people[i], nil
		}
		return telgate.Person{}, refuse(telgate.RefusedCover, o.Asker.ID, "You are not in the directory: say who covers, by NAME, or have your Slack id added to config.toml.")
	}
	e, err := d.somebody(o.By)
	if err != nil {
		return telgate.Person{}, err
	}
	if !e.person() {
		return telgate.Person{}, refuse(telgate.RefusedCover, o.By, "%s is no person: only one person can cover.", d.title(e))
	}
	return d.people[e.index], nil
}

// zoneOf is the time zone in which an asker speaks: their own, else that of the rota it is about, else UTC.
func (d *Directory) zoneOf(asker telgate.Actor, whose string) *time.Location {
	if i, ok := d.slack[asker.ID]; ok && d.people[i].TimeZone != "" {
		if zone, err := time.LoadLocation(d.people[i].TimeZone); err == nil {
			return zone
		}
	}
	now := d.env.Now()
	for _, r := range d.rosters {
		if r.kind == "rota" && (r.nick == whose || d.hasTurnIn(r, whose, now, now.Add(farAhead))) {
			return r.zone
		}
	}
	return time.UTC
}

// hasTurn tells whether there is something to cover in a time.
func (d *Directory) hasTurn(whose string, from, until time.Time) bool {
	return slices.ContainsFunc(d.rosters, func(r *roster) bool {
		return r.kind == "rota" && (r.nick == whose || d.hasTurnIn(r, whose, from, until))
	})
}

// hasTurnIn looks through a rota's turns: somebody has one by the rota itself, or because they stand in.
func (d *Directory) hasTurnIn(r *roster, nick string, from, until time.Time) bool {
	for n := 0; n < 1000 && from.Before(until); n++ {
		people, turn := d.turnOf(r, from, nil)
		if turn.Fallback {
			people = nil
		}
		for _, e := range d.entries(r.turn(from).Who) {
			people = append(people, d.expand(e, from)...)
		}
		if slices.ContainsFunc(people, func(i int) bool { return d.people[i].Nick == nick }) {
			return true
		}
		if turn.Until.IsZero() {
			return false
		}
		from = turn.Until
	}
	return false
}

func refuse(reason telgate.RefusalReason, subject, format string, args ...any) error {
	return &telgate.Refusal{Reason: reason, Subject: subject, Message: fmt.Sprintf(format, args...)}
}
