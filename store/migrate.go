package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// The tables as they came to be: one folder for each engine, with the same numbers. A number is a generation and a place in
// it, 1001, 1002, 2001. Within a generation migrations only add, so that the binary before runs on the tables of the next.
//
//go:embed migrations/*/*.sql
var migrations embed.FS

// generation is how many numbers a generation has.
const generation = 1000

func (s *sqlite) migrate(ctx context.Context) error {
	err := migrate(ctx, s.db, goose.DialectSQLite3, "migrations/sqlite")
	return explainFile(s.path, err)
}

// migrate brings the tables up to date. They may be newer, by what was added within the same generation.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, folder string) error {
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return err
	}
	options := []goose.ProviderOption{goose.WithTableName("migration"), goose.WithDisableGlobalRegistry(true)}
	if dialect == goose.DialectPostgres {
		one, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // gateways that start together: one migrates
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(one))
	}
	steps, err := goose.NewProvider(dialect, db, files, options...)
	if err != nil {
		return err
	}
	is, wanted, err := steps.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("look at the tables' version: %w", err)
	}
	if is/generation > wanted/generation {
		return &newerError{is, wanted}
	}
	if is >= wanted {
		return nil
	}
	if _, err := steps.Up(ctx); err != nil {
		return fmt.Errorf("bring the tables from version %d to %d: %w", is, wanted, err)
	}
	return nil
}

// newerError refuses tables that this binary does not understand.
type newerError struct{ is, wanted int64 }

func (n *newerError) Error() string {
	return fmt.Sprintf("the database is newer than this telgate (tables %d, this telgate knows %d): install the newer telgate again, or restore a backup from before it", n.is, n.wanted)
}

// Newer tells whether an error says that the database is newer than the binary.
func Newer(err error) bool {
	var n *newerError
	return errors.As(err, &n)
}
