package media

import (
	"crypto/subtle"
	"io"
)

// keyring is a session's side of SDES: a master key of its own for each suite, and what both directions are under now. A
// master key begins one context in its life: a second one would number its packets anew, and two packets of one number
// under one key give their content away (RFC 3711 9.1).
type keyring struct {
	rand io.Reader
	own  [len(suites)]master
	lock lock

	early lock                 // of early media, until the answer
	spare [len(suites)]*sealer // of early media: what its keys have begun
}

// lock is what both directions are under; the zero lock is plain RTP.
type lock struct {
	peer crypto
	seal *sealer
	open *opener
}

// newKeyring draws the keys.
func newKeyring(random io.Reader) (*keyring, error) {
	k := &keyring{rand: random}
	for i := range suites {
		var err error
		if k.own[i], err = suites[i].draw(random); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// offer is a line for each suite. A suite in use comes with the key in use.
func (k *keyring) offer() []string {
	if k == nil {
		return nil
	}
	lines := make([]string, len(suites))
	for i := range suites {
		lines[i] = crypto{tag: suites[i].tag, suite: &suites[i], master: k.own[i]}.line()
	}
	return lines
}

// answer is the line that answers an offered one: its tag and suite, our key (RFC 4568 5.1.2).
func (k *keyring) answer(c crypto) []string {
	if c.suite == nil {
		return nil
	}
	return []string{crypto{tag: c.tag, suite: c.suite, master: k.own[c.suite.tag-1]}.line()}
}

// turn makes the lock for what was agreed on with the peer. A direction whose key stays keeps its context, with the
// rollover counter and, toward us, the memory of what has come. What is in use does not change before commit.
func (k *keyring) turn(peer crypto) (lock, error) {
	if k == nil {
		return lock{}, nil
	}
	var next lock
	var err error
	if peer.suite != nil {
		next = lock{peer, k.lock.seal, k.lock.open}
		if peer.suite != k.lock.peer.suite {
			if next.seal, err = k.sealer(peer.suite); err != nil {
				return lock{}, err
			}
		}
		if !peer.same(k.lock.peer) {
			if next.open, err = k.opener(peer); err != nil {
				return lock{}, err
			}
		}
	}
	if left := k.lock.peer.suite; left != nil && left != peer.suite {
		fresh, err := left.draw(k.rand)
		if err != nil {
			return lock{}, err
		}
		k.own[left.tag-1], k.spare[left.tag-1] = fresh, nil
	}
	return next, nil
}

// sealer is our context for a suite: the one that early media has begun, or a new one.
func (k *keyring) sealer(s *suite) (*sealer, error) {
	if had := k.spare[s.tag-1]; had != nil {
		return had, nil
	}
	if k.lock.peer.suite == s { // agreed on by an UPDATE, before the answer
		return k.lock.seal, nil
	}
	return newSealer(s, k.own[s.tag-1])
}

// opener is the context for a peer's key. One that early media was under is gone on with, so that what came then is a
// replay now.
func (k *keyring) opener(peer crypto) (*opener, error) {
	if k.previews(peer) && k.early.open != nil {
		return k.early.open, nil
	}
	if peer.same(k.lock.peer) {
		return k.lock.open, nil
	}
	return newOpener(peer)
}

// preview makes the lock for early media. Of several early dialogs each has a key of its own, and what we send to one
// after the other is one stream under the keys of our offer.
func (k *keyring) preview(peer crypto) (next lock, err error) {
	if k == nil || peer.suite == nil {
		if k != nil {
			k.early = lock{}
		}
		return lock{}, nil
	}
	next.peer = peer
	if next.seal, err = k.sealer(peer.suite); err != nil {
		return lock{}, err
	}
	if next.open, err = k.opener(peer); err != nil {
		return lock{}, err
	}
	k.early, k.spare[peer.suite.tag-1] = next, next.seal
	return next, nil
}

// previews tells whether early media is under this key, or both are under none.
func (k *keyring) previews(peer crypto) bool { return k == nil || peer.same(k.early.peer) }

// commit puts a lock into use.
func (k *keyring) commit(l lock) {
	if k != nil {
		k.lock, k.early = l, lock{}
	}
}

// same tells whether two lines are one key.
func (c crypto) same(d crypto) bool {
	return c.suite == d.suite && subtle.ConstantTimeCompare(c.master.bytes(), d.master.bytes()) == 1 && string(c.mki) == string(d.mki)
}
