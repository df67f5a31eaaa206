package slack

import (
	"slices"
	"time"

	"telgate"
)

// card is one message that shows one page in one conversation. The courier's lock guards it.
type card struct {
	page        telgate.PageID
	channel     string // where it was asked for
	user        string // who asked there
	responseURL string

	at        place     // zero until posted
	posting   time.Time // a post is under way since then, or nobody knows whether it worked; zero = neither
	hold      time.Time // nothing is posted anew before, unless it is known that nothing stands there
	sought    int       // how often a card that may stand there was looked for in vain
	doubled   bool      // it was posted all the same: a second one may stand there
	direct    bool      // the bot cannot post in channel: the card is in the DM with user
	mute      bool      // neither there nor in the DM: what matters goes to the response_url
	frozen    bool      // Slack does not let us edit it any more
	reposted  bool      // somebody deleted it, and it was posted anew
	mentioned bool      // the bad end was told in its thread, or will be
	owes      bool      // it was not told yet: a post of its own, when Slack allows it
	told      bool      // a mute card's asker knows that there is no card

	want    int  // version of the page that is to be seen
	have    int  // version that was sent
	over    bool // the wanted version is of a page that ended
	seen    look
	sending bool
	last    Card      // as it was when nothing was on its way
	dirty   bool      // the shelf has it otherwise
	after   time.Time // not before: a failure, or an edit a moment ago
	fails   int
}

// due tells whether there is something to send.
func (c *card) due() bool { return !c.sending && (c.stale() || c.owes) }

// stale tells whether the card shows an older state than its page's. What is owed comes after it.
func (c *card) stale() bool { return c.want > c.have }

// editable tells whether there is a message to edit.
func (c *card) editable() bool { return c.at != (place{}) && !c.frozen }

// edit tells whether sending means chat.update.
func (c *card) edit() bool { return c.editable() && c.stale() }

// cannotPost are Slack's words for a conversation that the bot may not post in (chat.postMessage).
func cannotPost(err error) bool {
	return slices.Contains([]string{
		"not_in_channel", "channel_not_found", "is_archived", "restricted_action", "restricted_action_read_only_channel",
		"restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "messages_tab_disabled",
		"cannot_dm_bot", "user_disabled", "no_permission", "access_denied", "ekm_access_denied", "team_access_not_granted",
		"missing_scope", "not_allowed_token_type", "method_not_supported_for_channel_type",
	}, code(err))
}

// cannotEdit are Slack's words for a message that will never be edited again (chat.update).
func cannotEdit(err error) bool {
	return slices.Contains([]string{
		"edit_window_closed", "cant_update_message", "is_inactive", "channel_not_found", "is_archived", "not_in_channel",
		"restricted_action", "restricted_action_read_only_channel",
	}, code(err))
}
