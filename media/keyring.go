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
			if next.seal, err = newSealer(peer.suite, k.own[peer.suite.tag-1]); err != nil {
				return lock{}, err
			}
		}
		if !peer.same(k.lock.peer) {
			if next.open, err = newOpener(peer); err != nil {
				return lock{}, err
			}
		}
	}
	if left := k.lock.peer.suite; left != nil && left != peer.suite {
		fresh, err := left.draw(k.rand)
		if err != nil {
			return lock{}, err
		}
		k.own[left.tag-1] = fresh
	}
	return next, nil
}

// commit puts a lock into use.
func (k *keyring) commit(l lock) {
	if k != nil {
		k.lock = l
	}
}

// same tells whether two lines are one key.
func (c crypto) same(d crypto) bool {
	return c.suite == d.suite && subtle.ConstantTimeCompare(c.master.bytes(), d.master.bytes()) == 1 && string(c.mki) == string(d.mki)
}
