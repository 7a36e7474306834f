/* TXT records: which names can be asked, which servers are some, what becomes of bytes; and asking
   where nobody answers. Answers of a server are shown in tests/rules/domains.t. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns.h"

#define L10 "abcdefghij"
#define L60 L10 L10 L10 L10 L10 L10

static void test_names(_unused_ void **state)
{
    static const char *const good[] = {"a",         "a.b",     "example.com", "EXAMPLE.com.",
                                       "_x.a-b.c9", "1.2.3.4", L60 "abc.d",   "-"};
    static const char *const bad[] = {"",    ".",    "..",   ".a",         "a..b",  "a..",
                                      "a b", "a\\b", "a\n",  "m\xC3\xBCn", "a/b",   "*.a",
                                      "a:b", "a,b",  "\x7F", L60 "abcd.d", "a\"b.c"};
    char name[260];

    for (size_t i = 0; i < COUNT(good); i++)
        if (!dns_can_ask(good[i]))
            fail_msg("\"%s\" can be asked", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (dns_can_ask(bad[i]))
            fail_msg("\"%s\" cannot be asked", bad[i]);
    for (size_t len = 250; len < 256; len++) {
        memset(name, 'x', sizeof name);
        for (size_t i = 50; i < len; i += 50)
            name[i] = '.';
        name[len - 1] = 'x';
        name[len] = '\0';
        assert_int_equal(dns_can_ask(name), len <= 253);
        name[len] = '.';
        name[len + 1] = '\0';
        assert_int_equal(dns_can_ask(name), len <= 253);
    }
}

static void test_servers(_unused_ void **state)
{
    static const char *const good[] = {
        "",          "1.2.3.4",           "1.2.3.4:1",         "::1", "[::1]", "[::1]:65535",
        "fe80::1:2", "1.2.3.4, [::1]:53", " 1.2.3.4 ,1.2.3.5 "};
    static const char *const bad[] = {
        " ",
        ",",
        "1.2.3.4,",
        ",1.2.3.4",
        "1.2.3",
        "1.2.3.4:",
        "1.2.3.4:0",
        "1.2.3.4:65536",
        "1.2.3.4:+5",
        "1.2.3.4:5 3",
        "name",
        "name:53",
        "[::1",
        "[::1]53",
        "[::1]:",
        "[]",
        "[]:53",
        "::1:99999",
        "1.2.3.4 1.2.3.5",
        "1,2,3,4,5,6,7,8,9",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:53"};

    assert_true(dns_servers_good(NULL));
    for (size_t i = 0; i < COUNT(good); i++)
        if (!dns_servers_good(good[i]))
            fail_msg("\"%s\" is a list", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (dns_servers_good(bad[i]))
            fail_msg("\"%s\" is no list", bad[i]);
}

#define MARK "\xEF\xBF\xBD"

static void test_texts(_unused_ void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *text;
    } cases[] = {
        {"", 0, ""},
        {"plain", 5, "plain"},
        {"a\0b", 3, "a" MARK "b"},
        {"\0", 1, MARK},
        {"\xC3\xBC\xF0\x9F\x8C\xB1", 6, "\xC3\xBC\xF0\x9F\x8C\xB1"},
        {"\xFFx\xC3", 3, MARK "x" MARK},
        {"\xC0\x80", 2, MARK MARK},                                  /* NUL in two bytes */
        {"\xED\xA0\x80", 3, MARK MARK MARK},                         /* a surrogate */
        {"\xF4\x90\x80\x80", 4, MARK MARK MARK MARK},                /* beyond the last character */
        {"\xEF\xBF\xBF\xEF\xBB\xBF", 6, "\xEF\xBF\xBF\xEF\xBB\xBF"}, /* PostgreSQL takes them */
        {"\t\n\x01", 3, "\t\n\x01"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        _cleanup_free_ char *text = dns_clean_text(cases[i].bytes, cases[i].len);

        assert_non_null(text);
        assert_string_equal(text, cases[i].text);
    }
}

