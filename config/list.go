package config

import (
	"maps"
	"slices"
)

// tables are all tables of the file, by the name they have in the documentation.
func tables() map[string]keys {
	return map[string]keys{
		"gateway": new(Gateway).keys(), "store": new(Store).keys(Secrets{}), "slack": new(Slack).keys(Secrets{}), "web": new(Web).keys(), "calls": new(Calls).keys(),
		"limits": new(Limits).keys(), "sip": new(SIP).keys(), "media": new(Media).keys(), "log": new(Log).keys(),
		"trunks": new(Trunk).keys(Secrets{}), "people": new(Person).keys(new([]string)), "phone": new(Phone).keys(),
		"groups": new(Group).keys(Secrets{}), "rotas": new(Rota).keys(Secrets{}), "prompts": {"file": nil, "files": nil},
	}
}

// Keys are the keys of the file by section, sorted: "trunks" has those of every [trunks.NAME], "phone" those of every
// [[people.NAME.phone]].
func Keys() map[string][]string {
	all := map[string][]string{}
	for section, k := range tables() {
		all[section] = slices.Sorted(maps.Keys(k))
	}
	return all
}
