package slacktest

// tokenKind is which of the app's tokens a method takes.
type tokenKind int

const (
	botToken tokenKind = iota
	appToken
)

// method is one row of the Web API.
type method struct {
	token tokenKind
	scope string // "" where any token of the kind will do
	rate  int    // requests a minute; 0 is a rate of its own
	run   func(*Workspace, call) (answer, *failure)
}

// Requests a minute (Slack docs: rate limits; the tiers as the Java SDK lists them).
const (
	tier2      = 20
	tier3      = 50
	tier4      = 100
	tierSpared = 600 // auth.test and chat.getPermalink
)

// methods is the part of the Web API that exists here. Scopes as each method's page names them.
func methods(strictOpen bool) map[string]method {
	open := tier2 // the page says tier 3, the Java SDK tier 1; strict is the latter
	if strictOpen {
		open = 1
	}
	return map[string]method{
		"auth.test":             {rate: tierSpared, run: (*Workspace).authTest},
		"apps.connections.open": {token: appToken, rate: open, run: (*Workspace).connectionsOpen},
		"chat.postMessage":      {scope: "chat:write", run: (*Workspace).postMessage}, // per channel: limiter
		"chat.update":           {scope: "chat:write", rate: tier3, run: (*Workspace).update},
		"chat.postEphemeral":    {scope: "chat:write", rate: tier4, run: (*Workspace).postEphemeral},
		"chat.delete":           {scope: "chat:write", rate: tier3, run: (*Workspace).delete},
		"chat.getPermalink":     {rate: tierSpared, run: (*Workspace).getPermalink},
		"conversations.open":    {scope: "im:write", rate: tier3, run: (*Workspace).conversationsOpen},
		"conversations.info":    {rate: tier3, run: (*Workspace).conversationsInfo}, // scope by kind of channel
		"conversations.history": {rate: tier3, run: (*Workspace).history},           // likewise; of an app that its company made itself
		"users.info":            {scope: "users:read", rate: tier4, run: (*Workspace).usersInfo},
		"users.list":            {scope: "users:read", rate: tier2, run: (*Workspace).usersList},
		"usergroups.list":       {scope: "usergroups:read", rate: tier2, run: (*Workspace).userGroups},
		"usergroups.users.list": {scope: "usergroups:read", rate: tier2, run: (*Workspace).userGroupUsers},
	}
}
