package store_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"telgate/store"
	"telgate/store/pgtest"
)

const (
	million  = 1_000_000
	keptDays = 400 // the history is spread over as many days as are kept

	pagesALoop = 50 // one is too few to go by
)

// history writes a million pages that ended, each with a target, an asker and a call.
func history(b *testing.B, driver, name, series string) {
	b.Helper()
	db, err := sql.Open(driver, name)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	}()
	entered := fmt.Sprintf("(%d + i * %d)", time.Now().Add(-keptDays*24*time.Hour).UnixMicro(), keptDays*24*time.Hour.Microseconds()/million)
	facts := `{"number":{"e164":"+12025550101","country":"1"},"call":{"times":{"alerted":1,"answered":1},"signal":{"status":200,"phrase":"OK"},"audio":{"codec":"PCMU","early":"none"}}}`
	for _, statement := range []string{
		`insert into page (id, version, title, message, state, result, late, accepted, entered, ended, waits_for, waits_line, rounds, stopped,
				owner, token, due, course, progress, reported, asker, people, reached_nick, reached_by, reached_via, calls, picked_up, summed)
			select 'h' || i, 9, 'nick' || (i % 500), 'db is down', 'ended', case when i % 50 = 0 then 'failed' else 'confirmed' end,
			false, E, E, E, 0, '', 3, '', 'old', 1, 0, null, null, 9, 'Ann', 1, 'nick' || (i % 500), '+1…01', 'key', 1, E, 9 from S`,
		`insert into target select 'h' || i, 0, 'nick' || (i % 500), 'Name', 'U', 'confirmed', '+1…01', 'key', E, 0, false, E from S`,
		`insert into asker select 'h' || i, 0, 'U' || (i % 100), 'Ann', 'T', 'C', '[]', false, false, false, 'db is down', E, E from S`,
		`insert into call select 'h' || i, 1, 1, 'nick' || (i % 500), '+12025550101', E, '', 'hc' || i, 1, 'main', 'ended', 'confirmed', '', E, E,
			'` + facts + `', E from S`,
		`analyze`,
	} {
		if _, err := db.ExecContext(b.Context(), strings.NewReplacer(" E", " "+entered, "from S", "from "+series).Replace(statement)); err != nil {
			b.Fatal(err)
		}
	}
}

// listed measures a look at the history that finds so many pages.
func listed(b *testing.B, find func() (int, error)) {
	b.Helper()
	pages := 0
	for b.Loop() {
		var err error
		if pages, err = find(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(pages), "pages")
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms")
}

// BenchmarkAMillionPages is what the history costs who goes on: the same as with none, and little to look at.
func BenchmarkAMillionPages(b *testing.B) {
	run := func(b *testing.B, s *store.Store, fill func()) {
		b.Helper()
		enter(b, s, "g")
		n := 0
		accept := func(b *testing.B) (half time.Duration) {
			b.Helper()
			var took []time.Duration
			for b.Loop() {
				for range pagesALoop {
					began := time.Now()
					n++
					a := asked(n)
					mustAccept(b, s, a)
					x := begun(a, n)
					mustBegin(b, s, x)
					mustEnd(b, s, x)
					took = append(took, time.Since(began))
				}
			}
			slices.Sort(took)
			half = took[len(took)/2]
			b.ReportMetric(float64(half.Microseconds())/1000, "ms-p50")
			return half
		}
		var empty time.Duration
		b.Run("page/empty", func(b *testing.B) { empty = accept(b) })
		begin := time.Now()
		fill()
		b.Logf("filled in %v", time.Since(begin))
		b.Run("page/million", func(b *testing.B) { b.ReportMetric(float64(accept(b))/float64(empty), "times-empty") })
		day := time.Now().Add(-24 * time.Hour)
		for name, q := range map[string]store.Query{
			"day": {Since: day, Limit: 10_000}, "first": {Since: day}, "person": {Person: "nick7"}, "failed": {Result: "failed"},
		} {
			b.Run("history/"+name, func(b *testing.B) {
				listed(b, func() (int, error) {
					got, _, err := s.Summaries(b.Context(), q)
					return len(got), err
				})
			})
			b.Run("whole/"+name, func(b *testing.B) {
				listed(b, func() (int, error) {
					got, _, err := s.History(b.Context(), q)
					return len(got), err
				})
			})
		}
		b.Run("running", func(b *testing.B) {
			for b.Loop() {
				if got, err := s.Running(b.Context()); err != nil || len(got) > 0 {
					b.Fatal(got, err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms")
		})
		b.Run("claim", func(b *testing.B) {
			for b.Loop() {
				if got, err := s.Claim(b.Context(), "g", 10); err != nil || len(got) != 0 {
					b.Fatal(got, err)
				}
			}
		})
	}
	b.Run("sqlite", func(b *testing.B) {
		url := file(b)
		s, err := store.Open(b.Context(), url, store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		run(b, s, func() {
			history(b, "sqlite", "file:"+strings.TrimPrefix(url, "sqlite:"),
				fmt.Sprintf("(with recursive s(i) as (select 1 union all select i + 1 from s where i < %d) select i from s)", million))
		})
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.Run("restart", func(b *testing.B) {
			for b.Loop() {
				s, err := store.Open(b.Context(), url, store.Options{})
				if err == nil {
					err = s.Close()
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms")
		})
	})
	b.Run("postgres", func(b *testing.B) {
		url := pgtest.Start(b, "fsync=on").Database(b)
		run(b, open(b, url), func() { history(b, "pgx", url, fmt.Sprintf("generate_series(1::bigint, %d) as i", million)) })
	})
}

// BenchmarkTakingOver10000Pages is a restart with as many pages that run: commands are taken when the file is open, and every
// page goes on when it was claimed, some at a time.
func BenchmarkTakingOver10000Pages(b *testing.B) {
	const pages, most = 10_000, 64
	var ready, claimed time.Duration
	for b.Loop() {
		url := file(b)
		before, err := store.Open(b.Context(), url, store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		enter(b, before, "g")
		for n := range pages {
			mustAccept(b, before, asked(n))
		}
		if err := before.Close(); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		s, err := store.Open(b.Context(), url, store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		enter(b, s, "g2")
		ready += time.Since(began)
		for left := pages; left > 0; {
			got, err := s.Claim(b.Context(), "g2", most)
			if err != nil || len(got) == 0 {
				b.Fatal(left, err)
			}
			left -= len(got)
		}
		claimed += time.Since(began)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(ready.Seconds()*1000/float64(b.N), "ms-ready")
	b.ReportMetric(claimed.Seconds()*1000/float64(b.N), "ms-all-claimed")
}
