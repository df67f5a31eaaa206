package store_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"telgate"
	"telgate/store"
)

// folder is what is in the folder of a file, by name.
func folder(t *testing.T, url string) map[string]string {
	t.Helper()
	found := map[string]string{}
	all, err := os.ReadDir(filepath.Dir(strings.TrimPrefix(url, "sqlite:")))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range all {
		content, err := os.ReadFile(filepath.Join(filepath.Dir(strings.TrimPrefix(url, "sqlite:")), entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(entry.Name(), "-shm") { // in which SQLite counts readers
			found[entry.Name()] = string(content)
		}
	}
	return found
}

func TestWhoReadsAFileChangesNothingBesideAGatewayOrWithout(t *testing.T) {
	url := file(t)
	gateway, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	enter(t, gateway, "g")
	accept(t, gateway, page("p1", "alice"))
	if err := gateway.Note(t.Context(), store.AuditEntry{Action: string(telgate.AuditBackedUp)}); err != nil {
		t.Fatal(err)
	}
	look := func(when string) {
		before := folder(t, url)
		sight, err := store.Look(t.Context(), url, store.Options{})
		if err != nil || sight.Kind != "sqlite" || sight.Tables == 0 || sight.Tables != sight.Known || sight.Free == 0 || sight.Backup.IsZero() {
			t.Errorf("%s: %+v, %v", when, sight, err)
		}
		reader, err := store.Read(t.Context(), url, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if p, err := reader.Page(t.Context(), "p1"); err != nil || p == nil || p.Targets[0].Nick != "alice" {
			t.Errorf("%s: %+v, %v", when, p, err)
		}
		if err := reader.Note(t.Context(), store.AuditEntry{}); err == nil {
			t.Errorf("%s: it writes", when)
		}
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
		if after := folder(t, url); !maps.Equal(before, after) {
			t.Errorf("%s: there was %q, and is %q, or a file changed", when, slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
		}
	}
	look("beside a gateway")
	if err := gateway.Close(); err != nil {
		t.Fatal(err)
	}
	look("without a gateway")
}

func TestALookMakesNoTables(t *testing.T) {
	both(t, func(t *testing.T, url func() string) {
		where := url()
		if sight, err := store.Look(t.Context(), where, store.Options{}); err != nil || sight.Tables != 0 || sight.Known == 0 {
			t.Errorf("%+v, %v", sight, err)
		}
		if _, err := store.Read(t.Context(), where, store.Options{}); !errors.Is(err, store.ErrUnused) {
			t.Errorf("tables that are not there are read: %v", err)
		}
		open(t, where)
		if sight, err := store.Look(t.Context(), where, store.Options{}); err != nil || sight.Tables != sight.Known || !sight.Backup.IsZero() {
			t.Errorf("%+v, %v", sight, err)
		}
	})
}
