# lapse: build, try, test, install. `make help` lists what there is.

VERSION    := 0.1.0
PREFIX     ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
DESTDIR    ?=
CC         ?= cc
BUILD      ?= build
WERROR     ?=
SANITIZE   ?=

# Each warning catches something that a program trusted with other people's accounts must not do.
WARNINGS := -Wall -Wextra $(WERROR)
WARNINGS += -Wshadow                                  # a second thing under a known name
WARNINGS += -Wstrict-prototypes -Wmissing-prototypes  # public functions are declared once, in a header
WARNINGS += -Wcast-qual -Wwrite-strings               # const means const
WARNINGS += -Wformat=2                                # no format string from data
WARNINGS += -Wvla                                     # a bounded stack
WARNINGS += -Wconversion -Wno-sign-conversion         # no number is cut silently
WARNINGS += -Wundef -Wpointer-arith                   # no macro or pointer by accident
WARNINGS += -Wdouble-promotion -Wimplicit-fallthrough # nothing implicit
HARDENING := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)

PKGS     := libpq libcrypto jansson expat minizip zlib
CFLAGS   ?= -O2 -g
CPPFLAGS += -Ilib -Ijobs -I$(BUILD) -DLAPSE_VERSION='"$(VERSION)"' -DLAPSE_SYSCONFDIR='"$(SYSCONFDIR)"' \
            $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LAPSE_CFLAGS := -std=gnu11 $(WARNINGS) $(HARDENING) $(SANITIZE) -MMD -MP
LDFLAGS  += -pie -Wl,-z,relro,-z,now $(SANITIZE)
LDLIBS   += $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lcsv -lxlsxwriter -liniparser

SQL      := $(sort $(filter-out sql/parts/% sql/demo/%,$(wildcard sql/*/*.sql)))
PARTS    := $(wildcard sql/parts/*.sql)
LIB_SRC  := $(wildcard lib/*.c)
JOB_SRC  := $(wildcard jobs/*.c)
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o) $(BUILD)/sql-embedded.o
JOB_OBJ  := $(JOB_SRC:%.c=$(BUILD)/%.o)
UNIT     := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))

all: $(BUILD)/lapse   ## build the program

$(BUILD)/lapse: $(JOB_OBJ) $(LIB_OBJ)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/sql-embedded.h: sql/embed.awk $(SQL) $(PARTS) | $(BUILD)
	awk -v what=header -f sql/embed.awk $(SQL) > $@.tmp && mv $@.tmp $@

$(BUILD)/sql-embedded.c: sql/embed.awk $(SQL) $(PARTS) | $(BUILD)
	awk -v what=source -f sql/embed.awk $(SQL) > $@.tmp && mv $@.tmp $@

$(BUILD)/sql-embedded.o: $(BUILD)/sql-embedded.c
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LAPSE_CFLAGS) -Wno-overlength-strings -c -o $@ $<

$(BUILD)/%.o: %.c | $(BUILD)/sql-embedded.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LAPSE_CFLAGS) -c -o $@ $<

$(BUILD)/tests/%: tests/unit/%.c $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LAPSE_CFLAGS) $(LDFLAGS) -o $@ $< $(LIB_OBJ) $(LDLIBS) -lcmocka

$(BUILD):
	mkdir -p $@

check-unit: $(UNIT)   ## the unit tests alone
	@for t in $(UNIT); do $$t || exit 1; done

format:   ## put the C files in shape
	clang-format -i lib/*.[ch] jobs/*.[ch] tests/unit/*.[ch]

clean:   ## remove what was built
	rm -rf $(BUILD)

help:   ## this list
	@sed -n 's/^\([a-z-]*\):.*## */\1\t/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: all check-unit format clean help
-include $(LIB_OBJ:.o=.d) $(JOB_OBJ:.o=.d)
