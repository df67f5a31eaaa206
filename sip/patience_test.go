package sip

import "time"

// BePatient gives a peer on a busy machine the time to show that it is there, and requests the time to be put in order.
func (t *Trunk) BePatient() *Trunk {
	t.waits = waits{awake: 20 * time.Second, order: time.Second}
	return t
}
