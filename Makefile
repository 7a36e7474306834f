# lapse: build, try, test, install. `make help` lists what there is.

VERSION    := 0.1.0
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
STATEDIR   ?= /var/lib
UNITDIR    ?= $(PREFIX)/lib/systemd/system
DESTDIR    ?=
CC         ?= cc
BUILD      ?= build
JOBS       ?= $(shell nproc 2>/dev/null || echo 2)
WERROR     ?=
SANITIZE   ?=
MAKEFLAGS  += --no-print-directory

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

# ISA-L deflates ten times as fast as zlib; not every architecture has it.
ISAL       := $(shell pkg-config --exists libisal 2>/dev/null && echo libisal)
PKGS       := libpq libcrypto libcares jansson expat minizip zlib $(ISAL)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

CFLAGS   ?= -O2 -g
CPPFLAGS += -Ilib -Ijobs -I$(BUILD) -DLAPSE_VERSION='"$(VERSION)"' -DLAPSE_SYSCONFDIR='"$(SYSCONFDIR)"' $(if $(ISAL),-DHAVE_ISAL) $(PKG_CFLAGS)
LDFLAGS  += -pie -Wl,-z,relro,-z,now $(SANITIZE)
LDLIBS   += $(PKG_LIBS) -lcsv -lxlsxwriter -liniparser -lm
LAPSE_CFLAGS := -std=gnu11 $(WARNINGS) $(HARDENING) $(SANITIZE) -MMD -MP

