package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"telgate"
)

// setter takes a value from the file, or says what is wrong with it.
type setter func(value any) error

func text(at *string) setter {
	return func(v any) error {
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("a string is needed, not %s", kindOf(v))
		}
		if strings.ContainsAny(s, "\r\n") {
			return errors.New("contains a line break")
		}
		if strings.Contains(s, "\x00") {
			return errors.New("contains the character U+0000, which ends a text for other programs")
		}
		*at = s
		return nil
	}
}

// filePath is of a file or directory. Nothing expands a ~ here: it would name a directory called so.
func filePath(at *string) setter {
	return func(v any) error {
		var s string
		if err := text(&s)(v); err != nil {
			return err
		}
		if err := homeless(s); err != nil {
			return err
		}
		*at = s
		return nil
	}
}

func homeless(path string) error {
	if strings.HasPrefix(path, "~") {
		return errHome
	}
	return nil
}

var errHome = errors.New("begins with ~, which only a shell expands: write the whole path, or one relative to this file")

func boolean(at *bool) setter {
	return func(v any) error {
		b, ok := v.(bool)
		if !ok {
			return fmt.Errorf("true or false is needed, not %s", kindOf(v))
		}
		*at = b
		return nil
	}
}

func integer(at *int, low, high int) setter {
	return func(v any) error {
		n, ok := v.(int64)
		if !ok {
			return fmt.Errorf("a whole number is needed, not %s", kindOf(v))
		}
		if n < int64(low) || n > int64(high) {
			return fmt.Errorf("%d is not between %d and %d", n, low, high)
		}
		*at = int(n)
		return nil
	}
}

func list(at *[]string) setter {
	return func(v any) error {
		items, ok := v.([]any)
		if !ok {
			return fmt.Errorf("a list of strings is needed, not %s", kindOf(v))
		}
		out := make([]string, 0, len(items))
		for i, item := range items {
			var s string
			if err := text(&s)(item); err != nil {
				return fmt.Errorf("entry %d: %w", i+1, err)
			}
			out = append(out, s)
		}
		*at = out
		return nil
	}
}

func listOf(at *[]string, allowed ...string) setter {
	return func(v any) error {
		var got []string
		if err := list(&got)(v); err != nil {
			return err
		}
		for _, s := range got {
			if !slices.Contains(allowed, s) {
				return fmt.Errorf("%q is not one of %s", s, strings.Join(allowed, ", "))
			}
		}
		if len(got) == 0 {
			return fmt.Errorf("at least one of %s is needed", strings.Join(allowed, ", "))
		}
		*at = got
		return nil
	}
}

func oneOf(at *string, allowed ...string) setter {
	return func(v any) error {
		var s string
		if err := text(&s)(v); err != nil {
			return err
		}
		if !slices.Contains(allowed, s) {
			return fmt.Errorf("%q is not %s", s, strings.Join(allowed, " or "))
		}
		*at = s
		return nil
	}
}

func digits(at *string) setter {
	return func(v any) error {
		var s string
		if err := text(&s)(v); err != nil {
			return err
		}
		if strings.Trim(s, "0123456789") != "" {
			return fmt.Errorf("%q is not digits only", s)
		}
		*at = s
		return nil
	}
}

func digit(at *string, mayBeEmpty bool) setter {
	return func(v any) error {
		var s string
		if err := text(&s)(v); err != nil {
			return err
		}
		if s == "" && mayBeEmpty || len(s) == 1 && strings.Contains("0123456789*#", s) {
			*at = s
			return nil
		}
		return fmt.Errorf("%q is not one key of a telephone", s)
	}
}

// duration reads Go's notation and whole days, "90s", "1h30m", "7d".
func duration(at *time.Duration, low, high time.Duration) setter {
	return func(v any) error {
		var s string
		if err := text(&s)(v); err != nil {
			return fmt.Errorf("a duration such as \"25s\" is needed, not %s", kindOf(v))
		}
		d, err := parseDuration(s)
		if err != nil {
			return err
		}
		if d < low || d > high {
			return fmt.Errorf("%s is not between %s and %s", s, low, high)
		}
		*at = d
		return nil
	}
}

func parseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration such as \"25s\", \"10m\" or \"7d\"", s)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration such as \"25s\", \"10m\" or \"7d\"", s)
	}
	return d, nil
}

func drain(at *time.Duration) setter {
	return func(v any) error {
		if v == "auto" {
			*at = DrainAuto
			return nil
		}
		return duration(at, 0, time.Hour)(v)
	}
}

// apiURL is where Slack's Web API is: plain HTTP only to an address that does not leave the site.
func apiURL(at *string) setter {
	return func(v any) error {
		var s string
		if err := text(&s)(v); err != nil {
			return err
		}
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("%q is not an address such as \"https://slack.com/api/\"", s)
		}
		ip, err := netip.ParseAddr(u.Hostname())
		if u.Scheme == "http" && u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback() && !ip.IsPrivate()) {
			return fmt.Errorf("http is allowed to loopback and private addresses only: tokens would travel in clear")
		}
		*at = s
		return nil
	}
}

func hostPort(at *string) setter {
	return func(v any) error {
		var s string
		if err := text(&s)(v); err != nil {
			return err
		}
		if s != "" {
			host, port, err := net.SplitHostPort(s)
			n, bad := strconv.ParseUint(port, 10, 16)
			if err != nil || bad != nil || n == 0 && port != "0" || strings.Contains(host, "/") {
				return fmt.Errorf("%q is not an address such as \"127.0.0.1:8080\"; \"\" switches it off", s)
			}
		}
		*at = s
		return nil
	}
}

func portRange(low, high *int) setter {
	return func(v any) error {
		var s string
		if err := text(&s)(v); err != nil {
			return err
		}
		a, b, _ := strings.Cut(s, "-")
		from, err1 := strconv.Atoi(strings.TrimSpace(a))
		to, err2 := strconv.Atoi(strings.TrimSpace(b))
		if err1 != nil || err2 != nil || from < 1024 || to > 65535 || to-from < 1 {
			return fmt.Errorf("%q is not a range such as \"20000-29999\"", s)
		}
		*low, *high = from, to
		return nil
	}
}

func dtmf(at *string) setter {
	return func(v any) error {
		if v == "inband" {
			return errors.New("\"inband\" is not in this version")
		}
		return oneOf(at, "auto", "rfc4733", "info")(v)
	}
}

// prefixes are of numbers in E.164.
func prefixes(at *[]string) setter {
	return func(v any) error {
		var got []string
		if err := list(&got)(v); err != nil {
			return err
		}
		for _, p := range got {
			if digits, ok := strings.CutPrefix(p, "+"); !ok || strings.Trim(digits, "0123456789") != "" {
				return fmt.Errorf("%q is not the beginning of a number such as \"+1\"", telgate.Masked(p))
			}
		}
		*at = got
		return nil
	}
}

func address(at *string) setter {
	return func(v any) error {
		var s string
		if err := text(&s)(v); err != nil {
			return err
		}
		if _, err := netip.ParseAddr(s); s != "" && err != nil {
			return fmt.Errorf("%q is not an IP address", s)
		}
		*at = s
		return nil
	}
}

// tag is a language (BCP 47).
func tag(at *string) setter {
	return func(v any) error {
		var s string
		if err := text(&s)(v); err != nil {
			return err
		}
		if _, err := language.Parse(s); err != nil {
			return fmt.Errorf("%q is not a language such as \"en\" or \"ja\"", s)
		}
		*at = s
		return nil
	}
}

func zone(at *string) setter {
	return func(v any) error {
		var s string
		if err := text(&s)(v); err != nil {
			return err
		}
		if _, err := time.LoadLocation(s); err != nil {
			return fmt.Errorf("%q is not a time zone such as \"Asia/Tokyo\"", s)
		}
		*at = s
		return nil
	}
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64:
		return "a number"
	case float64:
		return "a number with a fraction"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	case []map[string]any:
		return "a list of tables"
	}
	return "a date"
}
