package store

import (
	"errors"
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
		return mend(of, "PostgreSQL at %s refuses the user or the password: correct them in store.url", p.at)
	case code == "3D000":
		return mend(of, "PostgreSQL at %s has no such database: create it (createdb) or name another in store.url", p.at)
	case code == "42501":
		return mend(of, "the user of store.url may not use the database %s: make it the owner", p.at)
	case code == "25006":
		return mend(of, "PostgreSQL at %s is a standby, or read-only: name the primary in store.url, or add target_session_attrs=read-write", p.at)
	case code == "26000", code == "42P05":
		return mend(of, "a pooler stands before PostgreSQL at %s that gives each transaction another connection: add default_query_exec_mode=cache_describe to store.url", p.at)
	case code == "08P01" && strings.Contains(of.Message, "query_wait_timeout"):
		return mend(of, "the pooler before PostgreSQL at %s has no connection left: give it %d for each gateway", p.at, serverConn+1)
	case code == "08P01":
		return mend(of, "a pooler stands before PostgreSQL at %s that does not know a parameter of store.url: leave it out", p.at)
	case code == "53100":
		return mend(of, "the disk of PostgreSQL at %s is full: make room", p.at)
	case unreached(err):
		return mend(err, "PostgreSQL at %s cannot be reached: see that it runs and that store.url names it", p.at)
	default:
		return err
	}
}
