# The test targets. Included before PGXS, whose own `check` only says that there is none.
#
#   make check          every tier, and one line of counts at the end (test/tools/check.sh)
#   make unit           GoogleTest under ASan and UBSan, no server     UNIT_ARGS=--gtest_filter=...
#   make regress        pg_regress on a temporary instance             REGRESS='a b'
#   make e2e            prove over real sockets                        E2E_TESTS=test/t/010_x.pl
#   make nightly        what takes hours: each allocation fails once, requests by the ten thousand
#   make bench          the read path against pgbench                  BENCH_ARGS='--seconds 10'
#   make soak           ten minutes of mixed load and disturbances      SOAK_ARGS="--minutes 1"
#   make bench-planner    the planner and the schema cache alone
#   make bench-amplification   what one request can cost             AMPLIFICATION_ARGS='--only JSON'
#   make fuzz           libFuzzer over the kept corpus                 FUZZ_SECONDS=600 FUZZ_TARGETS=jwt
#   make format         make format-check
#   make tidy           clang-tidy over the files that know no PostgreSQL
#   make WERROR=1       builds the extension with warnings as errors
#
# regress and e2e test the installed extension.

.DEFAULT_GOAL := all

CLANGXX ?= clang++
# Every version of these two has its own opinion: the one of Debian 12 decides, others are not asked.
FORM_VERSION := 14
CLANG_FORMAT ?= $(or $(shell command -v clang-format-$(FORM_VERSION)),clang-format)
CLANG_TIDY ?= $(or $(shell command -v clang-tidy-$(FORM_VERSION)),clang-tidy)

ifdef WERROR
PG_CXXFLAGS += -Werror
endif

.PHONY: nightly bench soak bench-planner bench-amplification run-check unit unit-build regress e2e fuzz fuzz-build format format-check tidy tidy-files demo

# PGXS gives `check` a recipe of two lines of regret; a shell that does nothing runs it.
check: run-check
check: private SHELL := true
run-check:
	@test/tools/check.sh

demo:
	@test/demo/demo.sh

# On an installed extension; ratios within one run are what counts (test/bench/bench.py --help).
bench:
	@test/tools/install-deps.sh bench
	@PG_CONFIG='$(PG_CONFIG)' python3 test/bench/bench.py $(BENCH_ARGS)

# Every answer is checked; the exit status tells (test/bench/soak.py --help).
soak:
	@test/tools/install-deps.sh bench
	@PG_CONFIG='$(PG_CONFIG)' python3 test/bench/soak.py $(SOAK_ARGS)

# Every kind of request against a new gateway and a new executor (test/bench/amplification.py --help).
bench-amplification:
	@test/tools/install-deps.sh bench
	@PG_CONFIG='$(PG_CONFIG)' python3 test/bench/amplification.py $(AMPLIFICATION_ARGS)

