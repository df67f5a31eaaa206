package config

import (
	"fmt"
	"maps"
	"slices"
)

// Identity is who a trunk shows as the caller, and how.
type Identity struct {
	Format   string // of caller_id: "e164", "e164_no_plus", "national" or "as_is"
	Assert   string // "from", "pai", "ppi" or "rpid": what carries it
	Privacy  string // "none" or "id"
	FromUser string // of From, where another header carries the caller id
	Headers  []Header
}

// Header is one more header of every INVITE.
type Header struct{ Name, Value string }

// Target is how a trunk wants the number that is called written.
type Target struct {
	URI          string // "sip" or "tel"
	UserPhone    bool   // ;user=phone
	CallerPrefix string // "", "186" or "184"
}

// Lines is how much a trunk carries.
type Lines struct {
	MaxCalls  int     // 0 = any number
	PerSecond float64 // 0 = as they come
	Redirect  string  // "never" or "same_trunk"
}

func (i *Identity) keys() keys {
	return keys{
		"caller_id_format": oneOf(&i.Format, "e164", "e164_no_plus", "national", "as_is"), "identity": oneOf(&i.Assert, "from", "pai", "ppi", "rpid"),
		"privacy": oneOf(&i.Privacy, "none", "id"), "from_user": text(&i.FromUser), "headers": headers(&i.Headers),
	}
}

func (t *Target) keys() keys {
	return keys{
		"uri": oneOf(&t.URI, "sip", "tel"), "user_phone": boolean(&t.UserPhone), "caller_prefix": callerPrefix(&t.CallerPrefix),
	}
}

func (l *Lines) keys() keys {
	return keys{
		"max_calls": integer(&l.MaxCalls, 0, 100_000), "calls_per_second": rate(&l.PerSecond, 1000),
		"redirect": oneOf(&l.Redirect, "never", "same_trunk"),
	}
}

// with adds the keys of parts of a table.
func (k keys) with(parts ...keys) keys {
	for _, p := range parts {
		maps.Copy(k, p)
	}
	return k
}

func callerPrefix(at *string) setter {
	return func(v any) error {
		if v == "" {
			*at = ""
			return nil
		}
		return oneOf(at, "186", "184")(v)
	}
}

// rate is so many a second; a fraction is fewer than one.
func rate(at *float64, most float64) setter {
	return func(v any) error {
		var n float64
		switch v := v.(type) {
		case int64:
			n = float64(v)
		case float64:
			n = v
		default:
			return fmt.Errorf("a number is needed, not %s", kindOf(v))
		}
		if n != 0 && !(n >= 0.01 && n <= most) { // as it stands, also for NaN
			return fmt.Errorf("%v is not between 0.01 and %v; 0 is no limit", v, most)
		}
		*at = n
		return nil
	}
}

// headers reads { "X-Name" = "value" }, in the order of names. What they may be is for the room that sends them.
func headers(at *[]Header) setter {
	return func(v any) error {
		table, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("a table such as { \"X-Account\" = \"1234\" } is needed, not %s", kindOf(v))
		}
		var out []Header
		for _, name := range slices.Sorted(maps.Keys(table)) {
			h := Header{Name: name}
			if err := text(&h.Value)(table[name]); err != nil {
				return fmt.Errorf("%q: %w", name, err)
			}
			out = append(out, h)
		}
		*at = out
		return nil
	}
}
