package slacktest

import (
	"slices"
	"strings"
)

// User is a person, or a bot.
type User struct {
	ID, Name, Team                            string // Team "" is the workspace's own; another one is a person of Slack Connect
	Restricted, UltraRestricted, Bot, Deleted bool
}

// Channel is a place where people write.
type Channel struct {
	ID, Name          string
	Private, Archived bool
	DM                bool // between two people; the bot can never post there
	BotIn             bool // the bot is a member
}

// room is a channel, or the direct conversation between the bot and one user.
type room struct {
	Channel
	with string // the user of a conversation with the bot
}

// group is a user group.
type group struct {
	id, handle string
	members    []string
}

// AddUser adds a person, or replaces the one with the same ID.
func (w *Workspace) AddUser(u User) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u.Team == "" {
		u.Team = w.cfg.Team
	}
	if i := slices.IndexFunc(w.users, func(o User) bool { return o.ID == u.ID }); i >= 0 {
		w.users[i] = u
	} else {
		w.users = append(w.users, u)
	}
	w.bump()
}

// AddChannel adds a channel, or changes the one with the same ID: archives it, lets the bot in.
func (w *Workspace) AddChannel(c Channel) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rooms[c.ID] = &room{Channel: c}
	w.bump()
}

// AddUserGroup adds a user group, or replaces the one with the same id.
func (w *Workspace) AddUserGroup(id, handle string, members ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.groups = slices.DeleteFunc(w.groups, func(g group) bool { return g.id == id })
	w.groups = append(w.groups, group{id, strings.TrimPrefix(handle, "@"), members})
	w.bump()
}

// SetScopes reinstalls the app with these scopes of the bot token.
func (w *Workspace) SetScopes(scopes ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.scopes = scopes
}

// DM is the conversation between the bot and a user, "" unless conversations.open made it.
func (w *Workspace) DM(user string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dm(user)
}

// dm is DM with w.mu held.
func (w *Workspace) dm(user string) string {
	for id, r := range w.rooms {
		if r.with == user {
			return id
		}
	}
	return ""
}

// user finds a person; w.mu is held.
func (w *Workspace) user(id string) (User, bool) {
	i := slices.IndexFunc(w.users, func(u User) bool { return u.ID == id })
	if i < 0 {
		return User{}, false
	}
	return w.users[i], true
}

// granted tells whether the bot token has a scope; w.mu is held.
func (w *Workspace) granted(scope string) bool { return slices.Contains(w.scopes, scope) }

// place finds where the bot may post; w.mu is held. A user's id is refused: it is not our conversation with them, and
// chat.update would not take it later (reports: SlackNet#212, goalert#2889). Names instead of ids are refused, assumed.
func (w *Workspace) place(id string) (*room, *failure) {
	r := w.rooms[id]
	switch {
	case r == nil || r.DM: // reports: slack-ruby-client#227, bolt-js#365
		return nil, fail("channel_not_found")
	case r.with != "":
		return r, nil
	case r.Private && !r.BotIn:
		return nil, fail("channel_not_found")
	case r.Archived:
		return nil, fail("is_archived")
	case !r.BotIn && !w.granted("chat:write.public"): // Slack docs: chat:write.public; report: lockbot#11
		return nil, fail("not_in_channel")
	}
	return r, nil
}

// name is what a slash command's payload calls the place (Slack docs: slash commands; "directmessage" and "privategroup"
// stand for names that the app may not see).
func (r *room) name() string {
	switch {
	case r.DM || r.with != "":
		return "directmessage"
	case r.Private:
		return "privategroup"
	}
	return r.Name
}
