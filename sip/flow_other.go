//go:build !linux

package sip

import (
	"syscall"
	"time"
)

// setUserTimeout: other systems have their own, longer one.
func setUserTimeout(syscall.Conn, time.Duration) {}
