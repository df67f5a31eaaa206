// Package config reads config.toml: the file is decoded once, walked against a table of its keys, and becomes plain
// structs with defaults. All faults are reported at once, each with its key, its line where that is certain, and the
// nearest known key.
//
// It checks shape: names, types and ranges. What a value means (whether a number may be called, a trunk makes sense) is
// checked by the room it belongs to. Only cmd/telgate imports it.
package config

import (
	"time"
)

// Config is the whole file.
type Config struct {
	File     File
	Gateway  Gateway
	Store    Store
	Slack    Slack
	Web      Web
	Calls    Calls
	Limits   Limits
	SIP      SIP
	Media    Media
	Log      Log
	Trunks   []Trunk  // in the order of the file
	People   []Person // likewise
	Groups   []Group
	Rotas    []Rota
	Prompts  []Prompt
	Warnings []string // what works, but should not stay so
	Missing  Faults   // secrets that could not be had and were forgiven, see Secrets.Lenient
}

// Gateway is [gateway].
type Gateway struct {
	Name           string
	Language       string
	StateDir       string
	Announce       string // who calls, for display names and Slack
	AnnouncePrompt string
	Drain          time.Duration // how long stopping may wait for calls; DrainAuto = ring + max_duration
}

// DrainAuto is drain = "auto".
const DrainAuto time.Duration = -1

// Store is [store].
type Store struct {
	URL  Secret        // it may have a password in it
	Keep time.Duration // how long pages are kept
}

// Slack is [slack].
type Slack struct {
	Mode          string // "socket", "http" or "off"
	BotToken      Secret
	AppToken      Secret
	SigningSecret Secret
	Command       string
	AllowUsers    []string
	AllowGroups   []string
	AllowChannels []string
	Admins        []string
	SeeNumbers    []string
	APIURL        string
}

// Web is [web].
type Web struct {
	Listen string // "" = off
}

// Calls is [calls].
type Calls struct {
	Trunks        []string
	Ring          time.Duration
	Setup         time.Duration
	FirstResponse time.Duration
	Rounds        int
	Pause         time.Duration
	PageLimit     time.Duration
	MaxDuration   time.Duration
	Key           Key
	Prompt        string
	BusyRetry     time.Duration
	BusyMax       int
	Region        string
}

// Key is how a call is confirmed.
type Key struct {
	Confirm       string // "key" or "answer"
	ConfirmKey    string
	RepeatKey     string
	ConfirmAfter  time.Duration
	AnswerMin     time.Duration
	AcceptUnknown bool
}

// Limits is [limits].
type Limits struct {
	PerNumberPerHour int
	PerAskerPerHour  int
	PerPerson        int // pages, after which requests join one that runs
	PrefixesAllowed  []string
	ExtraForbidden   []string
}

// SIP is [sip].
type SIP struct {
	Bind          string
	PublicAddress string
	LocalNets     []string
	Keepalive     time.Duration
	UserAgent     string
	DSCP          int
}

// Media is [media].
type Media struct {
	PortMin, PortMax int
	Address          string
	Latch            string
	DSCP             int
}

// Log is [log].
type Log struct {
	Level  string
	Format string
}

// Trunk is [trunks.NAME].
type Trunk struct {
	Name      string
	Kind      string
	Addresses []string
	Transport string
	// LargeByTCP is transport = ["udp", "tcp"].
	LargeByTCP    bool
	TLS           TLS
	OutboundProxy string

	Bind     string
	Peers    []string
	NAT      string // "auto", "off" or "on"
	Codecs   []string
	SRTP     string // "off", "optional" or "required"
	Prefixes []string
	DTMF     string // "auto", "rfc4733" or "info"
	Account  Account
	Register Register
	Probe    string // "options", "register" or "off"; "" = by Register
	Identity Identity
	Format   Format
	Target   Target
	Lines    Lines
	// AnswerSupervision is "real" where a 200 means that the callee answered, "none" where it means nothing yet.
	AnswerSupervision string

	TestNumber string // what check --call rings
}

// Register is how a trunk is registered with.
type Register struct {
	On          bool
	By          string // "each": every gateway; "lease": one at a time
	Registrar   string
	Expires     int // seconds
	Retry       time.Duration
	ContactUser string
}

// Account is who we are on a trunk.
type Account struct {
	User, AuthUser string
	Password       Secret
	Domain         string
	CallerID       string
	DisplayName    string
}

// Format is how a trunk wants its numbers.
type Format struct {
	Style               string
	Country             string
	NationalPrefix      string
	InternationalPrefix string
	DialPrefix          string
}

// Person is [people.NICK].
type Person struct {
	Nick, Name string
	Aliases    []string
	Phones     []Phone
	Slack      string
	Email      string
	Language   string
	TimeZone   string
	Confirm    string
}

// Phone is one number of a person, as written.
type Phone struct {
	Number string
	Label  string
	Trunk  string
	Ring   time.Duration
	// VoicemailAfter is when its mailbox answers, 0 where that is not known.
	VoicemailAfter time.Duration
}

// Group is [groups.NAME].
type Group struct {
	Name     string
	Members  []string
	Strategy string
	// Confirmations is how many members have to confirm: "first" or "all".
	Confirmations string
	Prompt        string
	Source        Source
}

// Prompt is [prompts.NAME]: recordings by language, "" for any.
type Prompt struct {
	Name  string
	Files map[string]string
}

// Default is the configuration of an empty file.
func Default() Config {
	return Config{
		Gateway: Gateway{Name: "telgate", Language: "en", Drain: DrainAuto},
		Store:   Store{URL: NewSecret("sqlite:telgate.db"), Keep: 400 * 24 * time.Hour},
		Slack:   Slack{Mode: "off", Command: "/tel"},
		Web:     Web{Listen: "127.0.0.1:8080"},
		Calls: Calls{
			Ring: 25 * time.Second, Setup: 20 * time.Second, FirstResponse: 4 * time.Second,
			Rounds: 3, Pause: 20 * time.Second, PageLimit: 30 * time.Minute, MaxDuration: 60 * time.Second,
			Key:    Key{Confirm: "key", ConfirmKey: "1", RepeatKey: "2", ConfirmAfter: 1500 * time.Millisecond, AnswerMin: 5 * time.Second},
			Prompt: "alert", BusyRetry: 20 * time.Second, BusyMax: 2,
		},
		Limits: Limits{PerNumberPerHour: 10, PerAskerPerHour: 20, PerPerson: 5},
		SIP:    SIP{Keepalive: 25 * time.Second, UserAgent: "telgate", DSCP: 26},
		Media:  Media{PortMin: 20000, PortMax: 29999, Latch: "same_ip", DSCP: 46},
		Log:    Log{Level: "info", Format: "auto"},
	}
}

// NewTrunk is a trunk as an empty table makes it.
func NewTrunk(name string) Trunk {
	return Trunk{
		TLS:  TLS{Min: "1.2"},
		Name: name, Kind: "carrier", Transport: "udp", Codecs: []string{"PCMU", "PCMA"}, NAT: "auto", SRTP: "off", DTMF: "auto",
		Register: Register{By: "each", Expires: 3600, Retry: 30 * time.Second}, Format: Format{Style: "e164", NationalPrefix: "0"},
		Identity: Identity{Format: "as_is", Assert: "from", Privacy: "none"}, Target: Target{URI: "sip"}, Lines: Lines{Redirect: "never"}, AnswerSupervision: "real",
	}
}
