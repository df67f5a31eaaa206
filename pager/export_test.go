package pager

// Put puts a message down whatever became of its page.
func (m *Memory) Put(msg *Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.post(msg)
}
