package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"telgate"
)

// Query says which pages of the history are wanted.
type Query struct {
	Since, Until time.Time      // accepted since, and before; zero = any time
	Person       string         // nickname, "" = anybody
	Result       telgate.Result // "" = any, and pages that run
	Limit        int            // at most so many, 0 = 100
	After        string         // what [Store.History] gave with the pages before, "" = from the newest on
}

// usual is how many pages are found where nobody says.
const usual = 100

// History finds pages, newest first. More than the limit allows follow with a query that has next as After; "" = no more.
func (s *Store) History(ctx context.Context, q Query) (pages []telgate.Page, next string, err error) {
	if q.Limit <= 0 {
		q.Limit = usual
	}
	which, args, err := q.statement()
	if err != nil {
		return nil, "", err
	}
	pages, last, err := s.pages(ctx, which, args...)
	if err != nil {
		return nil, "", fmt.Errorf("read the history: %w", err)
	}
	if len(pages) == q.Limit {
		next = strconv.FormatInt(last, 10) + "." + string(pages[len(pages)-1].ID)
	}
	return pages, next, nil
}

// statement is what follows "from page": conditions that an index answers in the order that is wanted.
func (q *Query) statement() (string, []any, error) {
	var b strings.Builder
	var args []any
	word := "where"
	where := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		fmt.Fprintf(&b, " %s %s", word, condition)
		word = "and"
	}
	order := "page.entered desc, page.id desc"
	entered := "(page.entered, page.id)"
	if q.Person != "" {
		b.WriteString("join target on target.page = page.id")
		where("target.nick = ?", text(q.Person))
		order, entered = "target.entered desc, target.page desc", "(target.entered, target.page)"
	}
	column, _, _ := strings.Cut(order, " ")
	if !q.Since.IsZero() {
		where(column+" >= ?", micro(q.Since))
	}
	if !q.Until.IsZero() {
		where(column+" < ?", micro(q.Until))
	}
	if q.Result != "" {
		where("page.state = 'ended' and page.result = ?", string(q.Result))
	}
	if q.After != "" {
		last, id, _ := strings.Cut(q.After, ".")
		micro, err := strconv.ParseInt(last, 10, 64)
		if err != nil {
			return "", nil, errors.New("the place to go on from is not one that a history gave")
		}
		where(entered+" < (?, ?)", micro, text(id))
	}
	fmt.Fprintf(&b, " order by %s limit %d", order, q.Limit)
	return b.String(), args, nil
}
