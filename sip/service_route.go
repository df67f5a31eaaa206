package sip

import "github.com/emiago/sipgo/sip"

// setServiceRoutes keeps the route that our registrar wants requests outside dialogs to take (RFC 3608); nil for none. It
// holds from one successful REGISTER to the next.
func (t *Trunk) setServiceRoutes(routes []sip.Uri) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.services = routes
}
