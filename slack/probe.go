package slack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Probe is what Slack says about our tokens.
type Probe struct {
	Team, User string   // workspace and bot, by name
	Broken     []string // what will not work at all, each with what to do
	Off        []string // what is switched off for want of a scope, each with what to do
}

// relies tells whether the permissions of the configuration need a scope: without users:read nobody is known to be a full
// member but those who are listed by id.
func (s *Slack) relies(scope string) bool {
	p := s.policy()
	switch scope {
	case "users:read":
		return len(p.AllowGroups)+len(p.AllowChannels) > 0
	case "usergroups:read":
		return len(p.AllowGroups) > 0
	}
	return false
}

// Probe asks Slack who we are (auth.test) and which scopes we have, and, in socket mode, whether the app token may open
// connections (apps.connections.open). The error means that the bot token is of no use.
func (s *Slack) Probe(ctx context.Context) (Probe, error) {
	id, err := s.api.identity(ctx)
	if err != nil {
		return Probe{}, errors.New(describe(err))
	}
	p := Probe{Team: id.Team, User: id.User}
	granted := strings.FieldsFunc(id.Header.Get("X-Oauth-Scopes"), func(r rune) bool { return r == ',' || r == ' ' })
	for _, sc := range scopes() {
		must := sc.must || s.relies(sc.name)
		if len(granted) == 0 || slices.Contains(granted, sc.name) || sc.name == "usergroups:read" && !must {
			continue
		}
		line := fmt.Sprintf("scope %s is missing, it gives %s: add it to the app and install it again", sc.name, sc.gives)
		if must {
			p.Broken = append(p.Broken, line)
		} else {
			p.Off = append(p.Off, line)
		}
	}
	if s.cfg.Mode == ModeSocket {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		if _, _, err := s.api.web().StartSocketModeContext(ctx); err != nil {
			if _, busy := limited(err); !busy { // Slack opens few connections a minute; that it counts us means the token is good
				p.Broken = append(p.Broken, fmt.Sprintf("app_token: %s: socket mode must be on in the app, and the token needs connections:write", describe(err)))
			}
		}
	}
	return p, nil
}
