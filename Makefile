# The extension wasm.  See README.md; `make help` lists the targets.

EXTENSION = wasm
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" wasm.control)
MODULE_big = wasm
OBJS := $(patsubst %.c,%.o,$(wildcard src/*.c src/*/*.c))
OWN_HEADERS := $(wildcard src/*.h src/*/*.h)
DATA_built = sql/wasm--$(EXTVERSION).sql
EXTRA_CLEAN = sql/wasm--$(EXTVERSION).sql build

PG_CONFIG ?= pg_config

# The engine: headers and static library under WASMTIME_DIR, by default where
# tools/build-engine puts them, outside of the checkout.
WASMTIME_DIR ?= $(shell tools/build-engine --print-dir)
ENGINE_LIB = $(firstword $(wildcard $(WASMTIME_DIR)/lib/libwasmtime.a $(WASMTIME_DIR)/lib/libwasmtime.so))

PG_CPPFLAGS = -Isrc -isystem $(WASMTIME_DIR)/include -DPGW_VERSION='"$(EXTVERSION)"' \
	-DPGDLLEXPORT='__attribute__((visibility("default")))'
PG_CFLAGS = -fvisibility=hidden -flto -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -Wno-clobbered
SHLIB_LINK = -flto $(ENGINE_LIB) -l:libb2.a -lm -lpthread -ldl -lrt \
	-Wl,--exclude-libs,ALL -Wl,--gc-sections -Wl,-Bsymbolic

# C is compiled by gcc or clang alone; inlining across the server is for its own code
override with_llvm = no

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(OBJS): $(OWN_HEADERS) Makefile wasm.control

sql/wasm--$(EXTVERSION).sql: sql/wasm.sql
	cp $< $@
