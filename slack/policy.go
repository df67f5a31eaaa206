package slack

import "telgate"

// policy is who may do what now.
func (s *Slack) policy() telgate.Policy { return *s.allowed.Load() }

// Allow has another policy count from now on; the user groups that it names are read at once.
func (s *Slack) Allow(p telgate.Policy) {
	s.allowed.Store(&p)
	s.members.readAgain()
}
