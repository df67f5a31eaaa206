package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"telgate/store"
	"telgate/store/pgtest"
)

// keepsIn has the site keep its pages at a URL.
func (s *site) keepsIn(url string) {
	s.t.Helper()
	s.file("config.toml", mainTrunk+alice+"[store]\nurl = \""+url+"\"\n")
}

// checksStore is what check says about the store.
func (s *site) checksStore(what string) {
	s.t.Helper()
	before := s.script.Len()
	s.script.WriteString("# " + what + "\n")
	s.telgate("check")
	all := s.script.String()
	checked := strings.Split(all[before:], "\n")
	s.script.Reset()
	s.script.WriteString(all[:before])
	for _, line := range checked {
		if line = s.stable(line); strings.HasPrefix(line, "#") || strings.HasPrefix(line, "$") || strings.Contains(line, "store.url:") || strings.Contains(line, "  store ") {
			s.script.WriteString(line + "\n")
		}
	}
}

// tables makes a store in a file, and has a statement done to it.
func (s *site) tables(name, statement string) {
	s.t.Helper()
	at := filepath.Join(s.dir, name)
	made, err := store.Open(s.ctx, "sqlite:"+at, store.Options{})
	if err == nil {
		err = made.Close()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if statement == "" {
		return
	}
	db, err := sql.Open("sqlite", "file:"+at)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := db.ExecContext(s.ctx, statement); err != nil {
		s.t.Error(err)
	}
	if err := db.Close(); err != nil {
		s.t.Error(err)
	}
}

func TestAFileThatKeepsNoPagesIsNamedBeforeTheGatewayServes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, url := range []string{"telgate.db", "mysql://u:secret@h/d", "sqlite://telgate.db", "postgres://u:secret@h:port/d"} {
		s.keepsIn(url)
		s.checksStore("a broken URL")
		s.telgate("serve")
	}
	s.file("letter.txt", strings.Repeat("Dear Alice, the database is down. ", 100))
	s.tables("newer.db", "insert into migration (version_id, is_applied) values (2001, true)")
	s.tables("taken.db", "")
	s.tables("damaged.db", "pragma user_version = 1")
	damage(t, filepath.Join(s.dir, "damaged.db"))
	if err := os.Mkdir(filepath.Join(s.dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	taken, err := store.Open(s.ctx, "sqlite:"+filepath.Join(s.dir, "taken.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, c := range [][2]string{
		{"a text", "letter.txt"},
		{"a folder", "folder"},
		{"below a file", "letter.txt/telgate.db"},
		{"tables of a newer telgate", "newer.db"},
		{"a damaged file", "damaged.db"},
		{"another process has it", "taken.db"},
	} {
		s.keepsIn("sqlite:$DIR/" + c[1])
		s.checksStore(c[0])
		s.telgate("serve")
	}
	s.tables("strange.db", "delete from migration where version_id > 1001") // what telgate cannot explain is no fault of the file
	s.keepsIn("sqlite:$DIR/strange.db")
	s.script.WriteString("# tables that cannot be brought up to date\n")
	s.telgate("serve")
	s.keepsIn("sqlite:$DIR/new/telgate.db")
	s.checksStore("a file that is not there yet")
	if _, err := os.Stat(filepath.Join(s.dir, "new")); err == nil {
		t.Error("check made the file's folder")
	}
	s.golden("store_file")
}

// damage spoils a page of tables in the middle of a file.
func damage(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteAt(make([]byte, 4096), 4*4096); err != nil {
		t.Fatal(err)
	}
}

func TestAServerThatKeepsNoPagesIsNamedBeforeTheGatewayServes(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	s := newSite(t)
	url := server.Database(t)
	for _, c := range [][2]string{
		{"a wrong password", strings.Replace(url, pgtest.Password, "wrong-secret", 1)},
		{"no such database", server.URL("nowhere")},
	} {
		s.keepsIn(c[1])
		s.checksStore(c[0])
		s.telgate("serve")
	}
	s.keepsIn(url)
	s.checksStore("an empty database")
	open, err := store.Open(s.ctx, url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.checksStore("tables, while a gateway runs")
	if err := open.Close(); err != nil {
		t.Error(err)
	}
	server.Exec(t, "postgres", "alter database t1 set synchronous_commit = off")
	s.checksStore("a server that does not wait for its disk")
	server.Exec(t, "t1", "insert into migration (version_id, is_applied) values (2001, true)")
	s.checksStore("tables of a newer telgate")
	s.telgate("serve")
	if err := server.Stop("fast"); err != nil {
		t.Fatal(err)
	}
	s.checksStore("a server that is down")
	s.golden("store_server")
}

func TestAGatewayThatWaitsForItsServerEndsAtOnceWhenItIsTold(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	url := server.Database(t)
	if err := server.Stop("fast"); err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.keepsIn(url)
	var out, errs kept
	s.log = &errs
	signals, status := make(chan os.Signal), make(chan int, 1)
	go func() { status <- run(s.ctx, []string{"serve"}, s.environment(&out, &errs, signals)) }()
	s.logs("the store cannot be reached, waiting for it")
	signals <- syscall.SIGHUP // somebody reloads
	signals <- syscall.SIGTERM
	if got := soon(t, status); got != 0 {
		t.Errorf("exit status %d", got)
	}
	s.logs("gateway stopped before it served")
	if strings.Contains(string(errs.bytes()), pgtest.Password) {
		t.Errorf("the password is in the log: %s", errs.bytes())
	}
}
