package main

import (
	"context"
	"time"

	"telgate"
)

// muting has people's phones kept quiet, on behalf of who asks at one of the ways in.
type muting struct {
	gateway *gateway
	from    telgate.AuditFrom
}

// Mutes are who is not called now.
func (m *muting) Mutes() []telgate.Mute { return m.gateway.pager.Mutes() }

// Mute carries an order out, if its asker may give it.
func (m *muting) Mute(ctx context.Context, o telgate.MuteOrder) (telgate.Mute, error) {
	mute, err := m.gateway.live.people().Mute(o)
	if err != nil {
		return mute, err
	}
	if err := m.gateway.pager.Mute(ctx, o.Asker, mute); err != nil {
		return mute, err
	}
	act, until := telgate.AuditMuted, "until "+mute.Until.UTC().Format(time.RFC3339)
	if o.End {
		act, until = telgate.AuditUnmuted, ""
	}
	m.gateway.note(ctx, telgate.AuditEntry{Actor: o.Asker.ID, From: m.from, Act: act, Who: mute.Nick, Detail: until})
	return mute, nil
}
