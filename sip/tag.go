package sip

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

const (
	tagDigits  = 16 // random ones of a From tag
	sealDigits = 16 // and those that prove it ours
)

// newTag is a From tag that is known for ours also when its leg is long forgotten: a 2xx may come as late as it likes, but
// nobody can have us answer one to an INVITE that we never sent.
func (t *Trunk) newTag() string {
	random := t.token(tagDigits / 2)
	return random + t.seal(random)
}

func (t *Trunk) ours(tag string) bool {
	return len(tag) == tagDigits+sealDigits && hmac.Equal([]byte(tag[tagDigits:]), []byte(t.seal(tag[:tagDigits])))
}

func (t *Trunk) seal(random string) string {
	h := hmac.New(sha256.New, []byte(t.key))
	h.Write([]byte(random)) // a hash takes everything
	return hex.EncodeToString(h.Sum(nil))[:sealDigits]
}
