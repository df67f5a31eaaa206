package web

import (
	"errors"
	"net/http"
	"time"
)

// errLeft ends the answer to a client that reads no more; it is no fault of anybody's.
var errLeft = errors.New("the client left")

// stream writes lines to a client for as long as it likes to read them: each line has its own deadline.
type stream struct {
	to   http.ResponseWriter
	conn *http.ResponseController
}

func newStream(w http.ResponseWriter) *stream {
	s := &stream{to: w, conn: http.NewResponseController(w)}
	_ = s.conn.SetReadDeadline(time.Time{}) // the request was read; what is left to read is that the client leaves
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	return s
}

// line writes one line, and sends it.
func (s *stream) line(b []byte) error {
	if err := s.put(b); err != nil {
		return err
	}
	return s.flush()
}

// put writes one line, to be sent with what follows.
func (s *stream) put(b []byte) error {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // a recorder in a test has none
	if _, err := s.to.Write(append(b, '\n')); err != nil {
		return errLeft
	}
	return nil
}

func (s *stream) flush() error {
	if s.conn.Flush() != nil {
		return errLeft
	}
	return nil
}
