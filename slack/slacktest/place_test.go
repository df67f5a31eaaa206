package slacktest_test

import (
	"testing"

	"telgate/slack/slacktest"
)

func TestTheBotPostsOnlyWhereItMay(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.AddChannel(slacktest.Channel{ID: "C0OLD", Name: "old", BotIn: true, Archived: true})
	o.AddChannel(slacktest.Channel{ID: "G0WAR", Name: "war", BotIn: true, Private: true})
	for channel, want := range map[string]string{
		"C0OPS": "", "G0WAR": "", "C0HALL": "", // the last by chat:write.public
		"G0BOARD": "channel_not_found", "D0PAIR": "channel_not_found", "C0OLD": "is_archived",
		"C0NONE": "channel_not_found", "#ops": "channel_not_found", "": "channel_not_found",
	} {
		for _, method := range []string{"chat.postMessage", "chat.postEphemeral"} {
			o.want(o.ask(method, "channel", channel, "user", "U0ADA", "text", "hi"), want)
		}
	}
	o.SetScopes("chat:write")
	o.want(o.ask("chat.postMessage", "channel", "C0HALL", "text", "hi"), "not_in_channel")
}

func TestAConversationWithTheBotMustBeOpened(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.want(o.ask("chat.postMessage", "channel", "U0ADA", "text", "hi"), "channel_not_found")
	if o.DM("U0ADA") != "" {
		t.Error("there is a conversation already")
	}
	o.want(o.ask("conversations.open", "users", "U0ADA"), "")
	dm := o.DM("U0ADA")
	if dm == "" || dm[0] != 'D' {
		t.Fatalf("conversation %q", dm)
	}
	o.want(o.ask("conversations.open", "users", "U0ADA"), "")
	if again := o.DM("U0ADA"); again != dm {
		t.Errorf("a second conversation %q beside %q", again, dm)
	}
	o.post(dm, "hi")
	o.want(o.ask("chat.postEphemeral", "channel", dm, "user", "U0BOB", "text", "hi"), "user_not_in_channel")
}

func TestSomeUsersCannotBeWrittenTo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.AddUser(slacktest.User{ID: "U0GONE", Deleted: true})
	o.AddUser(slacktest.User{ID: "U0ROBOT", Bot: true})
	for users, want := range map[string]string{
		"U0NONE": "user_not_found", "U0GONE": "user_disabled", "U0ROBOT": "cannot_dm_bot", "": "users_list_not_supplied",
		"U0ADA,U0BOB": "missing_scope",
	} {
		o.want(o.ask("conversations.open", "users", users), want)
	}
	o.want(o.ask("chat.postEphemeral", "channel", "C0OPS", "user", "U0NONE", "text", "hi"), "user_not_in_channel")
}

func TestUsersAreListedInPages(t *testing.T) {
	t.Parallel()
	o := newOffice(t) // the bot, ada and bob
	first := o.want(o.ask("users.list", "limit", "2"), "")
	if first.Metadata.Next == "" {
		t.Fatal("no second page")
	}
	second := o.want(o.ask("users.list", "limit", "2", "cursor", first.Metadata.Next), "")
	if second.Metadata.Next != "" {
		t.Error("a third page")
	}
	o.want(o.ask("users.list", "cursor", "nonsense"), "invalid_cursor")
	o.want(o.ask("users.info", "user", "U0ADA"), "")
	o.want(o.ask("users.info", "user", "ada"), "user_not_found")
	o.want(o.ask("usergroups.users.list", "usergroup", "S0DB"), "")
	o.want(o.ask("usergroups.users.list", "usergroup", "db"), "no_such_subteam")
}
