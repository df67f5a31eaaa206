package store

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// place is what a URL names: a file or a server.
type place struct {
	file   string
	server *pgxpool.Config
}

// errURL says how a URL is written. It does not repeat the one that was given, which may have a password in it.
var errURL = errors.New("store.url is not understood: write sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE")

func parse(url, dir string) (place, error) {
	if file, ok := strings.CutPrefix(url, "sqlite:"); ok {
		if file == "" || strings.HasPrefix(file, "//") || strings.ContainsRune(file, 0) {
			return place{}, errURL
		}
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		return place{file: file}, nil
	}
	if !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		return place{}, errURL
	}
	server, err := pgxpool.ParseConfig(url)
	if err != nil {
		return place{}, errURL // the parser's own words repeat parts of it
	}
	return place{server: server}, nil
}