SQL     := $(sort $(filter-out sql/parts/% sql/demo/%,$(wildcard sql/*/*.sql)))
PARTS   := $(wildcard sql/parts/*.sql)
LIB_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard lib/*.c)) $(BUILD)/sql-embedded.o
JOB_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard jobs/*.c))
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
MEASURED := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/*.c))
FUZZ    := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

# Short lines while building; `make V=1` shows the whole commands.
Q   := $(if $(V),,@)
say  = @$(if $(V),:,echo "  $(1) $@")
# Targets that need tools first build in a second make, which sees what `make deps` has installed.
parallel = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))

all: $(BUILD)/lapse   ## build the program (build/lapse)

$(BUILD)/lapse: $(JOB_OBJ) $(LIB_OBJ)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/sql-embedded.h: sql/embed.awk $(SQL) $(PARTS) | $(BUILD)
	$(Q)awk -v what=header -f sql/embed.awk $(SQL) > $@.tmp && mv $@.tmp $@

$(BUILD)/sql-embedded.c: sql/embed.awk $(SQL) $(PARTS) | $(BUILD)
	$(Q)awk -v what=source -f sql/embed.awk $(SQL) > $@.tmp && mv $@.tmp $@

$(BUILD)/sql-embedded.o: $(BUILD)/sql-embedded.c $(BUILD)/flags
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LAPSE_CFLAGS) -Wno-overlength-strings -c -o $@ $<

$(BUILD)/%.o: %.c $(BUILD)/flags | $(BUILD)/sql-embedded.h
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LAPSE_CFLAGS) -c -o $@ $<

$(UNIT): $(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(LIB_OBJ)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

$(MEASURED): $(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(LIB_OBJ)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD):
	@mkdir -p $@

# Other flags than last time (a changed SYSCONFDIR, say) compile everything anew.
BUILT_WITH := $(CC) $(CPPFLAGS) $(CFLAGS) $(HARDENING) $(SANITIZE)
$(BUILD)/flags: force | $(BUILD)
	@printf '%s\n' '$(subst ','\'',$(BUILT_WITH))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(BUILT_WITH))' > $@

unit: $(UNIT) $(MEASURED)

deps:   ## install the Debian packages that are missing
	@tests/deps

# ---- try ----

demo: deps   ## a database with demo data, every job, the reports in build/demo/reports
	@$(MAKE) $(parallel) all
	@tests/demo run $(BUILD)

demo-fresh: deps   ## the same, with the demo data as they were at first
	@$(MAKE) $(parallel) all
	@DEMO_FRESH=1 tests/demo run $(BUILD)

demo-psql: all   ## psql in the demo's database
	@tests/demo psql $(BUILD)

demo-shell: all   ## a shell in which `lapse` works on the demo's database
	@tests/demo shell $(BUILD)

# ---- test ----

check: deps   ## all tests; some of them only: make check TESTS="tests/demo.t build/tests/test_cell"
	@$(MAKE) $(parallel) all unit
	@tests/run $(BUILD) $(TESTS)

check-unit: deps   ## the unit tests alone
	@$(MAKE) $(parallel) unit
	@tests/run $(BUILD) $(UNIT)

# The tests that kill, cut and race do so less often: here they are to show bad memory, not lost changes.
SAN_LESS := LAPSE_TEST_KILLS=5 LAPSE_TEST_STATES=60 LAPSE_TEST_KILL_ROWS=20000 LAPSE_TEST_SYSCALLS=10 LAPSE_TEST_STEP=2000 \
            LAPSE_TEST_ROUNDS=1 LAPSE_TEST_PUBLISHES=10 LAPSE_TEST_POINTS=2
check-san: deps   ## all tests with the address and undefined-behaviour sanitizers (in build/san)
	@$(SAN_LESS) ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 $(MAKE) $(parallel) BUILD=$(BUILD)/san \
	    CFLAGS="-O1 -g -Wno-format-truncation" SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer" check

TSAN := $(addprefix $(BUILD)/tsan/tests/test_,ring fanout report report_csv report_xlsx xlsx_check) tests/golden.t
check-tsan: deps   ## what has threads, with the thread sanitizer (in build/tsan)
	@TSAN_OPTIONS=halt_on_error=1 $(MAKE) $(parallel) BUILD=$(BUILD)/tsan CFLAGS="-O1 -g -Wno-format-truncation" \
	    SANITIZE="-fsanitize=thread -fno-omit-frame-pointer" TESTS="$(TSAN)" check

check-valgrind:   ## the unit tests under valgrind
	@tests/deps lint
	@$(MAKE) $(parallel) unit
	@tests/run --valgrind $(BUILD) $(filter %/test_xlsx_check,$(UNIT)) $(filter-out %/test_xlsx_check,$(UNIT)) # the longest first

coverage: deps   ## all tests, then how much of each file they reach (in build/coverage)
	@rm -rf $(BUILD)/coverage
	@status=0; $(MAKE) $(parallel) BUILD=$(BUILD)/coverage CFLAGS="-O0 -g" SANITIZE=--coverage check || status=$$?; \
	find $(BUILD)/coverage/lib $(BUILD)/coverage/jobs -name '*.gcno' -exec gcov -n -b {} + 2>/dev/null | awk -F"['%:]" ' \
	    BEGIN { printf "%-32s %8s %8s %8s\n", "file", "lines", "branches", "taken" } \
	    /^File/ { file = $$2; ours = file ~ /^(lib|jobs)\// && !seen[file]++; lines = ""; branches = taken = "-" } \
	    /^Lines/ { lines = $$2 "%" } /^Branches/ { branches = $$2 "%" } /^Taken/ { taken = $$2 "%" } \
	    /^(Calls|No calls)/ && ours { printf "%-32s %8s %8s %8s\n", file, lines, branches, taken; ours = 0 }' | \
	    { read -r head; echo "$$head"; sort; }; exit $$status

fuzz:   ## the fuzz targets, 60 s each; longer: make fuzz FUZZ_SECONDS=3600
	@tests/deps lint
	@$(MAKE) $(parallel) CC=clang BUILD=$(BUILD)/clang-fuzz CFLAGS="-O1 -g" SANITIZE="-fsanitize=fuzzer-no-link,address,undefined" fuzz-run

FUZZ_SECONDS ?= 60
fuzz-run: $(FUZZ)
	@for f in $(FUZZ); do mkdir -p $$f.corpus && $$f -max_total_time=$(FUZZ_SECONDS) $$f.corpus || exit 1; done

$(FUZZ): $(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(LIB_OBJ)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

bench: deps   ## measure speed and memory beside others; smaller: make bench BENCH="--users 10000 --night-users 10000"
	@$(MAKE) $(parallel) all unit
	@LAPSE_TEST_BUILD=$(abspath $(BUILD)) tests/bench/run $(BENCH)

bench-growth: deps   ## time and memory from 100,000 to 10 million users, with a chart; BENCH="--sizes 1000,10000"
	@$(MAKE) $(parallel) all unit
	@LAPSE_TEST_BUILD=$(abspath $(BUILD)) tests/bench/run --only growth $(BENCH)

bench-deps:   ## install what `make bench` compares with: Debian packages, and exceljs into build/bench/node
	@tests/deps bench
	@npm install --silent --no-fund --no-audit --prefix $(BUILD)/bench/node exceljs@4.4.0

bench-readme:   ## write what was measured last into README's section on speed
	@LAPSE_TEST_BUILD=$(abspath $(BUILD)) tests/bench/run --readme

sql:   ## every statement with its parts in place, for psql, in build/sql
	@for f in $(SQL); do out=$(BUILD)/$$f; mkdir -p $${out%/*}; awk -v what=psql -f sql/embed.awk $$f > $$out || exit 1; done
	@echo "statements with their parts in $(BUILD)/sql"

lint:   ## format, static checks, scripts, every SQL statement against the schema
	@tests/deps lint
	@$(MAKE) $(parallel) all
	@tests/lint $(BUILD)

format:   ## put the C files in shape
	clang-format -i $$(find lib jobs tests -name '*.[ch]')

# ---- install ----

# The files of conf/ name /usr/bin, /etc and /var/lib; these are the folders asked for.
PLACE = sed -e 's|/usr/bin/|$(PREFIX)/bin/|g' -e 's|/etc/lapse/|$(SYSCONFDIR)/lapse/|g' -e 's|/var/lib/lapse|$(STATEDIR)/lapse|g'
SHARE := $(DESTDIR)$(PREFIX)/share/lapse

INSTALLED := $(PREFIX)/bin/lapse $(PREFIX)/share/lapse/roles.sql $(PREFIX)/share/lapse/README.md \
             $(PREFIX)/share/lapse/lapse.ini.sample $(PREFIX)/share/lapse/lapse-stripe.ini $(PREFIX)/share/lapse/crontab.sample \
             $(UNITDIR)/lapse.service $(UNITDIR)/lapse.timer \
             $(PREFIX)/lib/sysusers.d/lapse.conf $(PREFIX)/lib/tmpfiles.d/lapse.conf

install: all   ## install below PREFIX (/usr/local), settings in SYSCONFDIR (/etc), all below DESTDIR
	install -d $(addprefix $(DESTDIR),$(sort $(dir $(INSTALLED))))
	install -m 0755 $(BUILD)/lapse $(DESTDIR)$(PREFIX)/bin/lapse
	install -m 0644 $(wildcard README.md sql/roles.sql) $(SHARE)/
	install -m 0644 conf/lapse.ini $(SHARE)/lapse.ini.sample
	install -m 0644 conf/lapse-stripe.ini $(SHARE)/
	$(PLACE) conf/lapse.crontab | install -m 0644 /dev/stdin $(SHARE)/crontab.sample
	$(PLACE) conf/lapse.service | install -m 0644 /dev/stdin $(DESTDIR)$(UNITDIR)/lapse.service
	$(PLACE) conf/lapse.timer | install -m 0644 /dev/stdin $(DESTDIR)$(UNITDIR)/lapse.timer
	$(PLACE) conf/lapse.sysusers | install -m 0644 /dev/stdin $(DESTDIR)$(PREFIX)/lib/sysusers.d/lapse.conf
	$(PLACE) conf/lapse.tmpfiles | install -m 0644 /dev/stdin $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/lapse.conf
	install -d $(DESTDIR)$(SYSCONFDIR)/lapse
	@# The sample with the one setting that a nightly run cannot do without.
	[ -e $(DESTDIR)$(SYSCONFDIR)/lapse/lapse.ini ] || sed 's|^#dir = /path$$|dir = $(STATEDIR)/lapse/reports|' conf/lapse.ini | \
	    install -m 0640 /dev/stdin $(DESTDIR)$(SYSCONFDIR)/lapse/lapse.ini
	@echo "next: README.md, \"On your own database\" (user and folders, settings, roles, timer or crontab)"

uninstall:   ## remove what was installed, but not the settings
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	-rmdir $(SHARE)

dist:   ## the sources of the last commit as build/lapse-VERSION.tar.gz
	@mkdir -p $(BUILD)
	git archive --prefix=lapse-$(VERSION)/ -o $(BUILD)/lapse-$(VERSION).tar.gz HEAD

clean:   ## stop private servers, remove what was built
	@for d in $(BUILD)/*/socket $(BUILD)/*/*/socket; do [ ! -f "$$d" ] || tests/pg stop "$${d%/socket}"; done
	@for d in $(BUILD)/*/pg $(BUILD)/*/*/pg; do [ ! -L "$$d" ] || rm -rf "$$(readlink "$$d")"; done
	rm -rf $(BUILD)

help:   ## this list
	@sed -n 's/^\([a-z-]*\):.*## */\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

force:
.PHONY: sql all unit deps demo demo-fresh demo-psql demo-shell check check-unit check-san check-tsan check-valgrind coverage fuzz \
        fuzz-run bench bench-growth bench-deps bench-readme lint format install uninstall dist clean help force
.SECONDARY:
-include $(LIB_OBJ:.o=.d) $(JOB_OBJ:.o=.d) $(wildcard $(BUILD)/tests/*/*.d)
