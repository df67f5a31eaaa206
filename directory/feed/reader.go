package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// reader reads a source once. What it returns has no time yet. Where the source is as it was, it returns what there was.
type reader interface {
	read(ctx context.Context, had copied) (copied, error)
	String() string // without what may be a password
}

func newReader(cfg Config, client *http.Client) (reader, error) {
	if !strings.Contains(cfg.Address, "://") {
		if cfg.Kind == TOML {
			return folder(cfg.Address), nil
		}
		return file(cfg.Address), nil
	}
	u, err := url.Parse(cfg.Address)
	if err != nil || u.Host == "" {
		return nil, errors.New("is not an address such as https://example.com/rota.ics") // the parser's error shows the address
	}
	if u.Scheme == "webcal" { // as calendars are published
		u.Scheme = "https"
	}
	if err := allowed(u); err != nil {
		return nil, err
	}
	if cfg.Kind == TOML {
		return nil, errors.New("a folder of TOML files is not read over the network")
	}
	if client == nil {
		client = http.DefaultClient
	}
	c := *client
	c.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > redirects {
			return errors.New("is redirected too often")
		}
		return allowed(r.URL)
	}
	return &web{client: &c, url: *u, token: cfg.Token}, nil
}

// redirects is how many are followed.
const redirects = 5

// allowed keeps what is read, and the token, from travelling in clear beyond the site.
func allowed(u *url.URL) error {
	switch u.Scheme {
	case "https":
		return nil
	case "http":
		ip, err := netip.ParseAddr(u.Hostname())
		if u.Hostname() == "localhost" || err == nil && (ip.IsLoopback() || ip.IsPrivate()) {
			return nil
		}
		return errors.New("http is allowed to loopback and private addresses only: use https")
	}
	return fmt.Errorf("%q is not https", u.Scheme)
}

// web is a source by HTTP.
type web struct {
	client *http.Client
	url    url.URL
	token  string
}

// String is the host alone: the rest of a calendar's address is often its password.
func (w *web) String() string { return w.url.Scheme + "://" + w.url.Host + "/…" }

func (w *web) read(ctx context.Context, had copied) (copied, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url.String(), nil)
	if err != nil {
		return copied{}, errors.New("is not an address that can be asked")
	}
	r.Header.Set("User-Agent", "telgate")
	r.Header.Set("Accept", "text/calendar, application/json, text/csv;q=0.9, */*;q=0.5")
	if w.token != "" {
		r.Header.Set("Authorization", "Bearer "+w.token)
	}
	if had.ETag != "" {
		r.Header.Set("If-None-Match", had.ETag)
	}
	if had.Modified != "" {
		r.Header.Set("If-Modified-Since", had.Modified)
	}
	answer, err := w.client.Do(r)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // without the address
		}
		return copied{}, fmt.Errorf("cannot be asked: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	switch {
	case answer.StatusCode == http.StatusNotModified && len(had.Body) > 0:
		return had, nil
	case answer.StatusCode != http.StatusOK:
		return copied{}, fmt.Errorf("answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	body, err := whole(answer.Body)
	if err != nil {
		return copied{}, err
	}
	return copied{ETag: answer.Header.Get("ETag"), Modified: answer.Header.Get("Last-Modified"), Body: body}, nil
}

// whole reads a source to its end, if that comes soon enough.
func whole(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, largest+1))
	if err != nil {
		return nil, fmt.Errorf("breaks off: %w", err)
	}
	if len(body) > largest {
		return nil, fmt.Errorf("is larger than %d MB", largest>>20)
	}
	return body, nil
}

// file is a source in one file.
type file string

func (f file) String() string { return string(f) }

func (f file) read(context.Context, copied) (copied, error) {
	r, err := os.Open(string(f))
	if err != nil {
		return copied{}, fmt.Errorf("cannot be read: %w", err)
	}
	defer func() { _ = r.Close() }()
	body, err := whole(r)
	return copied{Body: body}, err
}

// folder is a source in all *.toml files of a directory, in the order of their names.
type folder string

func (f folder) String() string { return string(f) }

// page is one file of a folder, as its copy holds it.
type page struct{ Name, Text string }

func (f folder) read(_ context.Context, _ copied) (copied, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return copied{}, fmt.Errorf("cannot be read: %w", err)
	}
	var pages []page
	left := largest
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || filepath.Ext(name) != ".toml" || strings.HasPrefix(name, ".") {
			continue
		}
		one, err := file(filepath.Join(string(f), name)).read(context.Background(), copied{}) //nolint:contextcheck // files know none
		if err != nil {
			return copied{}, err
		}
		if left -= len(one.Body); left < 0 {
			return copied{}, fmt.Errorf("is larger than %d MB", largest>>20)
		}
		pages = append(pages, page{name, string(one.Body)})
	}
	slices.SortFunc(pages, func(a, b page) int { return strings.Compare(a.Name, b.Name) })
	body, err := json.Marshal(pages)
	return copied{Body: body}, err
}

// kindOf is the kind by an address.
func kindOf(address string) Kind {
	path := address
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		path = u.Path
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		return JSON
	case ".csv":
		return CSV
	case ".ics", ".ical":
		return Calendar
	}
	if strings.Contains(address, "://") {
		return Calendar
	}
	return TOML
}
