# postgrest_ext: built with PGXS. `make`, `make install`, `make demo`, `make check`, `make bench`.

EXTENSION = postgrest_ext
MODULE_big = postgrest_ext
DATA = $(wildcard sql/postgrest_ext--*.sql)
DOCS = $(wildcard doc/*.md)

CORE_SRCS = $(wildcard src/core/*.cpp src/auth/*.cpp src/api_request/*.cpp src/schema_cache/*.cpp \
	src/plan/*.cpp src/query/*.cpp src/response/*.cpp src/app/*.cpp)
SHELL_SRCS = $(wildcard src/http/*.cpp src/pg/*.cpp)
OBJS = $(patsubst %.cpp,%.o,$(CORE_SRCS) $(SHELL_SRCS))

# The page of the admin server: each file as a C++ string literal, to be included.
DOCS_PAGE = $(wildcard $(addprefix src/app/docs/*.,html css js svg))
DOCS_LITERALS = $(DOCS_PAGE:%=%.inc)

# PGXS looks at once whether there is any.
EXTRA_CLEAN = $(OBJS:.o=.d) $(DOCS_LITERALS) build

REGRESS = $(patsubst sql/%.sql,%,$(filter-out $(DATA),$(wildcard sql/*.sql)))

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)

# PGXS makes bitcode for C only.
override with_llvm := no

include test/targets.mk

src/app/docs_files.o: | $(DOCS_LITERALS)
$(DOCS_LITERALS): %.inc: %
	@{ printf 'R"docs('; cat $<; printf ')docs"\n'; } >$@

include $(PGXS)

# PGXS knows C; these make it build and link C++.
override COMPILER = $(CXX) $(CXXFLAGS)
override CXXFLAGS := $(filter-out -Werror=%,$(CXXFLAGS)) -std=c++20 -O2 -Wall -Wextra -Wno-register \
	-fvisibility=hidden -fvisibility-inlines-hidden -fPIC -MMD -MP
override CPPFLAGS := -Isrc $(patsubst -I%,-isystem %,$(filter-out -I. -I./,$(CPPFLAGS))) \
	'-DPGDLLEXPORT=__attribute__((visibility("default")))'
SHLIB_LINK += -lmicrohttpd -lgnutls -lsimdjson -lcrypto -lstdc++

-include $(OBJS:.o=.d)
