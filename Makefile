# The demo needs Go and make alone. The tests also need a C compiler, for the
# race detector; deploying needs kubectl.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SHELLFLAGS := -eu -c
MAKEFLAGS += --no-print-directory

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMG ?=
TAG ?=
KUBECTL ?= kubectl
FUZZTIME ?= 10s
TEST_TIMEOUT ?= 60m
SOAK_TIME ?= 10m
BENCH_FLAGS ?=
BENCH_TIME ?= 200ms
BENCH_RUNS ?= 6
WORDS_FLAGS ?=
PATH_FLAGS ?=
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
# Helm changes at a pace of its own, and takes long to build.
HELM_KEY := $(shell { go env GOVERSION; cat hack/tools/helm/go.*; } | cksum | cut -d' ' -f1)
HELM_TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ssm-access-operator/tools/helm-$(HELM_KEY)
# What Flux does, with its own library, for the tests.
FLUX_KEY := $(shell { go env GOVERSION; cat hack/tools/flux/*; } | cksum | cut -d' ' -f1)
FLUX_TOOL := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ssm-access-operator/tools/flux-$(FLUX_KEY)/flux

REFERENCE_KEY := $(shell { go env GOVERSION; cat hack/tools/crd-ref-docs/go.*; } | cksum | cut -d' ' -f1)
CRD_REF_DOCS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ssm-access-operator/tools/crd-ref-docs-$(REFERENCE_KEY)/crd-ref-docs
# What assembles images, without a container engine.
IMAGE_KEY := $(shell { go env GOVERSION; cat hack/image/*; } | cksum | cut -d' ' -f1)
IMAGE_TOOL := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ssm-access-operator/tools/image-$(IMAGE_KEY)/image
PLATFORMS ?= linux/amd64,linux/arm64
REGISTRY ?= ghcr.io/ssm-access-operator
# The version of the next release, which the chart and config name.
RELEASE := $(shell sed -n 's/^appVersion: //p' charts/ssm-access-operator/Chart.yaml)
# All times in images are that of the last commit: the same sources give the same bytes.
CREATED = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || echo 0))

GO_BUILD = go build -ldflags "-s -w -X main.version=$(VERSION)" -o bin/

MODULES := . hack/controlplane hack/crdcheck hack/image hack/tools hack/tools/crd-ref-docs hack/tools/flux hack/tools/golangci-lint hack/tools/helm
CHART := charts/ssm-access-operator
GENERATED := api/v1alpha1/zz_generated.deepcopy.go config/crd/bases config/rbac/role.yaml $(CHART)/files \
	config/argocd/argocd-cm.yaml config/argocd/resource_customizations config/iam/cloudformation.json config/iam/terraform docs/reference.md

# Everything that runs a control plane starts with this line.
ASSETS = KUBEBUILDER_ASSETS=$$(go run ./hack/controlplane-dir); export KUBEBUILDER_ASSETS

##@ Try it

.PHONY: help
help: ## Show this list.
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: bin-manager ## Turn a manifest into Session Manager access and back, on a real API server and emulated AWS.
	@$(ASSETS); go run ./cmd/demo

.PHONY: playground
playground: bin-manager ## As demo, but leave everything running and write bin/playground.env to source.
	@go build -o bin/demo ./cmd/demo; $(ASSETS); exec bin/demo --playground

##@ Develop

.PHONY: build
build: ## Build bin/manager and bin/aws-emulator.
	$(GO_BUILD) ./cmd/manager ./cmd/aws-emulator

.PHONY: bin-manager
bin-manager:
	@$(GO_BUILD) ./cmd/manager

.PHONY: generate
generate: $(CONTROLLER_GEN) $(CRD_REF_DOCS) ## Generate deep copies, CRDs and the manager's role from the Go sources.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt paths=./api/...
	$(CONTROLLER_GEN) crd paths=./api/... output:crd:dir=config/crd/bases
	$(CONTROLLER_GEN) rbac:roleName=manager-role paths='./cmd/manager/...;./controllers/...' output:rbac:dir=config/rbac
	hack/chart-files.sh $(CHART)/files
	hack/argocd.sh
	@go run ./hack/permissions
	$(CRD_REF_DOCS) --source-path=api --config=hack/tools/crd-ref-docs/config.yaml --renderer=markdown --output-path=docs/reference.md --log-level=ERROR

.PHONY: test
test: helm-tools flux-tool $(IMAGE_TOOL) ## Run all tests with the race detector.
	@go test -C hack/image ./...
	@$(ASSETS); HELM_TOOLS="$(HELM_TOOLS)" FLUX_TOOL="$(FLUX_TOOL)" IMAGE_TOOL="$(IMAGE_TOOL)" go run ./hack/controlplane-run env CGO_ENABLED=1 go test -race -timeout $(TEST_TIMEOUT) ./...

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
bench-go: ## Measure time and allocations of the policy compiler, its diff, the IAM cache and the judgement of a node.
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCH_TIME) -p 1 ./internal/policy ./internal/aws/iam ./internal/reachability/check

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

.PHONY: path
path: ## Count functions, files and names on the way of one SessionAccess through the code; PATH_FLAGS=-way prints the way.
	@go run ./hack/path $(PATH_FLAGS)

.PHONY: picture
picture: build ## Draw docs/demo.svg from a run of the demo.
	@go build -o bin/demo ./cmd/demo; $(ASSETS); go run ./hack/picture --output docs/demo.svg \
		--title 'make demo: two manifests let each of two users open sessions on one instance alone' \
		--from 'Nobody has' --cut 'What IAM has|Each user tries again' --until 'Both leave' -- bin/demo

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
			{ echo "$$file does not build; the line above says why." >&2; exit 1; }; \
	done

.PHONY: controlplane
controlplane: ## Print the directory of kube-apiserver, etcd, kubectl and two controllers; fetch or compile them first.
	@go run ./hack/controlplane-dir

.PHONY: test-versions
test-versions: ## Validate the CRDs as the API server of each supported minor version of Kubernetes does.
	@hack/crdcheck/check.sh

# The packages whose scenarios use most of what an API server does: defaults, rules,
# patches of the status, finalizers, owned objects, terminating namespaces.
.PHONY: test-oldest
test-oldest: ## Run the main scenarios on the oldest supported version of Kubernetes; fetch or compile it first.
	@unset KUBEBUILDER_ASSETS; CONTROLPLANE_MOD=oldest.mod; export CONTROLPLANE_MOD; $(ASSETS); \
		go run ./hack/controlplane-run go test -count 1 -timeout $(TEST_TIMEOUT) \
		./api/... ./controllers ./controllers/accounttier ./controllers/hybridactivation ./controllers/sessiondocument ./test/try

##@ Install

.PHONY: image
image: $(IMAGE_TOOL) ## Write the images of manager and emulator to bin/image, for PLATFORMS, without a container engine.
	@image() { \
		$(IMAGE_TOOL) --command "$$1" --name "$(REGISTRY)/$$2" --version $(RELEASE) --revision "$$(git rev-parse HEAD 2>/dev/null)" \
			--created $(CREATED) --platforms $(PLATFORMS) --output "bin/image/$$1" --archive "bin/image/$$1.tar"; \
	}; image manager ssm-access-operator; image aws-emulator aws-emulator

.PHONY: image-push
image-push: $(IMAGE_TOOL) ## Upload the image of the manager as IMG, with your credentials for that registry.
	@[ -n "$(IMG)" ] || { echo 'Say how to name the image: make image-push IMG=registry.example.com/ssm-access-operator:v1' >&2; exit 1; }
	@image='$(IMG)'; name="$${image%:*}"; version="$${image##*:}"; \
	$(IMAGE_TOOL) --name "$$name" --version "$$version" --created $(CREATED) --platforms $(PLATFORMS) --output bin/image/manager; \
	$(IMAGE_TOOL) --name "$$name" --version "$$version" --output bin/image/manager --upload

# Nothing of this leaves the machine.
.PHONY: release-dry-run
release-dry-run: $(IMAGE_TOOL) $(HELM_TOOLS)/helm $(KUSTOMIZE) ## Make all of a release in bin/release, without uploading or signing it.
	@RELEASE=$(RELEASE) OUT=bin/release IMAGE_TOOL="$(IMAGE_TOOL)" HELM="$(HELM_TOOLS)/helm" KUSTOMIZE="$(KUSTOMIZE)" \
		REGISTRY="$(REGISTRY)" PLATFORMS="$(PLATFORMS)" CREATED="$(CREATED)" TAG="$(TAG)" hack/release.sh

.PHONY: release-upload
release-upload: $(IMAGE_TOOL) $(HELM_TOOLS)/helm
	@RELEASE=$(RELEASE) OUT=bin/release IMAGE_TOOL="$(IMAGE_TOOL)" HELM="$(HELM_TOOLS)/helm" REGISTRY="$(REGISTRY)" hack/release-upload.sh

.PHONY: install
install: ## Install the CRDs in the current cluster.
	$(KUBECTL) apply --server-side -k config/crd

.PHONY: deploy
deploy: ## Install the CRDs and the manager in the current cluster.
	$(KUBECTL) apply --server-side -k config/default

.PHONY: undeploy
undeploy: ## Delete all objects of the operator, wait until their access is gone, then remove the manager and the CRDs.
	@KUBECTL="$(KUBECTL)" TIMEOUT="$(DELETE_TIMEOUT)" hack/undeploy.sh

$(CONTROLLER_GEN):
	$(TOOL_GO) build -C hack/tools -o $@ sigs.k8s.io/controller-tools/cmd/controller-gen

$(KUSTOMIZE):
	$(TOOL_GO) build -C hack/tools -o $@ sigs.k8s.io/kustomize/kustomize/v5

# The tests of the chart skip without them, so that a failed download fails nothing else.
.PHONY: helm-tools
helm-tools:
	@$(MAKE) $(HELM_TOOLS)/helm $(HELM_TOOLS)/helm3 $(HELM_TOOLS)/helm-unittest || \
		echo 'Helm could not be built; the tests of the chart will skip.' >&2

.PHONY: flux-tool
flux-tool:
	@$(MAKE) $(FLUX_TOOL) || echo 'The library of Flux could not be built; the tests with it will skip.' >&2

$(FLUX_TOOL):
	$(TOOL_GO) build -C hack/tools/flux -trimpath -o $@ .

$(HELM_TOOLS)/helm:
	@echo 'Building Helm, once per version; this takes a few minutes.' >&2
	$(TOOL_GO) build -C hack/tools/helm -trimpath -o $@ helm.sh/helm/v4/cmd/helm

$(HELM_TOOLS)/helm3:
	$(TOOL_GO) build -C hack/tools/helm -trimpath -o $@ helm.sh/helm/v3/cmd/helm

$(HELM_TOOLS)/helm-unittest:
	$(TOOL_GO) build -C hack/tools/helm -trimpath -o $@ github.com/helm-unittest/helm-unittest/cmd/helm-unittest

$(CRD_REF_DOCS):
	$(TOOL_GO) build -C hack/tools/crd-ref-docs -trimpath -o $@ github.com/elastic/crd-ref-docs

$(IMAGE_TOOL):
	$(TOOL_GO) build -C hack/image -trimpath -o $@ .

$(BENCHSTAT):
	$(TOOL_GO) build -C hack/tools -o $@ golang.org/x/perf/cmd/benchstat

$(GOLANGCI_LINT):
	@echo 'Building golangci-lint, once per version; this takes a few minutes.' >&2
	$(TOOL_GO) build -C hack/tools/golangci-lint -trimpath -o $@ .
