package main

import (
	"context"

	"telgate"
	"telgate/directory"
)

// Resolve tells who a word means.
func (l *live) Resolve(word string) (telgate.Match, error) { return l.people().Resolve(word) }

// People are all who can be called.
func (l *live) People() []telgate.Person { return l.people().People() }

// Groups are all groups.
func (l *live) Groups() []telgate.Group { return l.people().Groups() }

// OnCall is how every rota stands.
func (l *live) OnCall() []telgate.OnCall { return l.people().OnCall() }

// Sources is how each source stands.
func (l *live) Sources() []telgate.SourceState { return l.people().Sources() }

// Covers are those that are in force or to come.
func (l *live) Covers() []telgate.Cover { return l.people().Covers() }

// Cover has somebody stand in for somebody else.
func (l *live) Cover(ctx context.Context, o telgate.CoverOrder) (telgate.Cover, error) {
	return l.people().Cover(ctx, o)
}

// Uncover ends covers.
func (l *live) Uncover(ctx context.Context, o telgate.CoverOrder) ([]telgate.Cover, error) {
	return l.people().Uncover(ctx, o)
}

func (l *live) people() *directory.Directory { return l.now().people }

// runPeople has the directory that counts read its sources and covers, until ctx is done.
func (l *live) runPeople(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := l.runThese(ctx, l.people()); err != nil {
			return err
		}
	}
	return nil
}

// runThese is runPeople until others count.
func (l *live) runThese(ctx context.Context, these *directory.Directory) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- these.Run(ctx) }()
	for these == l.people() {
		select {
		case <-l.changed:
		case err := <-ended:
			return err
		}
	}
	stop()
	return <-ended
}
