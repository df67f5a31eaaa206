package slacktest

import "sync"

// feed is a queue without bound from the workspace to one reader.
type feed struct {
	out  chan Message
	more chan struct{} // holds one token while the queue may have something

	mu    sync.Mutex
	queue []Message
}

// Updates carries every new message and every edit from now on, in order. Each call makes a channel of its own; Close
// closes them.
func (w *Workspace) Updates() <-chan Message {
	f := &feed{out: make(chan Message), more: make(chan struct{}, 1)}
	if !w.begin() {
		close(f.out)
		return f.out
	}
	w.mu.Lock()
	w.feeds = append(w.feeds, f)
	w.mu.Unlock()
	go func() {
		defer w.tasks.Done()
		f.run(w.done)
	}()
	return f.out
}

func (f *feed) push(m Message) {
	f.mu.Lock()
	f.queue = append(f.queue, m)
	f.mu.Unlock()
	select {
	case f.more <- struct{}{}:
	default:
	}
}

// run hands messages over until done is closed.
func (f *feed) run(done <-chan struct{}) {
	defer close(f.out)
	for {
		select {
		case <-f.more:
		case <-done:
			return
		}
		for _, m := range f.take() {
			select {
			case f.out <- m:
			case <-done:
				return
			}
		}
	}
}

func (f *feed) take() []Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.queue
	f.queue = nil
	return all
}
