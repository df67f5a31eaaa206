package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"telgate/lease"
	"telgate/pager"
)

// refused wants a file not to be opened, with these words.
func refused(t *testing.T, url string, words ...string) {
	t.Helper()
	s, err := Open(t.Context(), url, Options{Dir: t.TempDir()})
	if err == nil {
		t.Fatalf("%s was opened: %v", url, s.Close())
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v\ndoes not say %q", err, w)
		}
	}
}

func TestWhatIsToBeMendedIsOneLine(t *testing.T) {
	behind := errors.New("failed to connect:\n\t127.0.0.1:1: refused")
	if err := mend(behind, "it cannot be reached"); err.Error() != "it cannot be reached: failed to connect: 127.0.0.1:1: refused" || !errors.Is(err, behind) {
		t.Errorf("%v", err)
	}
}

func TestABrokenURLIsSaidWithoutRepeatingIt(t *testing.T) {
	for _, url := range []string{
		"", "telgate.db", "sqlite:", "sqlite://telgate.db", "mysql://u:secret@h/d", "postgres://u:secret@h:port/d", "postgres://u:sec%ret@h/d",
		"postgres://u:secret@h/d?sslmode=maybe", "sqlite:a\x00b",
	} {
		refused(t, url, "store.url is not understood: write sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE")
		if _, err := parse(url, ""); err == nil || strings.Contains(err.Error(), "sec") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// made is a file with tables, closed again.
func made(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "telgate.db")
	s, err := Open(t.Context(), "sqlite:"+path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFileIsOneProcesss(t *testing.T) {
	path := made(t)
	s, err := Open(t.Context(), "sqlite:"+path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	refused(t, "sqlite:"+path, "another process has "+path, "stop it")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = Open(t.Context(), "sqlite:"+path, Options{})
	if err != nil {
		t.Fatalf("it is not free after it was closed: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAFileThatIsNoDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "telgate.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("this is a letter to my aunt\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, "sqlite:"+path, path+" is no database of telgate", "restore a backup")
	if b, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(b), "this is") {
		t.Errorf("it was written to: %v", err)
	}
}

func TestAnotherProgramsDatabaseIsRefusedAndLeftAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "theirs.db")
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), "create table page (number text)")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, "sqlite:"+path, path+" is another program's database: name another file in store.url")
	if _, err := Look(t.Context(), "sqlite:"+path, Options{}); err == nil || !strings.Contains(err.Error(), "another program's database") {
		t.Errorf("Look: %v", err)
	}
	if is, err := os.ReadFile(path); err != nil || !bytes.Equal(is, was) {
		t.Errorf("it was written to: %v", err)
	}
}

func TestADamagedFileIsRefused(t *testing.T) {
	path := made(t)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(b); i++ {
		b[i] = 0xA5
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, "sqlite:"+path, path+" is damaged", "restore a backup")
}

func TestAFileThatCannotBeOpenedIsRefused(t *testing.T) {
	dir := t.TempDir()
	refused(t, "sqlite:"+dir, dir+" cannot be opened")
	path := made(t)
	refused(t, "sqlite:"+path+"/x.db", "cannot be opened")
	if os.Geteuid() == 0 {
		t.Log("root may write everywhere: a folder without rights is not tried")
		return
	}
	if err := os.Chmod(filepath.Dir(path), 0o500); err != nil {
		t.Fatal(err)
	}
	refused(t, "sqlite:"+filepath.Dir(path)+"/new.db", "cannot be written", "the gateway's user")
	if err := os.Chmod(filepath.Dir(path), 0o700); err != nil { // it is to be deleted
		t.Fatal(err)
	}
}

func TestWhatAFileSystemSaysIsExplained(t *testing.T) {
	for err, want := range map[error]string{
		syscall.EROFS: "cannot be written", fs.ErrPermission: "cannot be written", syscall.ENOSPC: "is full: make room", syscall.ENOTDIR: "cannot be opened",
	} {
		got := explainFile("f", &fs.PathError{Op: "open", Path: "f", Err: err})
		if !strings.Contains(got.Error(), want) || !errors.Is(got, err) {
			t.Errorf("%v is explained as %v", err, got)
		}
	}
	if other := errors.New("other"); explainFile("f", other) != other || explainFile("f", nil) != nil { //nolint:errorlint // the same
		t.Error("what is not the file's fault is explained as if it was")
	}
}

func TestAPageIsNotAcceptedOnAFullDiskAndIsWhenThereIsRoomAgain(t *testing.T) {
	path := made(t)
	s, err := Open(t.Context(), "sqlite:"+path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := s.Gateways().Enter(t.Context(), lease.Self{ID: "g"}); err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		t.Helper()
		if _, err := s.db.(*sqlite).writer.ExecContext(t.Context(), fmt.Sprintf("pragma max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	accept := func() error {
		a := &pager.Acceptance{Hold: pager.Hold{Gateway: "g", Token: 1}, Course: make([]byte, 64<<10)}
		a.Page.ID = "p1"
		_, err := s.Accept(t.Context(), a)
		return err
	}
	limit(1)
	if err := accept(); err == nil || !strings.Contains(err.Error(), "the disk of "+path+" is full: make room") {
		t.Errorf("Accept: %v", err)
	}
	if p, err := s.Page(t.Context(), "p1"); p != nil || err != nil {
		t.Errorf("Page: %v, %v", p, err)
	}
	limit(1 << 20)
	if err := accept(); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestNewerTablesAreRefusedAndAddedOnesAreNot(t *testing.T) {
	for version, newer := range map[int]bool{1999: false, 2001: true} {
		path := made(t)
		s, err := openSQLite(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.db.ExecContext(t.Context(), "insert into migration (version_id, is_applied) values ($1, 1)", version)
		if err := errors.Join(err, s.close()); err != nil {
			t.Fatal(err)
		}
		if newer {
			refused(t, "sqlite:"+path, "the database is newer than this telgate (tables 2001, this telgate knows 1", "install the newer telgate again")
			continue
		}
		again, err := Open(t.Context(), "sqlite:"+path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAWriterIsNotWaitedForLongerThanTheContextLasts(t *testing.T) {
	s, err := openSQLite(t.Context(), made(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = s.write(t.Context(), func(tx) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return s.write(ctx, func(tx) error { return nil })
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyWhatTheOperatorCanMendIsTheirFault(t *testing.T) {
	path := made(t)
	for _, c := range []struct {
		name string
		err  error
		want bool
	}{
		{"a full disk", explainFile(path, fmt.Errorf("write: %w", syscall.ENOSPC)), true},
		{"a newer database", fmt.Errorf("open: %w", &newerError{2001, 1005}), true},
		{"a URL", errURL, true},
		{"a server that is down", (&postgres{at: "db:5432/x"}).explain(io.ErrUnexpectedEOF), true},
		{"a statement of ours", explainFile(path, errors.New("no such column: nick")), false},
		{"nothing", nil, false},
	} {
		if got := ToMend(c.err); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
	}
}
