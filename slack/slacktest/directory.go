package slacktest

import (
	"slices"
	"strconv"
	"strings"
)

func (w *Workspace) authTest(call) (answer, *failure) {
	return answer{
		"url": "https://example.slack.com/", "team": "Example Corp", "team_id": w.cfg.Team, "user": "telgate",
		"user_id": w.cfg.BotUser, "bot_id": w.botID(), "is_enterprise_install": false,
	}, nil
}

// conversationsOpen opens the conversation with one user; several would need mpim:write.
func (w *Workspace) conversationsOpen(c call) (answer, *failure) {
	ids := strings.FieldsFunc(c.Get("users"), func(r rune) bool { return r == ',' || r == ' ' })
	switch {
	case len(ids) == 0:
		return nil, fail("users_list_not_supplied")
	case len(ids) > 1 && !w.granted("mpim:write"):
		return nil, w.need("mpim:write", nil)
	case len(ids) > 1:
		return nil, fail("not_enabled") // not in this stand-in
	}
	u, known := w.user(ids[0])
	switch {
	case !known:
		return nil, fail("user_not_found")
	case u.Deleted:
		return nil, fail("user_disabled")
	case u.Bot:
		return nil, fail("cannot_dm_bot")
	}
	id, already := w.dm(u.ID), true
	if id == "" {
		for id, already = "D"+u.ID[1:], false; w.rooms[id] != nil; id += "X" { // beside one that a test made
		}
		w.rooms[id] = &room{Channel: Channel{ID: id, BotIn: true}, with: u.ID}
	}
	out := answer{"channel": answer{"id": id}}
	if c.Get("return_im") == "true" {
		out["channel"] = w.roomJSON(w.rooms[id])
	}
	if already {
		out["no_op"], out["already_open"] = true, true
	}
	return out, nil
}

func (w *Workspace) conversationsInfo(c call) (answer, *failure) {
	r := w.rooms[c.Get("channel")]
	scope := "channels:read"
	switch {
	case r == nil:
	case r.DM || r.with != "":
		scope = "im:read"
	case r.Private:
		scope = "groups:read"
	}
	if bad := w.need(scope, nil); bad != nil {
		return nil, bad
	}
	if r == nil || r.DM || r.Private && !r.BotIn {
		return nil, fail("channel_not_found")
	}
	return answer{"channel": w.roomJSON(r)}, nil
}

func (w *Workspace) roomJSON(r *room) answer {
	out := answer{
		"id": r.ID, "is_im": r.with != "", "is_channel": r.with == "", "is_private": r.Private || r.with != "",
		"is_archived": r.Archived, "context_team_id": w.cfg.Team,
	}
	if r.with != "" {
		out["user"] = r.with
	} else {
		out["name"], out["is_member"] = r.Name, r.BotIn
	}
	return out
}

func (w *Workspace) usersInfo(c call) (answer, *failure) {
	u, known := w.user(c.Get("user"))
	if !known {
		return nil, fail("user_not_found")
	}
	return answer{"user": w.userJSON(u)}, nil
}

// usersList gives pages; without a limit a big workspace would be refused (Slack docs: users.list, limit_required).
func (w *Workspace) usersList(c call) (answer, *failure) {
	const whole = 1000
	limit, err := strconv.Atoi(c.Get("limit"))
	if c.Get("limit") != "" && (err != nil || limit < 0 || limit > whole) {
		return nil, fail("invalid_limit")
	}
	if limit == 0 {
		if len(w.users) > whole {
			return nil, fail("limit_required")
		}
		limit = whole
	}
	from := 0
	if cursor := c.Get("cursor"); cursor != "" {
		at, found := strings.CutPrefix(cursor, "dXNlcjo")
		if from, err = strconv.Atoi(at); !found || err != nil || from > len(w.users) {
			return nil, fail("invalid_cursor")
		}
	}
	to, next := min(from+limit, len(w.users)), ""
	if to < len(w.users) {
		next = "dXNlcjo" + strconv.Itoa(to)
	}
	members := []answer{}
	for _, u := range w.users[from:to] {
		members = append(members, w.userJSON(u))
	}
	return answer{"members": members, "cache_ts": w.cfg.Now().Unix(), "response_metadata": answer{"next_cursor": next}}, nil
}

func (w *Workspace) userJSON(u User) answer {
	out := answer{
		"id": u.ID, "team_id": u.Team, "name": u.Name, "real_name": u.Name, "deleted": u.Deleted, "is_bot": u.Bot,
		"is_app_user": false, "updated": w.cfg.Now().Unix(), "profile": answer{"real_name": u.Name, "display_name": u.Name},
	}
	if !u.Deleted {
		out["is_restricted"], out["is_ultra_restricted"] = u.Restricted || u.UltraRestricted, u.UltraRestricted
	}
	if u.Team != w.cfg.Team {
		out["is_stranger"] = true
	}
	return out
}

func (w *Workspace) userGroups(c call) (answer, *failure) {
	groups := []answer{}
	for _, g := range w.groups {
		one := answer{
			"id": g.id, "team_id": w.cfg.Team, "is_usergroup": true, "name": g.handle, "handle": g.handle,
			"date_delete": 0, "user_count": len(g.members),
		}
		if c.Get("include_users") == "true" {
			one["users"] = g.members
		}
		groups = append(groups, one)
	}
	return answer{"usergroups": groups}, nil
}

func (w *Workspace) userGroupUsers(c call) (answer, *failure) {
	i := slices.IndexFunc(w.groups, func(g group) bool { return g.id == c.Get("usergroup") })
	if i < 0 {
		return nil, fail("no_such_subteam")
	}
	return answer{"users": append([]string{}, w.groups[i].members...)}, nil
}
