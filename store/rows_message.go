package store

import (
	"telgate"
	"telgate/pager"
)

// The forms in which messages wait for their owner. Their names are on disk, as those of facts.
type (
	messageRow struct {
		Stop    *actorRow  `json:"stop,omitempty"`
		Confirm *targetRow `json:"confirm,omitempty"`
		Join    *askerRow  `json:"join,omitempty"`
		Next    *actorRow  `json:"next,omitempty"`
		Back    *backRow   `json:"called_back,omitempty"`
		Late    *lateRow   `json:"late,omitempty"`
	}

	actorRow struct {
		ID      string   `json:"id"`
		Name    string   `json:"name,omitempty"`
		Team    string   `json:"team,omitempty"`
		Channel string   `json:"channel,omitempty"`
		Groups  []string `json:"groups,omitempty"`
		Guest   bool     `json:"guest,omitempty"`
		Unknown bool     `json:"unknown,omitempty"`
		Local   bool     `json:"local,omitempty"`
	}

	askerRow struct {
		Actor   actorRow `json:"actor"`
		Message string   `json:"message,omitempty"`
		At      int64    `json:"at"`
	}

	targetRow struct {
		Nick       string         `json:"nick"`
		Name       string         `json:"name,omitempty"`
		Slack      string         `json:"slack,omitempty"`
		Result     telgate.Result `json:"result,omitempty"`
		By         string         `json:"by,omitempty"`
		Via        telgate.Via    `json:"via,omitempty"`
		At         int64          `json:"at,omitempty"`
		CalledBack int64          `json:"called_back,omitempty"`
	}

	backRow struct {
		Nicks  []string  `json:"nicks"`
		Number numberRow `json:"number"`
		Trunk  string    `json:"trunk,omitempty"`
	}

	// lateRow is a call with what is in columns elsewhere.
	lateRow struct {
		Page    telgate.PageID    `json:"page"`
		ID      telgate.CallID    `json:"id"`
		Person  string            `json:"person"`
		Step    int               `json:"step"`
		Round   int               `json:"round"`
		Number  numberRow         `json:"number"`
		Trunk   string            `json:"trunk"`
		State   telgate.CallState `json:"state"`
		Outcome telgate.Outcome   `json:"outcome"`
		Detail  telgate.Detail    `json:"detail,omitempty"`
		Dialed  int64             `json:"dialed,omitempty"`
		Ended   int64             `json:"ended,omitempty"`
		Facts   *callRow          `json:"facts"`
	}
)

func messageOf(m *pager.Message) messageRow {
	row := messageRow{Stop: actorOf(m.Stop), Next: actorOf(m.Next), Late: lateOf(m.Late)}
	if t := m.Confirm; t != nil {
		row.Confirm = &targetRow{t.Nick, t.Name, t.Slack, t.Result, t.By, t.Via, micro(t.At), micro(t.CalledBack)}
	}
	if a := m.Join; a != nil {
		row.Join = &askerRow{*actorOf(&a.Actor), a.Message, micro(a.At)}
	}
	if b := m.Back; b != nil {
		row.Back = &backRow{b.Nicks, numberOf(b.Number), b.Trunk}
	}
	return row
}

// into puts what the row says into a message.
func (row *messageRow) into(m *pager.Message) {
	m.Stop, m.Next, m.Late = row.Stop.actor(), row.Next.actor(), row.Late.call()
	if t := row.Confirm; t != nil {
		m.Confirm = &telgate.Target{
			Nick: t.Nick, Name: t.Name, Slack: t.Slack, Result: t.Result, By: t.By, Via: t.Via, At: moment(t.At),
			CalledBack: moment(t.CalledBack),
		}
	}
	if a := row.Join; a != nil {
		m.Join = &telgate.Asker{Actor: *a.Actor.actor(), Message: a.Message, At: moment(a.At)}
	}
	if b := row.Back; b != nil {
		m.Back = &pager.CalledBack{Nicks: b.Nicks, Number: b.Number.number(), Trunk: b.Trunk}
	}
}

func actorOf(a *telgate.Actor) *actorRow {
	if a == nil {
		return nil
	}
	return &actorRow{a.ID, a.Name, a.Team, a.Channel, a.Groups, a.Guest, a.Unknown, a.Local}
}

func (row *actorRow) actor() *telgate.Actor {
	if row == nil {
		return nil
	}
	return &telgate.Actor{
		ID: row.ID, Name: row.Name, Team: row.Team, Channel: row.Channel, Groups: row.Groups, Guest: row.Guest, Unknown: row.Unknown,
		Local: row.Local,
	}
}

func lateOf(c *telgate.Call) *lateRow {
	if c == nil {
		return nil
	}
	return &lateRow{
		c.Page, c.Call, c.Person, c.Step, c.Round, numberOf(c.Number), c.Trunk, c.State, c.Outcome, c.Detail,
		micro(c.Times.Dialed), micro(c.Times.Ended), callOf(c),
	}
}

func (row *lateRow) call() *telgate.Call {
	if row == nil {
		return nil
	}
	c := &telgate.Call{State: row.State, Outcome: row.Outcome, Detail: row.Detail}
	c.Page, c.Call, c.Person, c.Step, c.Round = row.Page, row.ID, row.Person, row.Step, row.Round
	c.Number, c.Trunk = row.Number.number(), row.Trunk
	c.Times.Dialed, c.Times.Ended = moment(row.Dialed), moment(row.Ended)
	if row.Facts != nil {
		row.Facts.call(c)
	}
	return c
}
