/* Loading settings while memory runs out, at each allocation in turn. */
#define _GNU_SOURCE
#include "conf_fixture.h"

#include <dlfcn.h>
#include <sys/mman.h>

#include "ban.h"

/* The malloc here fails when it is told to; the sanitizers bring their own. */
#if defined(__SANITIZE_ADDRESS__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#ifndef OWN_MALLOC
#define OWN_MALLOC 1
#endif

/* Shared with the loader's child, so that its allocations count; NULL: nothing is counted. */
static struct {
    long allocations;
    long fail_at; /* this one fails, counted from 0; -1: none */
    void *victim; /* who asked for it */
} * memory;

#if OWN_MALLOC
static bool may_allocate(void *caller)
{
    if (!memory || memory->allocations++ != memory->fail_at)
        return true;
    memory->victim = caller;
    return false;
}

/* The next allocator in line: libc's, or valgrind's. */
static void *next_symbol(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    if (!symbol)
        abort();
    return symbol;
}

void *malloc(size_t size)
{
    static void *(*next)(size_t);

    if (!next)
        *(void **)&next = next_symbol("malloc");
    return may_allocate(__builtin_return_address(0)) ? next(size) : NULL;
}

void *calloc(size_t n, size_t size)
{
    static void *(*next)(size_t, size_t);

    if (!next)
        *(void **)&next = next_symbol("calloc");
    return may_allocate(__builtin_return_address(0)) ? next(n, size) : NULL;
}

void *realloc(void *p, size_t size)
{
    static void *(*next)(void *, size_t);

    if (!next)
        *(void **)&next = next_symbol("realloc");
    return may_allocate(__builtin_return_address(0)) ? next(p, size) : NULL;
}
#endif

/* An allocation failed and the load went well: the last realloc of vasprintf, stdio's buffer. One
   of iniparser's must never pass so. */
static void expect_harmless(void *victim)
{
    Dl_info info;

    assert_non_null(victim);
    if (dladdr(victim, &info) && strstr(info.dli_fname, "iniparser"))
        fail_msg("memory was short in iniparser, and nobody saw");
}

static void test_out_of_memory(void **state _unused_)
{
    static const char text[] = "[database]\nconninfo = service=x\ndeadline = 1 h\nbatch_rows = 5\n"
                               "[reports]\ndir = /x\ncsv_bom = yes\nformats = \"csv\"\n"
                               "[rules]\nshift = 1\ngrace = 5 d\n";
    const char *sets[] = {"rules.shift=4", "reports.csv_bom=no"};
    void *shared =
        mmap(NULL, sizeof *memory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    enum err_code code = ERR_NOMEM;
    long n = 0;

    write_text(text);
    setenv("LAPSE_DATABASE_DEADLINE", "3 h", 1);
    assert_ptr_not_equal(shared, MAP_FAILED);
    memory = shared;
    for (; OWN_MALLOC && code != ERR_OK; n++) {
        _cleanup_conf_ struct conf *conf = NULL;
        _cleanup_err_ struct err err = {0};

        memory->allocations = 0;
        memory->fail_at = n;
        code = load(&conf, sets, 2, &err);
        memory->fail_at = -1;
        if (code == ERR_NOMEM) {
            assert_non_null(strstr(err.message, "out of memory"));
            continue;
        }
        if (code != ERR_OK)
            fail_msg("allocation %ld: %s", n, err.message);
        assert_int_equal(conf_seconds(conf, "database", "deadline"), 10800);
        assert_string_equal(conf_text(conf, "reports", "dir"), "/x");
        assert_int_equal(conf_seconds(conf, "rules", "grace"), 432000);
        if (memory->allocations > n) {
            expect_harmless(memory->victim);
            code = ERR_NOMEM;
        }
    }
    unsetenv("LAPSE_DATABASE_DEADLINE");
    if (!OWN_MALLOC || n < 2)
        skip();
    assert_true(n > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests_name("conf_memory", tests, fixture_setup, fixture_teardown);
}
