package siptest

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
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
	want := proof(p, realm, password, m.Method(), uri)
	return subtle.ConstantTimeCompare([]byte(want), []byte(p["response"])) == 1
}

// proof is what an answer with these parameters should have as response (RFC 7616 3.4.1).
func proof(p map[string]string, realm, password, method, uri string) string {
	algorithm, session := strings.CutSuffix(strings.ToUpper(p["algorithm"]), "-SESS")
	h := hash
	if algorithm == "SHA-256" {
		h = func(parts ...string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(parts, "")))) }
	}
	if algorithm == "SHA-512-256" {
		h = func(parts ...string) string {
			return fmt.Sprintf("%x", sha512.Sum512_256([]byte(strings.Join(parts, ""))))
		}
	}
	secret := h(p["username"], ":", realm, ":", password)
	if session {
		secret = h(secret, ":", p["nonce"], ":", p["cnonce"])
	}
	return h(secret, ":", p["nonce"], ":", p["nc"], ":", p["cnonce"], ":auth:", h(method, ":", uri))
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
