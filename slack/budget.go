package slack

import "time"

const (
	updatesPerMinute = 45              // of chat.update, for the whole app; Slack allows 50 (tier 3)
	updatesReserved  = 10              // of those, for last states
	postGap          = time.Second     // between posts in one channel (chat.postMessage)
	postsForgotten   = 4 * time.Minute // channels whose last post is older need no memory
	limitedPause     = 30 * time.Second
)

// budget keeps what we send within what Slack allows. It holds no lock.
type budget struct {
	updates []time.Time          // within the last minute, oldest first
	posts   map[string]time.Time // the newest, by channel
	edit    time.Time            // chat.update answered 429: not before
	post    time.Time            // chat.postMessage likewise
}

func newBudget() *budget { return &budget{posts: map[string]time.Time{}} }

// update tells when the next chat.update may leave: now or earlier means at once. Last states may use it all.
func (b *budget) update(now time.Time, last bool) time.Time {
	for len(b.updates) > 0 && now.Sub(b.updates[0]) >= time.Minute {
		b.updates = b.updates[1:]
	}
	most := updatesPerMinute
	if !last {
		most -= updatesReserved
	}
	at := b.edit
	if len(b.updates) >= most {
		at = later(at, b.updates[len(b.updates)-most].Add(time.Minute))
	}
	return at
}

// message tells when the next post in this channel may leave.
func (b *budget) message(channel string) time.Time {
	if last, ok := b.posts[channel]; ok {
		return later(b.post, last.Add(postGap))
	}
	return b.post
}

func (b *budget) updated(now time.Time) { b.updates = append(b.updates, now) }

func (b *budget) posted(channel string, now time.Time) {
	for c, at := range b.posts {
		if now.Sub(at) >= postsForgotten {
			delete(b.posts, c)
		}
	}
	b.posts[channel] = now
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
