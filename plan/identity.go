package plan

import (
	"errors"
	"fmt"
	"strings"
)

// Anonymous is the CallerID of a trunk that withholds it.
const Anonymous = "anonymous"

// CallerID writes our own number as a trunk wants to see it: a number in E.164 by the style, anything else only as it is.
// The outside line and other prefixes of dialled numbers have no place in it.
func (f Format) CallerID(id string, style Style) (string, error) {
	if id == "" || style == AsIs || style == "" {
		return id, nil
	}
	if !strings.HasPrefix(id, "+") || !isDigits(id[1:]) || len(id) < 8 || len(id) > 16 {
		return "", errors.New("caller_id must be a number such as \"+12025550100\" to be written in another way")
	}
	switch style {
	case E164NoPlus:
		return id[1:], nil
	case National:
		cc := f.countryCode()
		own, ok := strings.CutPrefix(id[1:], cc)
		if cc == "" || !ok {
			return "", fmt.Errorf("caller_id is no number of the trunk's country %q, so it has no national form", f.Country)
		}
		return f.nationalPrefix() + own, nil
	case E164, AsIs:
	}
	return id, nil
}

// CheckCaller tells what is wrong with the caller's prefix, nil if nothing.
func (f Format) CheckCaller() error {
	if f.CallerPrefix != "" && f.Style != National {
		return fmt.Errorf("%q stands before national numbers only: it needs number_format = \"national\"", f.CallerPrefix)
	}
	return nil
}
