package telgate

import "slices"

// Actor is somebody who asks for something: a Slack user in a conversation, or the operator at the command line.
type Actor struct {
	ID      string   // Slack user id, or "local:NAME" for the command line
	Name    string   // for people
	Team    string   // Slack team id
	Channel string   // conversation the request came from, "" if none
	Groups  []string // Slack user groups the actor is in
	Guest   bool     // guest or from another organisation
	Unknown bool     // nobody could say whether a guest: taken for one
	Local   bool     // at the gateway's own command line
}

// Action is something that needs permission.
type Action string

// Actions.
const (
	ActPage    Action = "page"    // have somebody called
	ActNew     Action = "new"     // have them called by a page of its own
	ActForce   Action = "force"   // past the per-number limits
	ActStop    Action = "stop"    // end a page
	ActConfirm Action = "confirm" // "I've got it"
	ActSee     Action = "see"     // see whole numbers
	ActLook    Action = "look"    // status, who, list, oncall
	ActCover   Action = "cover"   // say who stands in for whom
	ActMute    Action = "mute"    // keep somebody's phones quiet, or not any more
	ActRun     Action = "run"     // pause, resume, reload and what else is for administrators
)

// Policy says who may do what. The zero Policy allows nobody from Slack.
type Policy struct {
	AllowUsers    []string
	AllowGroups   []string
	AllowChannels []string
	Admins        []string
	SeeNumbers    []string
}

// May tells whether the actor may do this to the page; page is nil for actions without one. The command line may do
// anything but confirm for somebody else.
func (p Policy) May(a Actor, act Action, page *Page) bool {
	if act == ActConfirm {
		if page == nil {
			return false
		}
		_, target := page.TargetBySlack(a.ID)
		return target
	}
	if a.Local {
		return true
	}
	admin := slices.Contains(p.Admins, a.ID)
	switch act {
	case ActForce, ActRun, ActMute:
		return !a.Guest && admin
	case ActSee:
		return !a.Guest && (admin || slices.Contains(p.SeeNumbers, a.ID))
	case ActStop:
		return !a.Guest && admin || page != nil && page.Concerns(a.ID)
	case ActPage, ActNew, ActLook, ActCover:
		return !a.Guest && (admin || p.allowed(a))
	case ActConfirm:
	}
	return false
}

func (p Policy) allowed(a Actor) bool {
	return slices.Contains(p.AllowUsers, a.ID) ||
		a.Channel != "" && slices.Contains(p.AllowChannels, a.Channel) ||
		slices.ContainsFunc(a.Groups, func(g string) bool { return slices.Contains(p.AllowGroups, g) })
}

// Concerns tells whether this Slack id asked for the page or is called by it: both may stop it.
func (p Page) Concerns(id string) bool {
	if _, target := p.TargetBySlack(id); target {
		return true
	}
	return slices.ContainsFunc(p.Askers, func(k Asker) bool { return id != "" && k.ID == id })
}
