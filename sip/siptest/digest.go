package siptest

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
)

// realm is that of a phone's challenges.
const realm = "siptest"

// challenge is the header of a 401 (RFC 2617 3.2.1). A call has a nonce of its own, so that an answer to another call's is
// worth nothing.
func challenge(m Message) string {
	return fmt.Sprintf(`WWW-Authenticate: Digest realm=%q, nonce=%q, algorithm=MD5, qop="auth"`, realm, nonce(m))
}

func nonce(m Message) string { return hash("nonce of ", m.Get("Call-ID")) }

// authorized tells whether a request answers the challenge with this password, whoever the user is (RFC 2617 3.2.2).
func authorized(m Message, password string) bool {
	scheme, list, _ := strings.Cut(m.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return false
	}
	p := parameters(list)
	_, uri, _ := strings.Cut(m.Start, " ")
	uri, _, _ = strings.Cut(uri, " ")
	if p["realm"] != realm || p["nonce"] != nonce(m) || p["uri"] != uri || p["qop"] != "auth" {
		return false
	}
	secret := hash(p["username"], ":", realm, ":", password)
	want := hash(secret, ":", p["nonce"], ":", p["nc"], ":", p["cnonce"], ":auth:", hash(m.Method(), ":", uri))
	return subtle.ConstantTimeCompare([]byte(want), []byte(p["response"])) == 1
}

// parameters reads a=b, c="d"; no value of a digest has a comma or quote inside.
func parameters(list string) map[string]string {
	all := map[string]string{}
	for part := range strings.SplitSeq(list, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		all[strings.ToLower(name)] = strings.Trim(value, `"`)
	}
	return all
}

func hash(parts ...string) string {
	sum := md5.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}
