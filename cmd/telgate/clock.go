//go:build !shifted

package main

import "time"

// now is the time. A build with the tag shifted is told to be wrong about it, for tests of gateways whose clocks differ.
func now() time.Time { return time.Now() }
