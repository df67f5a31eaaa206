package slack

import (
	"context"
	"log/slog"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
)

const (
	pinRetryMin = 2 * time.Second
	pinRetryMax = time.Minute
	pinWait     = 800 * time.Millisecond // of a command that comes before Slack has told who we are
)

// workspace is the one that our bot token belongs to: deliveries from any other are refused.
type workspace struct {
	mu      sync.Mutex
	team    string
	user    string // the bot's
	bot     string // likewise, its other id
	grid    bool   // part of an Enterprise Grid organisation: its people may be at home in another workspace
	trouble string
	known   chan struct{} // closed when Slack told
}

func newWorkspace() *workspace { return &workspace{known: make(chan struct{})} }

// find asks Slack until it has told, or ctx is done.
func (w *workspace) find(ctx context.Context, api *client, log *slog.Logger) {
	for wait := pinRetryMin; ; wait = min(2*wait, pinRetryMax) {
		p, err := api.identity(ctx)
		if err == nil {
			w.mu.Lock()
			w.team, w.user, w.bot, w.grid, w.trouble = p.TeamID, p.UserID, p.BotID, p.EnterpriseID != "", ""
			w.mu.Unlock()
			close(w.known)
			return
		}
		if ctx.Err() != nil {
			return
		}
		w.mu.Lock()
		w.trouble = "auth.test: " + describe(err)
		w.mu.Unlock()
		if code(err) == "" {
			log.Warn("slack cannot be reached", "err", describe(err), "again_in", wait)
		} else {
			log.Error("slack does not accept the bot token", "err", describe(err), "again_in", wait)
		}
		if !pause(ctx, wait) {
			return
		}
	}
}

// foreign tells whether a delivery is from another workspace. It waits a moment for Slack to tell which is ours; known is
// false where it has not.
func (w *workspace) foreign(ctx context.Context, team string) (foreign, known bool) {
	timer := time.NewTimer(pinWait)
	defer timer.Stop()
	select {
	case <-w.known:
	case <-timer.C:
		return false, false
	case <-ctx.Done():
		return false, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return team != w.team && !w.grid, true
}

// outsider tells whether a user who is at home in this team belongs to another organisation (Slack Connect).
func (w *workspace) outsider(home string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return home != "" && home != w.team && !w.grid
}

// ours tells whether our bot wrote a message, as far as Slack has told who we are.
func (w *workspace) ours(m *slackgo.Msg) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.user == "" || m.User == w.user || m.BotID != "" && m.BotID == w.bot
}

// pinned is the workspace that is ours and our bot in it, "" where Slack has not told yet.
func (w *workspace) pinned() (team, user string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.team, w.user
}

func (w *workspace) problem() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trouble
}

// pause waits; false means that ctx was done first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
