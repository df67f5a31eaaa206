package store

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// unreached tells whether a server may be there later.
func unreached(err error) bool {
	if of, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch of.Code {
		case "57P01", "57P02", "57P03", "53300": // it stops, it crashed, it starts, it has too many connections
			return true
		}
		return false
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// explain puts what is wrong with a server, and what to do, before an error of its own. Other errors stay as they are. No
// error of the driver's has the password in it.
func (p *postgres) explain(err error) error {
	code := ""
	of, ok := errors.AsType[*pgconn.PgError](err)
	if ok {
		code = of.Code
	}
	switch {
	case err == nil:
		return nil
	case code == "28P01", code == "28000":
		return fmt.Errorf("PostgreSQL at %s refuses the user or the password: correct them in store.url: %w", p.at, of)
	case code == "3D000":
		return fmt.Errorf("PostgreSQL at %s has no such database: create it (createdb) or name another in store.url: %w", p.at, of)
	case code == "42501":
		return fmt.Errorf("the user of store.url may not use the database %s: make it the owner: %w", p.at, of)
	case code == "25006":
		return fmt.Errorf("PostgreSQL at %s is a standby, or read-only: name the primary in store.url, or add target_session_attrs=read-write: %w", p.at, of)
	case code == "26000", code == "42P05":
		return fmt.Errorf("a pooler stands before PostgreSQL at %s that gives each transaction another connection: add default_query_exec_mode=cache_describe to store.url: %w", p.at, of)
	case code == "08P01" && strings.Contains(of.Message, "query_wait_timeout"):
		return fmt.Errorf("the pooler before PostgreSQL at %s has no connection left: give it %d for each gateway: %w", p.at, serverConn+1, of)
	case code == "08P01":
		return fmt.Errorf("a pooler stands before PostgreSQL at %s that does not know a parameter of store.url: leave it out: %w", p.at, of)
	case code == "53100":
		return fmt.Errorf("the disk of PostgreSQL at %s is full: make room: %w", p.at, of)
	case unreached(err):
		return fmt.Errorf("PostgreSQL at %s cannot be reached: see that it runs and that store.url names it: %w", p.at, err)
	default:
		return err
	}
}
