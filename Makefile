# The demo needs Go and make alone. The tests also need a C compiler, for the
# race detector; deploying needs kubectl and building the image needs docker.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SHELLFLAGS := -eu -c
MAKEFLAGS += --no-print-directory

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMG ?=
KUBECTL ?= kubectl
DOCKER ?= docker
FUZZTIME ?= 10s
TEST_TIMEOUT ?= 60m
SOAK_TIME ?= 10m
BENCH_FLAGS ?=
BENCH_TIME ?= 200ms
BENCH_RUNS ?= 6
WORDS_FLAGS ?=
BENCH_SUITES ?= quiet

# Everything but the race detector does without a C compiler. One setting for
# all of it also lets every target use what another has compiled.
export CGO_ENABLED := 0
DELETE_TIMEOUT ?= 10m

# Tools are built once for each pinned version and Go release, outside of the
# checkout, so that a fresh clone finds them built.
TOOL_GO := GOFLAGS= GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=0 go
TOOL_PINS := $(wildcard hack/tools/go.* hack/tools/golangci-lint/*.go hack/tools/golangci-lint/go.*)
TOOL_KEY := $(shell { go env GOVERSION; cat $(TOOL_PINS); } | cksum | cut -d' ' -f1)
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ssm-access-operator/tools/$(TOOL_KEY)
CONTROLLER_GEN := $(TOOLS)/controller-gen
KUSTOMIZE := $(TOOLS)/kustomize
GOLANGCI_LINT := $(TOOLS)/golangci-lint
BENCHSTAT := $(TOOLS)/benchstat

MODULES := . hack/controlplane hack/tools hack/tools/golangci-lint
GENERATED := api/v1alpha1/zz_generated.deepcopy.go config/crd/bases config/rbac/role.yaml

# Everything that runs a control plane starts with this line.
ASSETS = KUBEBUILDER_ASSETS=$$(go run ./hack/controlplane-dir); export KUBEBUILDER_ASSETS

##@ Try it

.PHONY: help
help: ## Show this list.
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Turn a manifest into Session Manager access and back, on a real API server and emulated AWS.
	@$(ASSETS); go run ./cmd/demo

.PHONY: playground
playground: build ## As demo, but leave everything running and write bin/playground.env to source.
	@go build -o bin/demo ./cmd/demo; $(ASSETS); exec bin/demo --playground

##@ Develop

.PHONY: build
build: ## Build bin/manager and bin/aws-emulator.
	go build -ldflags "-s -w -X main.version=$(VERSION)" -o bin/ ./cmd/manager ./cmd/aws-emulator

.PHONY: generate
generate: $(CONTROLLER_GEN) ## Generate deep copies, CRDs and the manager's role from the Go sources.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt paths=./api/...
	$(CONTROLLER_GEN) crd paths=./api/... output:crd:dir=config/crd/bases
	$(CONTROLLER_GEN) rbac:roleName=manager-role paths='./cmd/manager/...;./controllers/...' output:rbac:dir=config/rbac

.PHONY: test
test: ## Run all tests with the race detector.
	@$(ASSETS); go run ./hack/controlplane-run env CGO_ENABLED=1 go test -race -timeout $(TEST_TIMEOUT) ./...

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (10s).
	@grep -rEo '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' . | sort | { failed=0; \
	while IFS=: read -r file declaration; do \
		echo "$${declaration#func } in $$(dirname "$$file")"; \
		go test -run '^$$' -fuzz "^$${declaration#func }$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" || failed=1; \
	done; exit $$failed; }

.PHONY: soak
soak: ## Kill, mislead and disturb the operator with generated declarations for SOAK_TIME (10m), and judge it all the while.
	@$(ASSETS); go test -count 1 -v -timeout 24h -run '^(TestASoak|TestEveryStringOfATenantMeansItselfOrIsRefused)$$' ./test/invariants -whole -soak $(SOAK_TIME) -rapid.shrinktime 3m

.PHONY: crash-run
crash-run: ## Kill the operator at every call of a scenario, with and without the call's effect.
	@$(ASSETS); go test -count 1 -v -timeout 24h -run '^TestAManagerThatDiesAtAnyCallLosesNothing$$' ./test/invariants -whole

.PHONY: bench
bench: build ## Measure calls, writes, time, CPU and memory of onboarding, restarts and revocations; BENCH_FLAGS=--all adds bench-large.
	@$(ASSETS); go run ./test/bench $(BENCH_FLAGS)

.PHONY: bench-large
bench-large: build ## Measure 10,000 SessionAccesses over 1,000 users, which takes some twenty minutes.
	@$(ASSETS); go run ./test/bench --suite=large

.PHONY: bench-go
bench-go: ## Measure time and allocations of the policy compiler, its diff, the mirror and the judgement of a node.
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCH_TIME) -p 1 ./internal/policy ./internal/cloud ./internal/reachability/check

.PHONY: bench-compare
bench-compare: $(BENCHSTAT) ## Compare what the operator costs with commit BASE: BENCH_RUNS (6) runs of BENCH_SUITES (quiet) and of bench-go, in turn.
	@$(ASSETS); BASE="$(BASE)" RUNS="$(BENCH_RUNS)" SUITES="$(BENCH_SUITES)" BENCHSTAT="$(BENCHSTAT)" hack/bench-compare.sh

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run the linters, and reject more than 15 phrases of hack/words.txt for each 10,000 words.
	$(GOLANGCI_LINT) run ./...
	@go run ./hack/words -most 15 >/dev/null

.PHONY: words
words: ## Count phrases that are hard to read, and the field's own terms, in comments and docs; WORDS_FLAGS=-list shows where.
	@go run ./hack/words $(WORDS_FLAGS)

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the Go sources.
	$(GOLANGCI_LINT) fmt ./...

.PHONY: verify
verify: verify-generated verify-tidy verify-manifests lint ## Check generated files, go.mod files, manifests and lint.
	go vet ./...

.PHONY: verify-generated
verify-generated: generate
	@changed=$$(git status --porcelain -- $(GENERATED)); \
	if [ -n "$$changed" ]; then \
		git --no-pager diff -- $(GENERATED); \
		echo 'These files are not as "make generate" makes them; run it and commit them:' >&2; \
		echo "$$changed" >&2; \
		exit 1; \
	fi

.PHONY: verify-tidy
verify-tidy:
	@for module in $(MODULES); do \
		GOFLAGS= GOWORK=off go mod tidy -C "$$module" -diff || \
			{ echo "$$module/go.mod is not tidy; run \"go mod tidy\" in $$module and commit it." >&2; exit 1; }; \
	done

.PHONY: verify-manifests
verify-manifests: $(KUSTOMIZE)
	@for file in $$(git ls-files 'config/*kustomization.yaml'); do \
		$(KUSTOMIZE) build "$$(dirname "$$file")" >/dev/null || \
			{ echo "$$file does not build; the line above tells why." >&2; exit 1; }; \
	done

.PHONY: controlplane
controlplane: ## Print the directory of kube-apiserver, etcd, kubectl and kube-controller-manager; fetch or compile them first.
	@go run ./hack/controlplane-dir

##@ Install

.PHONY: docker-build
docker-build: ## Build the image IMG of the manager.
	@[ -n "$(IMG)" ] || { echo 'Say how to name the image: make docker-build IMG=registry.example.com/ssm-access-operator:v1' >&2; exit 1; }
	$(DOCKER) build --build-arg VERSION=$(VERSION) -t $(IMG) .

.PHONY: install
install: ## Install the CRDs in the current cluster.
	$(KUBECTL) apply -k config/crd

.PHONY: deploy
deploy: ## Install the CRDs and the manager in the current cluster.
	$(KUBECTL) apply -k config/default

.PHONY: undeploy
undeploy: ## Delete all objects of the operator, wait until their access is gone, then remove the manager and the CRDs.
	@KUBECTL="$(KUBECTL)" TIMEOUT="$(DELETE_TIMEOUT)" hack/undeploy.sh

$(CONTROLLER_GEN):
	$(TOOL_GO) build -C hack/tools -o $@ sigs.k8s.io/controller-tools/cmd/controller-gen

$(KUSTOMIZE):
	$(TOOL_GO) build -C hack/tools -o $@ sigs.k8s.io/kustomize/kustomize/v5

$(BENCHSTAT):
	$(TOOL_GO) build -C hack/tools -o $@ golang.org/x/perf/cmd/benchstat

$(GOLANGCI_LINT):
	@echo 'Building golangci-lint, once per version; this takes a few minutes.' >&2
	$(TOOL_GO) build -C hack/tools/golangci-lint -trimpath -o $@ .
