# make check is what a change must pass; .ci/run runs it and the rest.
GO      := go
LINTER  := golangci-lint
LINTVER := v2.15.0

.PHONY: build test race lint arch check demo e2e interop crash foreign bench fuzz prompts tools clean

build: ## the static binary, bin/telgate
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/telgate ./cmd/telgate

test: ## needs only Go
	$(GO) test ./...

race: ## the same under the race detector, in random order
	$(GO) test -race -shuffle=on ./...

lint: ## every linter of .golangci.yml; the rooms' import rule (depguard) is among them
	$(LINTER) run ./...

arch: ## the import rule, and that a planted breach of it is found
	./testbed/arch.sh $(LINTER)

check: build lint arch race

demo: ## everything on loopback, once, by itself
	$(GO) run ./cmd/telgate demo --once

e2e: ## the stories against Asterisk 22 in docker-compose
	./testbed/e2e.sh

foreign: ## the stories against Asterisk 22 and 16 of other companies, chan_sip among them; takes three minutes
	./testbed/foreign.sh

interop: ## the stories with SIPp, Kamailio and baresip from Debian's packages, on loopback
	./testbed/interop.sh

crash: ## tries to lose a page: gateways, databases and connections die under real calls on loopback
	./testbed/crash.sh

bench: ## ratios of one run; a C loop is the floor where cc is there
	./testbed/bench.sh

fuzz: ## every fuzz target for FUZZTIME
	./testbed/fuzz.sh

prompts: ## regenerate the built-in recordings (needs flite, open-jtalk and its voice, sox)
	./prompts/generate.sh

tools: ## the linter, built from source
	$(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINTVER)

clean:
	rm -rf bin
