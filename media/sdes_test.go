package media

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// The keys of RFC 4568's own examples.
const (
	key30  = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
	key30b = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
	key28  = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnM=" // 29 bytes
)

var gcmKey = base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789ab")) //nolint:gochecknoglobals // constant

func TestALineOfCryptoIsReadOrRefusedWithItsReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, want string }{
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30, "1 AES_CM_128_HMAC_SHA1_80 -"},
		{"1 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20|1:32", "1 AES_CM_128_HMAC_SHA1_32 " + strings.Repeat("00", 31) + "01"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:4", "1 AES_CM_128_HMAC_SHA1_80 00000001"},
		{"2 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^31", "2 AES_CM_128_HMAC_SHA1_80 -"},
		{"2 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2147483648", "2 AES_CM_128_HMAC_SHA1_80 -"},
		{"2 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:1", "2 AES_CM_128_HMAC_SHA1_80 01"},
		{"2 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^48|258:3", "2 AES_CM_128_HMAC_SHA1_80 000102"},
		{"2 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "||", "2 AES_CM_128_HMAC_SHA1_80 -"},
		{"999999999 aes_cm_128_hmac_sha1_80 INLINE:" + key30 + " WSH=128 -who=knows", "999999999 AES_CM_128_HMAC_SHA1_80 -"},
		{"  7   AEAD_AES_128_GCM\tinline:" + gcmKey, "7 AEAD_AES_128_GCM -"},
		{"7 AEAD_AES_128_GCM inline:" + strings.TrimRight(gcmKey, "="), "7 AEAD_AES_128_GCM -"},

		{"", "needs a tag, a suite and a key"},
		{"1 AES_CM_128_HMAC_SHA1_80", "needs a tag, a suite and a key"},
		{"AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " WSH=64", "has no number for a tag"},
		{"-1 AES_CM_128_HMAC_SHA1_80 inline:" + key30, "has no number for a tag"},
		{"0000000001 AES_CM_128_HMAC_SHA1_80 inline:" + key30, "has no number for a tag"},
		{"1 F8_128_HMAC_SHA1_80 inline:" + key30, "has the suite F8_128_HMAC_SHA1_80, which is not spoken here"},
		{"1 inline:" + key30 + " " + key30, "has an unknown suite, which is not spoken here"},
		{"1 " + key30 + " inline:" + key30, "has an unknown suite, which is not spoken here"},
		{"1 AES_CM_128_HMAC_SHA1_80 " + key30, "has no inline key"},
		{"1 AES_CM_128_HMAC_SHA1_80 uri:" + key30, "has no inline key"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:", "has a key of 0 bytes, AES_CM_128_HMAC_SHA1_80 needs 30"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:!" + key30[1:], "has a key that is not base64"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30[:39], "has a key of 29 bytes, AES_CM_128_HMAC_SHA1_80 needs 30"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + gcmKey, "has a key of 28 bytes, AES_CM_128_HMAC_SHA1_80 needs 30"},
		{"1 AEAD_AES_128_GCM inline:" + key28, "has a key of 29 bytes, AEAD_AES_128_GCM needs 28"},
		{"1 AEAD_AES_128_GCM inline:" + key30, "has a key of 30 bytes, AEAD_AES_128_GCM needs 28"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|1:4;inline:" + key30b + "|2^20|2:4", "has more than one master key"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^49", "has a lifetime that is no number of packets up to 2^48"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|0", "has a lifetime that is no number of packets up to 2^48"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|" + key30b, "has a lifetime that is no number of packets up to 2^48"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|256:1", "has an MKI that is no number of 64 bits in 1 to 128 bytes"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|1:0", "has an MKI that is no number of 64 bits in 1 to 128 bytes"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|1:129", "has an MKI that is no number of 64 bits in 1 to 128 bytes"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|1", "has an MKI that is no number of 64 bits in 1 to 128 bytes"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " FEC_ORDER=FEC_SRTP", "asks for FEC_ORDER, which is not spoken here"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " KDR=1", "asks for KDR, which is not spoken here"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " UNENCRYPTED_SRTP", "asks for UNENCRYPTED_SRTP, which is not spoken here"},
		{"1 AES_CM_128_HMAC_SHA1_80 inline: " + key30, "has a parameter that nobody knows"},
	} {
		got, err := parseCrypto(c.line)
		told := fmt.Sprintf("%d %s %x", got.tag, got.name(), got.mki)
		if got.mki == nil {
			told = strings.TrimSuffix(told, " ") + " -"
		}
		if err != nil {
			why, ok := errors.AsType[*AnswerError](err)
			if !ok {
				t.Errorf("%q: the error is a %T", c.line, err)
				continue
			}
			told = strings.TrimPrefix(why.Why, "a=crypto ")
		} else if len(got.master.bytes()) != got.suite.key+got.suite.salt {
			t.Errorf("%q: a key of %d bytes", c.line, len(got.master.bytes()))
		}
		if told != c.want {
			t.Errorf("%q:\n%s, want\n%s", c.line, told, c.want)
		}
		if strings.Contains(told, key30[4:]) || strings.Contains(told, key30b[4:]) || strings.Contains(told, gcmKey[4:]) {
			t.Errorf("%q: the error shows a key: %s", c.line, told)
		}
	}
}

func TestAnAnswerTakesOneOfTheOfferedLines(t *testing.T) {
	t.Parallel()
	cm, gcm := " AES_CM_128_HMAC_SHA1_80 inline:"+key30, " AEAD_AES_128_GCM inline:"+gcmKey
	for _, c := range []struct {
		lines []string
		want  string // the suite, or the reason
	}{
		{[]string{"2" + cm}, "AES_CM_128_HMAC_SHA1_80"},
		{[]string{"1" + gcm}, "AEAD_AES_128_GCM"},
		{[]string{"1" + cm}, "a=crypto has tag 1 with AES_CM_128_HMAC_SHA1_80, it was offered with AEAD_AES_128_GCM"},
		{[]string{"4" + cm}, "a=crypto has tag 4, which was not offered"},
		{[]string{"0" + cm}, "a=crypto has tag 0, which was not offered"},
		{[]string{"2" + cm, "1" + gcm}, "2 a=crypto lines, an answer has one"},
		{[]string{"2" + cm, "2" + cm}, "2 a=crypto lines, an answer has one"},
		{[]string{"2 AES_256_CM_HMAC_SHA1_80 inline:" + key30}, "a=crypto has the suite AES_256_CM_HMAC_SHA1_80, which is not spoken here"},
	} {
		got, err := chosen(c.lines)
		told := got.name()
		if why, ok := errors.AsType[*AnswerError](err); ok {
			told = why.Why
		}
		if told != c.want {
			t.Errorf("%q: %s, want %s", c.lines, told, c.want)
		}
	}
}

func TestOfAnOfferTheFirstLineThatIsSpokenIsTaken(t *testing.T) {
	t.Parallel()
	cm, gcm := " AES_CM_128_HMAC_SHA1_80 inline:"+key30, " AEAD_AES_128_GCM inline:"+gcmKey
	for _, c := range []struct {
		lines []string
		want  string // the tag, or the reason
	}{
		{[]string{"5" + cm, "6" + gcm}, "5"},
		{[]string{"1 F8_128_HMAC_SHA1_80 inline:" + key30, "2" + cm + " KDR=2", "3" + gcm}, "3"},
		{[]string{"1 F8_128_HMAC_SHA1_80 inline:" + key30, "1" + cm}, "a=crypto has the suite F8_128_HMAC_SHA1_80, which is not spoken here"},
		{[]string{"rubbish", "2" + cm}, "2"},
	} {
		got, err := firstKnown(c.lines)
		told := fmt.Sprint(got.tag)
		if why, ok := errors.AsType[*AnswerError](err); ok {
			told = why.Why
		}
		if told != c.want {
			t.Errorf("%q: %s, want %s", c.lines, told, c.want)
		}
	}
}

func TestAKeyIsNeverPrinted(t *testing.T) {
	t.Parallel()
	c, err := parseCrypto("1 AEAD_AES_128_GCM inline:" + gcmKey)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", c.master, "line", c)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		fmt.Fprintf(&log, verb, c.master)
		fmt.Fprintf(&log, verb, c)
		fmt.Fprintf(&log, verb, &keyring{own: [len(suites)]master{c.master}, lock: lock{peer: c}})
	}
	for _, secret := range []string{"123456", "313233343536", "49 50 51 52", "0x31, 0x32", gcmKey[:8]} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is shown in %s", secret, log.String())
		}
	}
}

func FuzzCrypto(f *testing.F) {
	for _, seed := range []string{
		"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|1:4 FEC_ORDER=FEC_SRTP",
		"2 F8_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|1:4;inline:" + key30b + "|2^20|2:4 FEC_ORDER=FEC_SRTP",
		"1 AES_CM_128_HMAC_SHA1_32 inline:" + key30b + "|2^20|1:32", "7 AEAD_AES_128_GCM inline:" + gcmKey + " WSH=64 -x",
		"2 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1:1", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^48|258:128", "", "1 2 3", "1 AEAD_AES_128_GCM inline:====",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		c, err := parseCrypto(value)
		if err != nil {
			if _, ok := errors.AsType[*AnswerError](err); !ok || len(err.Error()) > 200 {
				t.Fatalf("%q: %v", value, err)
			}
			return
		}
		if _, err := newOpener(c); err != nil {
			t.Fatalf("%q is read, and cannot be used: %v", value, err)
		}
		again, err := parseCrypto(c.line())
		if again.mki = c.mki; err != nil || !again.same(c) || again.tag != c.tag {
			t.Fatalf("%q is read as %q: %v", value, c.line(), err)
		}
	})
}
