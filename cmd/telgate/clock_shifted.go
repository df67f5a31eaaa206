//go:build shifted

package main

import (
	"os"
	"time"
)

// now is the time, off by TELGATE_SHIFT, such as "-7m".
func now() time.Time {
	shift, err := time.ParseDuration(os.Getenv("TELGATE_SHIFT"))
	if err != nil { // who builds this sets it
		panic("telgate: TELGATE_SHIFT: " + err.Error())
	}
	return time.Now().Add(shift)
}
