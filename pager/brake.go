package pager

import "telgate"

// Brake is the kill switch: while it is pulled no call begins, and no page is accepted. Calls in progress go on.
type Brake interface {
	// Paused is who pulled it, nil where nobody did, and what is closed when it is let go.
	Paused() (*telgate.Pause, <-chan struct{})
}

// paused is the brake as it stands now.
func (p *Pager) paused() (*telgate.Pause, <-chan struct{}) {
	if p.env.Brake == nil {
		return nil, nil
	}
	return p.env.Brake.Paused()
}

// braked is what is closed when the brake is let go, nil where it is not pulled. That the page waits for it is told once.
func (r *run) braked() <-chan struct{} {
	pause, resumed := r.pager.paused()
	switch {
	case pause == nil:
		r.page.Paused = false
		return nil
	case !r.page.Paused:
		r.page.Paused = true
		r.waits(telgate.Wait{Paused: true})
		r.tell(&telgate.Event{Kind: telgate.EventWaiting, Skip: telgate.SkipPaused})
	}
	return resumed
}