/* A UDP socket on loopback that takes everything and says nothing. */
static int silent_server(char ret[static 32])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    snprintf(ret, 32, "127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

static void count_told(void *context, size_t done)
{
    *(size_t *)context = done;
}

/* Nine questions, four at once: each has its time, and all of it together three times that. */
static void test_silence(_unused_ void **state)
{
    char servers[32];
    _cleanup_close_ _unused_ int fd = silent_server(servers);
    struct dns_options options = {.servers = servers, .timeout_ms = 200, .tries = 2, .parallel = 4};
    struct dns_question questions[10] = {{.name = "no name"}};
    struct deadline deadline = deadline_in(60);
    _cleanup_err_ struct err err = {0};
    _cleanup_dns_ struct dns *dns = NULL;
    int64_t begun, took_ms;
    size_t told = 0;

    for (size_t i = 1; i < COUNT(questions); i++)
        questions[i].name = "x.example";
    assert_int_equal(dns_open(&dns, &options, &err), ERR_OK);
    begun = monotonic_ns();
    assert_int_equal(
        dns_ask_txt(dns, questions, COUNT(questions), &deadline, count_told, &told, &err), ERR_OK);
    took_ms = (monotonic_ns() - begun) / 1000000;
    assert_int_equal(questions[0].outcome, DNS_NO_DATA);
    for (size_t i = 1; i < COUNT(questions); i++)
        assert_int_equal(questions[i].outcome, DNS_TIMEOUT);
    assert_int_equal(told, COUNT(questions));
    assert_in_range((uintmax_t)took_ms, 550, 2000);
    dns_questions_done(questions, COUNT(questions));
}

static void test_nobody_listens(_unused_ void **state)
{
    char servers[32];
    struct dns_options options = {
        .servers = servers, .timeout_ms = 5000, .tries = 2, .parallel = 1000000};
    struct dns_question question = {.name = "x.example"};
    struct deadline deadline = deadline_in(60);
    _cleanup_err_ struct err err = {0};
    _cleanup_dns_ struct dns *dns = NULL;
    int64_t begun = monotonic_ns();

    close(silent_server(servers));
    assert_int_equal(dns_open(&dns, &options, &err), ERR_OK);
    assert_int_equal(dns_ask_txt(dns, &question, 1, &deadline, NULL, NULL, &err), ERR_OK);
    assert_int_equal(question.outcome, DNS_SERVFAIL);
    assert_in_range((uintmax_t)((monotonic_ns() - begun) / 1000000), 0, 1000);
    assert_int_equal(dns_ask_txt(dns, NULL, 0, &deadline, NULL, NULL, &err), ERR_OK);
}

static void test_deadline(_unused_ void **state)
{
    char servers[32];
    _cleanup_close_ _unused_ int fd = silent_server(servers);
    struct dns_options options = {
        .servers = servers, .timeout_ms = 60000, .tries = 10, .parallel = 3};
    struct dns_question questions[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}};
    struct deadline deadline = deadline_in(1);
    _cleanup_err_ struct err err = {0};
    _cleanup_dns_ struct dns *dns = NULL;
    int64_t begun = monotonic_ns();

    assert_int_equal(dns_open(&dns, &options, &err), ERR_OK);
    assert_int_equal(dns_ask_txt(dns, questions, COUNT(questions), &deadline, NULL, NULL, &err),
                     ERR_TEMP);
    assert_in_range((uintmax_t)((monotonic_ns() - begun) / 1000000), 900, 1900);
}

static void test_bad_servers(_unused_ void **state)
{
    struct dns_options options = {.servers = "name", .timeout_ms = 1000, .tries = 2, .parallel = 1};
    _cleanup_err_ struct err err = {0};
    _cleanup_dns_ struct dns *dns = NULL;

    assert_int_equal(dns_open(&dns, &options, &err), ERR_CONFIG);
    assert_null(dns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),       cmocka_unit_test(test_servers),
        cmocka_unit_test(test_texts),       cmocka_unit_test(test_silence),
        cmocka_unit_test(test_deadline),    cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_bad_servers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
