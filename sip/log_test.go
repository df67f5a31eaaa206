package sip

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestTheLibrarysLogHasNoNumbersAndIsForDebuggingOnly(t *testing.T) {
	var out bytes.Buffer
	log := func(level slog.Level) *slog.Logger {
		out.Reset()
		return quietly(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level})))
	}
	log(slog.LevelInfo).Error("send ACK request failed", "invite_request", "INVITE sip:+12025550123@192.0.2.1 SIP/2.0")
	if out.Len() > 0 {
		t.Errorf("at info: %s", out.String())
	}
	log(slog.LevelDebug).With("caller", "x").Error("send ACK to sip:+12025550123@192.0.2.1 failed", "request", "INVITE sips:+12025550123@192.0.2.1;x SIP/2.0",
		"error", errors.New("<tel:+12025550123> cannot be reached, sip:192.0.2.1 can"))
	if s := out.String(); strings.Contains(s, "2025550123") || !strings.Contains(s, "192.0.2.1 can") || !strings.Contains(s, "level=DEBUG") {
		t.Errorf("at debug: %s", s)
	}
	noisy := log(slog.LevelInfo)
	for range 1000 {
		noisy.Error("failed to parse", "data", strings.Repeat("x", 1000))
	}
	if n := strings.Count(out.String(), "\n"); n != 1 || strings.Contains(out.String(), "xxx") {
		t.Errorf("%d lines for a thousand datagrams: %.200s", n, out.String())
	}
}
