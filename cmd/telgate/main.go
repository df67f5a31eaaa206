// Command telgate is the calling gateway: "/tel alice" in Slack makes Alice's phone ring.
//
// This package wires the rooms together and holds no rule of the product: build turns a configuration into rooms, each
// command uses some of them. It is the only place that knows configuration, flags, signals and exit statuses.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the command line. Every command is a file of its own.
type cli struct {
	Config      string `help:"Configuration file (default: $$TELGATE_CONFIG, ./config.toml, $$XDG_CONFIG_HOME/telgate/config.toml (~/.config), /etc/telgate/config.toml)." placeholder:"FILE"`
	ShowNumbers bool   `help:"Show whole telephone numbers instead of masked ones."`
	JSON        bool   `help:"One JSON object a line, for scripts." name:"json"`
	LogLevel    string `help:"debug, info, warn or error (default: from the configuration)." placeholder:"LEVEL"`
	LogFormat   string `help:"auto, text or json (default: from the configuration)." placeholder:"FORMAT"`
	Server      string `help:"Ask the gateway at URL, with $$TELGATE_TOKEN, instead of the one of this machine." placeholder:"URL"`

	Serve    serveCmd    `cmd:"" help:"Run the gateway."`
	Call     callCmd     `cmd:"" help:"Ring someone and watch it live."`
	Stop     stopCmd     `cmd:"" help:"Stop a page: hang up, and call nobody else."`
	Status   statusCmd   `cmd:"" help:"Say how the gateway stands and what it is calling."`
	History  historyCmd  `cmd:"" help:"List pages that were, or show one with every step; who did what with --audit."`
	Pause    pauseCmd    `cmd:"" help:"Dial nobody new until resume, also after a restart."`
	Resume   resumeCmd   `cmd:"" help:"Dial again after pause."`
	Mute     muteCmd     `cmd:"" help:"Have nobody call somebody for a while, whoever asks; list who is muted."`
	Unmute   unmuteCmd   `cmd:"" help:"Have somebody called again after mute."`
	Reload   reloadCmd   `cmd:"" help:"Have the gateway read its configuration again."`
	Cover    coverCmd    `cmd:"" help:"Have somebody stand in for somebody else in rotas; list who does."`
	Backup   backupCmd   `cmd:"" help:"Write everything that is stored to a file, while the gateway runs."`
	Forget   forgetCmd   `cmd:"" help:"Erase a person's numbers, and what was said of them, from the history."`
	Demo     demoCmd     `cmd:"" help:"Play everything on loopback: no configuration, no network, no real phone."`
	Check    checkCmd    `cmd:"" help:"Say what would fail, and what to do about it. Rings nobody, but for --call."`
	People   peopleCmd   `cmd:"" help:"List who can be called."`
	Trunks   trunksCmd   `cmd:"" help:"List the trunks and whether they answer."`
	Prompts  promptsCmd  `cmd:"" help:"List the recordings."`
	Manifest manifestCmd `cmd:"" help:"Print the description of the Slack app to create."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

func main() {
	// Libraries that log on their own say little that an operator could use; what goes wrong comes back as errors.
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	ignoreBrokenPipes()
	os.Exit(run(context.Background(), os.Args[1:], realEnvironment()))
}

// ignoreBrokenPipes: the signal comes for every connection that breaks while something is sent, to Slack or a database, and
// says nothing that the failed write does not say too.
func ignoreBrokenPipes() { signal.Ignore(syscall.SIGPIPE) }

// run is the whole program but for the process around it; it returns the exit status.
func run(ctx context.Context, args []string, env *environment) int {
	var c cli
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	status, out := -1, &printed{to: env.out, unread: stop}
	parser, err := kong.New(&c,
		kong.Name("telgate"),
		kong.Description("A self-hosted calling gateway: it rings people over your own SIP trunk and tells the truth about what happened."),
		kong.Writers(out, env.err),
		kong.Exit(func(code int) { status = code }),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	)
	if err != nil {
		_, _ = fmt.Fprintln(env.err, "telgate:", err)
		return exitInternal
	}
	if len(args) == 0 {
		_, _ = parser.Parse([]string{"--help"}) // prints the help; there is nothing else to parse
		return out.lost(exitUsage, "", env)
	}
	parsed, err := parser.Parse(args)
	if status >= 0 || out.broken() { // kong asks to exit where it has printed the help, not where it could not
		return out.lost(max(status, exitReached), "", env)
	}
	if err == nil {
		err = c.check(parsed)
	}
	if err != nil {
		_, _ = fmt.Fprintf(env.err, "telgate: %v (%s)\n", err, seeAlso(args))
		return exitUsage
	}
	inner := *env
	inner.out = out
	status = statusOf(parsed.Run(&app{cli: &c, env: &inner, ctx: ctx}), env)
	return out.lost(status, parsed.Command(), env)
}

// check holds the flags of all commands, whether a command uses them or not.
func (c *cli) check(parsed *kong.Context) error {
	var l slog.Level
	switch {
	case c.LogLevel != "" && (l.UnmarshalText([]byte(c.LogLevel)) != nil || strings.ContainsAny(c.LogLevel, "+-")):
		return fmt.Errorf("--log-level %q is not debug, info, warn or error", c.LogLevel)
	case c.LogFormat != "" && !slices.Contains([]string{"auto", "text", "json"}, c.LogFormat):
		return fmt.Errorf("--log-format %q is not auto, text or json", c.LogFormat)
	}
	for _, p := range parsed.Path {
		if p.Flag != nil && p.Flag.Name == "config" && c.Config == "" {
			return errors.New("--config names no file: leave it out for the usual places")
		}
	}
	return nil
}

// seeAlso is where to look after a fault of usage.
func seeAlso(args []string) string {
	switch args[0] {
	case "help", "-help":
		return "there is no such command: telgate --help lists them, telgate COMMAND --help explains one"
	case "--version", "-v", "-V":
		return "telgate version prints the version"
	}
	return "see telgate --help"
}

// printed is a command's output, and remembers whether it arrived.
type printed struct {
	to     io.Writer
	unread func() // nobody reads it any more, as after "| head": the command is to end

	mu  sync.Mutex
	err error
}

// Write passes b on.
func (p *printed) Write(b []byte) (int, error) {
	n, err := p.to.Write(b)
	if err != nil {
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		if errors.Is(err, syscall.EPIPE) {
			p.unread()
		}
	}
	return n, err
}

func (p *printed) broken() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err != nil
}

// lost says that output did not arrive: a list that is cut short must not look like a whole one. The exit status of a call
// stays the truth about the call.
func (p *printed) lost(status int, command string, env *environment) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		return status
	}
	_, _ = fmt.Fprintln(env.err, "telgate: what was printed is not complete:", p.err)
	if status == exitReached && !strings.HasPrefix(command, "call") {
		return exitInternal
	}
	return status
}

// app is what every command is given.
type app struct {
	cli *cli
	env *environment
	ctx context.Context //nolint:containedctx // kong calls Run with values; this is the one hand-over from main
}

// printJSON writes one object as one line.
func (a *app) printJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode a line: %w", err)
	}
	_, err = fmt.Fprintf(a.env.out, "%s\n", b)
	return err
}

// statusOf prints an error for people, once, and maps it to the exit status.
func statusOf(err error, env *environment) int {
	if err == nil {
		return exitReached
	}
	status := exitInternal
	if s, ok := errors.AsType[*statusError](err); ok {
		status, err = s.status, s.err
	}
	if err != nil {
		_, _ = fmt.Fprintln(env.err, "telgate:", err)
	}
	return status
}
