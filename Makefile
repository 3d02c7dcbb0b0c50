# The extension wasm.  `make demo` and `make test` do all that they need; see
# README.md for the other targets.

EXTENSION = wasm
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" wasm.control)
MODULE_big = wasm
HELPER = wasm-compile
PROGRAMS = src/engine/$(HELPER).c src/engine/make-trap.c
OBJS := $(patsubst %.c,%.o,$(filter-out $(PROGRAMS),$(wildcard src/*.c src/*/*.c)))
OWN_HEADERS := $(wildcard src/*.h src/*/*.h)
DATA_built = sql/wasm--$(EXTVERSION).sql
EXTRA_CLEAN = sql/wasm--$(EXTVERSION).sql $(HELPER) build

PG_CONFIG ?= pg_config

# pg_regress, for `make installcheck` against a running server
REGRESS = $(sort $(basename $(notdir $(wildcard test/sql/*.sql))))
REGRESS_OPTS = --inputdir=test --outputdir=build/installcheck --load-extension=wasm

# The engine: include/ and lib/libwasmtime.a or .so; by default where
# tools/build-engine puts them, outside of the checkout.  Backends link the
# library that only runs modules, where there is one.
ifndef WASMTIME_DIR
WASMTIME_DIR := $(shell tools/build-engine --print-dir)
ENGINE_LIB = $(WASMTIME_DIR)/lib/libwasmtime.a
RUNTIME_LIB = $(WASMTIME_DIR)/lib/libwasmtime-runtime.a
ENGINE_KEY := $(patsubst engine-%,%,$(notdir $(WASMTIME_DIR)))
else
ENGINE_LIB = $(firstword $(wildcard $(WASMTIME_DIR)/lib/libwasmtime.a $(WASMTIME_DIR)/lib/libwasmtime.so))
RUNTIME_LIB = $(firstword $(wildcard $(WASMTIME_DIR)/lib/libwasmtime-runtime.a) $(ENGINE_LIB))
ifeq ($(suffix $(ENGINE_LIB)),.so)
SHLIB_LINK += -Wl,-rpath,$(WASMTIME_DIR)/lib
HELPER_LINK += -Wl,-rpath,$(WASMTIME_DIR)/lib
endif
ENGINE_KEY := $(shell sha256sum $(ENGINE_LIB) | cut -c1-16)
endif

PG_CPPFLAGS = -Isrc -I. -isystem $(WASMTIME_DIR)/include -DPGW_VERSION='"$(EXTVERSION)"' \
	-DPGW_ENGINE_KEY='"$(ENGINE_KEY)"' \
	-DPGDLLEXPORT='__attribute__((visibility("default")))'
PG_CFLAGS = -fvisibility=hidden -flto -fno-plt \
	-Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -Wno-clobbered
# the engine must not meet another copy of itself: hide it
SHLIB_LINK += -flto $(RUNTIME_LIB) -l:libb2.a -lm -lpthread -ldl -lrt \
	-Wl,--exclude-libs,ALL -Wl,--gc-sections -Wl,-Bsymbolic

# bitcode for the server's JIT would be of no use: the engine is not C
override with_llvm = no

# What needs no server to be configured comes before PGXS is asked for.
ifneq ($(filter demo test test-cassert torture spec-suite fuzz guests bench setup,$(MAKECMDGOALS)),)
.PHONY: demo test test-cassert torture spec-suite fuzz guests bench setup

# In a second make, since set-up may only now install pg_config and PGXS.
demo: setup
	@$(MAKE) --no-print-directory all
	@tools/demo

test:
	@tools/setup --test --just
	@$(MAKE) --no-print-directory all late-signal interrupts
	@tools/run-tests

test-cassert:
	@tools/setup --test --cassert
	@tools/test-cassert

# All that was ever done to break the extension, in full; within an hour.  The
# figures are gathered for doc/reliability.md.
torture:
	@tools/setup --test --cassert
	@$(MAKE) --no-print-directory all interrupts
	@mkdir -p build && rm -f build/figures
	@tools/spec-suite
	@tools/fuzz
	@PGW_FIGURES=build/figures tools/run-tests --full torture
	@tools/test-cassert valgrind

# The specification's own test suite, through SQL
spec-suite:
	@tools/setup --test
	@$(MAKE) --no-print-directory all
	@tools/spec-suite

# Random modules; tools/fuzz takes their number and a seed.
fuzz:
	@tools/setup --test
	@tools/fuzz

# The examples in other languages, into build/guests; doc/guests says more.
guests:
	@tools/setup --test
	@tools/build-guests

# Against every other language, within half an hour; bench/run takes sections.
bench:
	@tools/setup --bench
	@$(MAKE) --no-print-directory all
	@bench/run

setup:
	@tools/setup

else

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# `sudo make install` installs what has been built, and builds nothing.
ifeq ($(and $(SUDO_USER),$(filter install,$(MAKECMDGOALS))),)
$(OBJS): $(OWN_HEADERS) Makefile wasm.control | $(ENGINE_LIB)
wasm.so: | $(ENGINE_LIB)
ifeq ($(origin WASMTIME_DIR),file)
$(ENGINE_LIB):
	@tools/build-engine
endif
else ifeq ($(wildcard wasm.so),)
$(error nothing is built yet: run make first, without sudo)
endif

# The program that compiles modules, outside of PostgreSQL.  Without relocations
# it starts faster.
LINK_PROGRAM = $(CC) -O2 $(PG_CFLAGS) $(PG_CPPFLAGS) -fno-pie -no-pie -o $@ $(filter %.c,$^) \
	$(ENGINE_LIB) $(HELPER_LINK) -lm -lpthread -ldl -lrt -Wl,--gc-sections

all: $(HELPER)
$(HELPER): src/engine/$(HELPER).c src/engine/config.c src/engine/layout.c $(OWN_HEADERS) Makefile | $(ENGINE_LIB)
	$(LINK_PROGRAM)

# The module that stops guests, compiled
build/make-trap: src/engine/make-trap.c src/engine/config.c $(OWN_HEADERS) Makefile | $(ENGINE_LIB)
	@mkdir -p $(@D)
	$(LINK_PROGRAM)
build/trap-artifact.h: build/make-trap
	$< >$@.new
	mv $@.new $@
src/engine/redirect.o: build/trap-artifact.h

install: install-helper
install-helper: $(HELPER)
	$(MKDIR_P) '$(DESTDIR)$(pkglibdir)'
	$(INSTALL_PROGRAM) $(HELPER) '$(DESTDIR)$(pkglibdir)/'
uninstall: uninstall-helper
uninstall-helper:
	rm -f '$(DESTDIR)$(pkglibdir)/$(HELPER)'
.PHONY: install-helper uninstall-helper

sql/wasm--$(EXTVERSION).sql: sql/wasm.sql wasm.control
	cp $< $@

# The library with an interrupt.c that raises a signal where it could be lost;
# a test replaces the ordinary one by it.
.PHONY: late-signal
late-signal: build/late-signal/wasm.so
build/late-signal/wasm.so: $(OBJS)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(CFLAGS_SL) $(CPPFLAGS) -DPGW_TEST_LATE_SIGNAL -c -o $(@D)/interrupt.o src/engine/interrupt.c
	@$(CC) $(CFLAGS) $(filter-out src/engine/interrupt.o,$(OBJS)) $(@D)/interrupt.o \
		$(LDFLAGS) $(LDFLAGS_SL) -shared -o $@ $(SHLIB_LINK)

# Functions by which a test interrupts its own session
.PHONY: interrupts
interrupts: build/interrupts/interrupts.so
build/interrupts/interrupts.so: test/torture/interrupts.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(CFLAGS_SL) $(CPPFLAGS) -shared -o $@ $< -lrt

# pg_regress makes its output folder, but not the one above it
installcheck: | build
build:
	@mkdir -p $@

.PHONY: shell start stop
start:
	@tools/scratch start
shell: start
	@tools/scratch psql
stop:
	@tools/scratch stop

endif