# What is tested without a server: the core, and the one file of src/pg that is free of PostgreSQL.
PURE_SRCS := $(CORE_SRCS) src/pg/protocol.cpp
UNIT_TESTS := $(wildcard test/unit/*_test.cpp)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
PURE_FLAGS := -std=c++20 -g1 -Wall -Wextra -Werror -Isrc -Itest -Itest/unit -MMD -MP

# The planner and the schema cache alone.
PLANNER_BENCH := build/bench/planner
bench-planner: $(PLANNER_BENCH)
	@$(PLANNER_BENCH)

$(PLANNER_BENCH): test/bench/planner.cpp $(PURE_SRCS)
	@mkdir -p $(@D)
	$(CXX) $(PURE_FLAGS) -O2 -o $@ $^ -lsimdjson -lcrypto

# Whoever compiles this file needs the page first; what changes later is in the .d files.
build/unit/src/app/docs_files.o build/fuzz/src/app/docs_files.o build/tidy/src/app/docs_files.ok \
	$(PLANNER_BENCH): | $(DOCS_LITERALS)

# -- unit -----------------------------------------------------------------------------------------

UNIT_DIR := build/unit
UNIT_FLAGS := $(PURE_FLAGS) $(SANITIZE)
UNIT_CORE_OBJS := $(PURE_SRCS:%.cpp=$(UNIT_DIR)/%.o)
UNIT_TEST_OBJS := $(UNIT_TESTS:%.cpp=$(UNIT_DIR)/%.o)
UNIT_ARGS ?= --gtest_brief=1

unit: unit-build
	@$(UNIT_DIR)/run $(UNIT_ARGS)

unit-build: $(UNIT_DIR)/run

$(UNIT_DIR)/run: $(UNIT_CORE_OBJS) $(UNIT_TEST_OBJS)
	$(CXX) $(SANITIZE) -o $@ $^ -lgmock -lgtest -lgtest_main -lsimdjson -lcrypto -lpthread

$(UNIT_CORE_OBJS): $(UNIT_DIR)/%.o: %.cpp test/targets.mk
	@mkdir -p $(@D)
	$(CXX) $(UNIT_FLAGS) -O1 -c -o $@ $<

# Optimizing tests costs more time than their running.
$(UNIT_TEST_OBJS): $(UNIT_DIR)/%.o: %.cpp test/targets.mk
	@mkdir -p $(@D)
	$(CXX) $(UNIT_FLAGS) -O0 -c -o $@ $<

-include $(UNIT_CORE_OBJS:.o=.d) $(UNIT_TEST_OBJS:.o=.d)

# -- fuzz -----------------------------------------------------------------------------------------

FUZZ_DIR := build/fuzz
FUZZ_FLAGS := $(PURE_FLAGS) $(SANITIZE) -O1
FUZZ_TARGETS ?= $(patsubst test/fuzz/%_fuzz.cpp,%,$(wildcard test/fuzz/*_fuzz.cpp))
FUZZ_CORE_OBJS := $(PURE_SRCS:%.cpp=$(FUZZ_DIR)/%.o)
FUZZ_RUNNERS := $(FUZZ_TARGETS:%=$(FUZZ_DIR)/%_fuzz)
FUZZ_SECONDS ?= 60

fuzz: fuzz-build
	@test/tools/fuzz.sh $(FUZZ_DIR) $(FUZZ_SECONDS) $(FUZZ_TARGETS)

fuzz-build: $(FUZZ_RUNNERS)

$(FUZZ_RUNNERS): $(FUZZ_DIR)/%_fuzz: $(FUZZ_DIR)/test/fuzz/%_fuzz.o $(FUZZ_CORE_OBJS)
	$(CLANGXX) $(SANITIZE) -fsanitize=fuzzer -o $@ $^ -lsimdjson -lcrypto

$(FUZZ_CORE_OBJS) $(FUZZ_TARGETS:%=$(FUZZ_DIR)/test/fuzz/%_fuzz.o): \
		$(FUZZ_DIR)/%.o: %.cpp test/targets.mk
	@mkdir -p $(@D)
	$(CLANGXX) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

.PRECIOUS: $(FUZZ_DIR)/test/fuzz/%_fuzz.o

-include $(FUZZ_CORE_OBJS:.o=.d) $(FUZZ_TARGETS:%=$(FUZZ_DIR)/test/fuzz/%_fuzz.d)

# -- regress and end to end -----------------------------------------------------------------------

# The row writer as a module of its own, so that pg_regress can hold it against json_agg.
JSON_WRITER_TEST := build/json_writer_test.so
$(JSON_WRITER_TEST): test/fixtures/json_writer/json_writer_test.cpp src/pg/json_writer.cpp \
		src/pg/embed_columns.cpp \
		$(wildcard src/pg/*.hpp)
	@mkdir -p $(@D)
	$(CXX) -std=c++20 -O2 -fPIC -shared -Wall -Wextra -Werror -Wno-register -fno-strict-aliasing -fwrapv \
	  -D_GNU_SOURCE -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server) -o $@ \
	  $(filter %.cpp,$^)

regress: $(JSON_WRITER_TEST)
	@PG_CONFIG='$(PG_CONFIG)' test/tools/regress.sh $(REGRESS)

E2E_TESTS ?= $(sort $(wildcard test/t/*.pl))
e2e:
	@PG_CONFIG='$(PG_CONFIG)' test/tools/e2e.sh $(E2E_TESTS)

# With counts of its own; PGRST_TEST_STEP=7 tries only each seventh allocation.
nightly:
	@PG_CONFIG='$(PG_CONFIG)' PGRST_TEST_ROUNDS=$${PGRST_TEST_ROUNDS:-50000} \
	  test/tools/e2e.sh test/t/083_growth.pl $(sort $(wildcard test/nightly/*.pl))

# -- form -----------------------------------------------------------------------------------------

CXX_FILES = $(shell find src test -name '*.hpp' -o -name '*.cpp')

format:
	$(CLANG_FORMAT) -i $(CXX_FILES)

format-check:
	@if $(CLANG_FORMAT) --version | grep -q 'version $(FORM_VERSION)\.'; then \
	  $(CLANG_FORMAT) --dry-run --Werror $(CXX_FILES); \
	else echo "skipped: clang-format $(FORM_VERSION) is not here"; fi

TIDY_STAMPS := $(PURE_SRCS:%.cpp=build/tidy/%.ok)
tidy:
	@if $(CLANG_TIDY) --version | grep -q 'version $(FORM_VERSION)\.'; then \
	  $(MAKE) --no-print-directory tidy-files; \
	else echo "skipped: clang-tidy $(FORM_VERSION) is not here"; fi
tidy-files: $(TIDY_STAMPS)

$(TIDY_STAMPS): build/tidy/%.ok: %.cpp .clang-tidy test/targets.mk
	@mkdir -p $(@D)
	$(CLANG_TIDY) --quiet $< -- -std=c++20 -Isrc
	@$(CLANGXX) -std=c++20 -Isrc -MM -MP -MT $@ -MF $(@:.ok=.d) $<
	@touch $@

-include $(TIDY_STAMPS:.ok=.d)
