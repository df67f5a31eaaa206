package directory

import (
	"errors"
	"time"

	"telgate"
	"telgate/directory/rota"
)

// Mute reads an order to keep somebody's phones quiet; one that is to end is over now. Whether the asker may do so is for the
// caller to know. The error is a [*telgate.Refusal].
func (d *Directory) Mute(o telgate.MuteOrder) (telgate.Mute, error) {
	who, err := d.somebodyOrSelf(o)
	if err != nil {
		return telgate.Mute{}, err
	}
	now := d.env.Now()
	m := telgate.Mute{Nick: who.Nick, Until: now, By: o.Asker.ID, At: now}
	if o.End {
		return m, nil
	}
	zone := d.zoneOf(o.Asker, who.Nick)
	until, err := muteUntil(o, now, zone)
	if err != nil {
		return telgate.Mute{}, refuse(telgate.RefusedTime, o.When, "I cannot mute: %v.", err)
	}
	m.Until = until.In(zone)
	return m, nil
}

// muteUntil is when a mute is over that begins now.
func muteUntil(o telgate.MuteOrder, now time.Time, zone *time.Location) (time.Time, error) {
	if !o.Until.IsZero() {
		return o.Until, rota.CheckSpan(now, o.Until, now)
	}
	from, until, err := rota.ParseSpan(o.When, now, zone)
	if err == nil && from.After(now) {
		err = errLater
	}
	return until, err //nolint:wrapcheck // a sentence for who wrote it
}

var errLater = errors.New("a mute begins now; say only until when")

// somebodyOrSelf is the one person that an order is about.
func (d *Directory) somebodyOrSelf(o telgate.MuteOrder) (telgate.Person, error) {
	if o.Who == "" {
		if i, ok := d.slack[o.Asker.ID]; ok {
			return d.people[i], nil
		}
		return telgate.Person{}, refuse(telgate.RefusedUnknownName, o.Asker.ID, "You are not in the directory: say who, or have your Slack id added to config.toml.")
	}
	e, err := d.somebody(o.Who)
	if err != nil {
		return telgate.Person{}, err
	}
	if !e.person() {
		return telgate.Person{}, refuse(telgate.RefusedUnknownName, o.Who, "%s is no person: only one person can be muted.", d.title(e))
	}
	return d.people[e.index], nil
}
