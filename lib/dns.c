/* TXT records with c-ares: see dns.h.
 *
 * Each question that is under way has a slot with an ares channel: a channel can only be cancelled
 * as a whole, and so a question can be ended alone when its time is over. */
#define _GNU_SOURCE
#define CARES_NO_DEPRECATED /* newer versions have other names for some of these */
#include "dns.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cell.h"

#include "ban.h"

enum {
    SERVERS_MAX = 8,
    NAME_MAX_BYTES = 253,
    LABEL_MAX_BYTES = 63,
    EDNS_BYTES = 1232, /* a datagram that no link cuts into pieces */
    OTHER_FILES = 64,  /* what the rest of the process may need */
};

#define NS_PER_MS INT64_C(1000000)

struct slot {
    struct dns *dns;
    ares_channel channel;          /* NULL: not opened yet */
    struct dns_question *question; /* NULL: free */
    int64_t end_ns;                /* CLOCK_MONOTONIC */
    struct pollfd *fds;            /* n_fds of dns->fds, in this round */
    int n_fds;
};

struct dns {
    struct slot *slots;
    size_t n_slots;
    struct pollfd *fds; /* ARES_GETSOCK_MAXNUM for each slot */
    struct ares_addr_port_node servers[SERVERS_MAX];
    size_t n_servers; /* 0: the system's */
    int64_t timeout_ms;
    int tries, try_ms;
    size_t done, busy;
    bool no_memory;
};

const char *dns_outcome_name(enum dns_outcome outcome)
{
    switch (outcome) {
    case DNS_NO_DATA:
        return "no_data";
    case DNS_ANSWERED:
        return "answered";
    case DNS_NXDOMAIN:
        return "nxdomain";
    case DNS_SERVFAIL:
        return "servfail";
    case DNS_TIMEOUT:
        return "timeout";
    }
    return "?";
}

bool dns_can_ask(const char *name)
{
    size_t len = strlen(name), label = 0;

    if (len > 0 && name[len - 1] == '.')
        len--;
    if (len == 0 || len > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_';

        if (c == '.' && label == 0)
            return false;
        label = c == '.' ? 0 : label + 1;
        if ((c != '.' && !good) || label > LABEL_MAX_BYTES)
            return false;
    }
    return label > 0;
}

char *dns_clean_text(const char *bytes, size_t len)
{
    _cleanup_sb_ struct strbuf text = {0};
    size_t at = 0;

    while (at < len) {
        uint32_t code;
        size_t n = utf8_decode(bytes + at, len - at, &code);

        if (code == UINT32_MAX || code == 0)
            sb_adds(&text, "\xEF\xBF\xBD");
        else
            sb_add(&text, bytes + at, n);
        at += n;
    }
    if (text.len == 0)
        return strdup("");
    return text.failed ? NULL : TAKE_PTR(text.text);
}

/* ---- servers ---- */

/* One of the list: address, address:port, [address]:port. */
static bool parse_server(const char *text, struct ares_addr_port_node *ret)
{
    char address[INET6_ADDRSTRLEN];
    const char *end = text + strlen(text), *port = NULL;
    int64_t number = NAMESERVER_PORT;

    if (*text == '[') {
        text++;
        end = strchr(text, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return false;
        port = end[1] ? end + 2 : NULL;
    } else if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':')) {
        end = strchr(text, ':');
        port = end + 1;
    }
    if ((size_t)(end - text) >= sizeof address || (port && !parse_int64(port, 1, 65535, &number)))
        return false;
    snprintf(address, sizeof address, "%.*s", (int)(end - text), text);
    ret->udp_port = ret->tcp_port = (int)number;
    ret->family = AF_INET;
    if (inet_pton(AF_INET, address, &ret->addr.addr4) == 1)
        return true;
    ret->family = AF_INET6;
    return inet_pton(AF_INET6, address, &ret->addr.addr6) == 1;
}

/* The list into `servers`, linked; false where it is none. */
static bool parse_servers(const char *text, struct ares_addr_port_node *servers, size_t *ret_n)
{
    size_t n = 0;

    for (const char *at = text; at; n++) {
        const char *comma = strchr(at, ','), *end = comma ? comma : at + strlen(at);
        char one[64];

        while (*at == ' ')
            at++;
        while (end > at && end[-1] == ' ')
            end--;
        if (n == SERVERS_MAX || (size_t)(end - at) >= sizeof one)
            return false;
        snprintf(one, sizeof one, "%.*s", (int)(end - at), at);
        servers[n] = (struct ares_addr_port_node){0};
        if (!parse_server(one, &servers[n]))
            return false;
        if (n > 0)
            servers[n - 1].next = &servers[n];
        at = comma ? comma + 1 : NULL;
    }
    *ret_n = n;
    return true;
}

bool dns_servers_good(const char *servers)
{
    struct ares_addr_port_node list[SERVERS_MAX];
    size_t n;

    return !servers || !*servers || parse_servers(servers, list, &n);
}

/* ---- channels ---- */

static enum err_code fail_of_ares(int status, struct err *err)
{
    if (status == ARES_ENOMEM)
        return err_nomem(err);
    return err_set(err, ERR_INTERNAL, "the resolver could not be set up: %s",
                   ares_strerror(status));
}

static enum err_code open_channel(struct dns *dns, ares_channel *ret, struct err *err)
{
    struct ares_options options = {.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_EDNS,
                                   .timeout = dns->try_ms,
                                   .tries = dns->tries,
                                   .ednspsz = EDNS_BYTES};
    int status = ares_init_options(
        ret, &options, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ);

    if (status == ARES_SUCCESS && dns->n_servers) {
        status = ares_set_servers_ports(*ret, dns->servers);
        if (status != ARES_SUCCESS)
            ares_destroy(TAKE_PTR(*ret));
    }
    return status == ARES_SUCCESS ? ERR_OK : fail_of_ares(status, err);
}

/* How many servers the system's settings name. */
static enum err_code count_servers(struct dns *dns, size_t *ret, struct err *err)
{
    struct ares_addr_port_node *servers = NULL;
    ares_channel channel = NULL;
    enum err_code code = open_channel(dns, &channel, err);
    int status = ARES_SUCCESS;

    if (code == ERR_OK)
        status = ares_get_servers_ports(channel, &servers);
    *ret = 0;
    for (const struct ares_addr_port_node *server = servers; server; server = server->next)
        ++*ret;
    if (servers)
        ares_free_data(servers);
    if (channel)
        ares_destroy(channel);
    return code == ERR_OK && status != ARES_SUCCESS ? fail_of_ares(status, err) : code;
}

/* c-ares waits for each server in turn, in the second round twice as long, in the third four times:
   together that shall be the time limit. */
static int ms_per_try(int64_t timeout_ms, size_t n_servers, int tries)
{
    int64_t waits = (int64_t)n_servers * ((INT64_C(1) << tries) - 1);
    int64_t ms = timeout_ms / (waits > 0 ? waits : 1);

    return ms < 1 ? 1 : ms > INT_MAX ? INT_MAX : (int)ms;
}

/* A slot needs a socket per server, and one for TCP. */
static size_t slots_for(int64_t parallel, size_t n_servers)
{
    struct rlimit files;
    rlim_t most;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == RLIM_INFINITY)
        return (size_t)parallel;
    most = files.rlim_cur > OTHER_FILES ? (files.rlim_cur - OTHER_FILES) / (n_servers + 1) : 1;
    if (most < 1)
        most = 1;
    return (size_t)parallel < most ? (size_t)parallel : (size_t)most;
}

enum err_code dns_open(struct dns **ret, const struct dns_options *options, struct err *err)
{
    _cleanup_dns_ struct dns *dns = calloc(1, sizeof *dns);
    size_t n_servers;
    enum err_code code;
    int status;

    if (!dns)
        return err_nomem(err);
    status = ares_library_init(ARES_LIB_INIT_ALL);
    if (status != ARES_SUCCESS) {
        free(TAKE_PTR(dns));
        return fail_of_ares(status, err);
    }
    dns->timeout_ms = options->timeout_ms;
    dns->tries = options->tries < 1 ? 1 : options->tries > 10 ? 10 : (int)options->tries;
    dns->try_ms = 1000;
    if (options->servers && *options->servers &&
        !parse_servers(options->servers, dns->servers, &dns->n_servers))
        return err_set(err, ERR_CONFIG, "\"%s\" is no list of name servers", options->servers);
    code = count_servers(dns, &n_servers, err);
    if (code != ERR_OK)
        return code;
    dns->try_ms = ms_per_try(dns->timeout_ms, n_servers, dns->tries);
    dns->n_slots = slots_for(options->parallel < 1 ? 1 : options->parallel, n_servers);
    dns->slots = calloc(dns->n_slots, sizeof *dns->slots);
    dns->fds = calloc(dns->n_slots * ARES_GETSOCK_MAXNUM, sizeof *dns->fds);
    if (!dns->slots || !dns->fds)
        return err_nomem(err);
    for (size_t i = 0; i < dns->n_slots; i++)
        dns->slots[i].dns = dns;
    *ret = TAKE_PTR(dns);
    return ERR_OK;
}

void dns_close(struct dns *dns)
{
    if (!dns)
        return;
    for (size_t i = 0; dns->slots && i < dns->n_slots; i++)
        if (dns->slots[i].channel)
            ares_destroy(dns->slots[i].channel);
    free(dns->slots);
    free(dns->fds);
    free(dns);
    ares_library_cleanup();
}

void dns_closep(struct dns **dns)
{
    dns_close(*dns);
}

/* ---- answers ---- */

/* The records of an answer: strings that belong to one record are joined. */
static bool take_texts(struct dns_question *question, const struct ares_txt_ext *strings)
{
    size_t n = 0;

    for (const struct ares_txt_ext *s = strings; s; s = s->next)
        n += s->record_start != 0;
    question->texts = calloc(n ? n : 1, sizeof *question->texts);
    if (!question->texts)
        return false;
    while (strings) {
        _cleanup_sb_ struct strbuf bytes = {0};
        char *text;

        do {
            sb_add(&bytes, (const char *)strings->txt, strings->length);
            strings = strings->next;
        } while (strings && !strings->record_start);
        text = sb_text(&bytes) ? dns_clean_text(sb_text(&bytes), bytes.len) : NULL;
        if (!text)
            return false;
        question->texts[question->n_texts++] = text;
    }
    return true;
}

static enum dns_outcome outcome_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return DNS_ANSWERED;
    case ARES_ENODATA:
    case ARES_EBADNAME:
        return DNS_NO_DATA;
    case ARES_ENOTFOUND:
        return DNS_NXDOMAIN;
    case ARES_ETIMEOUT:
    case ARES_ECANCELLED:
        return DNS_TIMEOUT;
    default:
        return DNS_SERVFAIL;
    }
}

static void on_answer(void *context, int status, _unused_ int timeouts, unsigned char *answer,
                      int len)
{
    struct slot *slot = context;
    struct dns_question *question = slot->question;
    struct ares_txt_ext *strings = NULL;

    if (status == ARES_EDESTRUCTION || !question)
        return;
    slot->question = NULL;
    slot->dns->busy--;
    slot->dns->done++;
    if (status == ARES_SUCCESS)
        status = ares_parse_txt_reply_ext(answer, len, &strings);
    if (status == ARES_SUCCESS && !strings)
        status = ARES_ENODATA;
    question->outcome = outcome_of(status);
    if (status == ARES_ENOMEM || (status == ARES_SUCCESS && !take_texts(question, strings)))
        slot->dns->no_memory = true;
    if (strings)
        ares_free_data(strings);
}

void dns_questions_done(struct dns_question *questions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < questions[i].n_texts; j++)
            free(questions[i].texts[j]);
        free(questions[i].texts);
        questions[i].texts = NULL;
        questions[i].n_texts = 0;
    }
}

/* ---- asking ---- */

static enum err_code ask_one(struct slot *slot, struct dns_question *question, struct err *err)
{
    enum err_code code;

    if (!dns_can_ask(question->name)) {
        question->outcome = DNS_NO_DATA;
        slot->dns->done++;
        return ERR_OK;
    }
    if (!slot->channel) {
        code = open_channel(slot->dns, &slot->channel, err);
        if (code != ERR_OK)
            return code;
    }
    slot->question = question;
    slot->end_ns = monotonic_ns() + slot->dns->timeout_ms * NS_PER_MS;
    slot->dns->busy++;
    ares_query(slot->channel, question->name, C_IN, T_TXT, on_answer, slot);
    return ERR_OK;
}

static enum err_code fill_slots(struct dns *dns, struct dns_question *questions, size_t n,
                                size_t *next, struct err *err)
{
    for (size_t i = 0; i < dns->n_slots && *next < n; i++)
        while (!dns->slots[i].question && *next < n) {
            enum err_code code = ask_one(&dns->slots[i], &questions[(*next)++], err);

            if (code != ERR_OK)
                return code;
        }
    return ERR_OK;
}

/* What the slot waits for goes behind `fds`; `wait_ms` shrinks to how long it may wait. */
static int watch_slot(struct slot *slot, struct pollfd *fds, int wait_ms)
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    unsigned wanted = (unsigned)ares_getsock(slot->channel, sockets, ARES_GETSOCK_MAXNUM);
    struct deadline end = {.end_ns = slot->end_ns};
    int left_ms = deadline_left_ms(&end);
    struct timeval next;

    slot->fds = fds;
    slot->n_fds = 0;
    for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        short events = 0; /* the bits of ARES_GETSOCK_READABLE and _WRITABLE */

        if (wanted >> i & 1)
            events |= POLLIN;
        if (wanted >> (i + ARES_GETSOCK_MAXNUM) & 1)
            events |= POLLOUT;
        if (events)
            fds[slot->n_fds++] = (struct pollfd){.fd = sockets[i], .events = events};
    }
    if (ares_timeout(slot->channel, NULL, &next)) {
        int64_t ms = (int64_t)next.tv_sec * 1000 + next.tv_usec / 1000 + 1;

        if (ms < left_ms)
            left_ms = (int)ms;
    }
    return left_ms < wait_ms ? left_ms : wait_ms;
}

/* Hands over what has come, and ends the question whose time is over. */
static void serve_slot(struct slot *slot)
{
    struct deadline end = {.end_ns = slot->end_ns};

    for (int i = 0; i < slot->n_fds; i++) {
        short came = slot->fds[i].revents;

        if (came)
            ares_process_fd(slot->channel,
                            (came & (POLLIN | POLLERR | POLLHUP)) ? slot->fds[i].fd
                                                                  : ARES_SOCKET_BAD,
                            (came & POLLOUT) ? slot->fds[i].fd : ARES_SOCKET_BAD);
    }
    if (slot->question)
        ares_process_fd(slot->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* its own clock */
    if (slot->question && deadline_left_ms(&end) == 0)
        ares_cancel(slot->channel);
}

/* Waits once for whatever comes first, and serves it. */
static enum err_code wait_once(struct dns *dns, const struct deadline *deadline, struct err *err)
{
    int wait_ms = deadline_left_ms(deadline), ready;
    nfds_t n = 0;

    for (size_t i = 0; i < dns->n_slots; i++) {
        dns->slots[i].n_fds = 0;
        if (dns->slots[i].question)
            wait_ms = watch_slot(&dns->slots[i], dns->fds + n, wait_ms);
        n += (nfds_t)dns->slots[i].n_fds;
    }
    ready = poll(dns->fds, n, wait_ms);
    if (ready < 0 && errno == EINTR)
        return ERR_OK; /* what came is looked at by the caller */
    if (ready < 0)
        return err_sys(err, ERR_INTERNAL, errno, "could not wait for the name servers");
    for (size_t i = 0; i < dns->n_slots; i++)
        if (dns->slots[i].question)
            serve_slot(&dns->slots[i]);
    return dns->no_memory ? err_nomem(err) : ERR_OK;
}

enum err_code dns_ask_txt(struct dns *dns, struct dns_question *questions, size_t n,
                          const struct deadline *deadline, dns_told_fn told, void *context,
                          struct err *err)
{
    enum err_code code = ERR_OK;
    size_t next = 0;

    dns->done = 0;
    while (code == ERR_OK && dns->done < n) {
        code = deadline_check(deadline, err);
        if (code == ERR_OK)
            code = fill_slots(dns, questions, n, &next, err);
        if (code == ERR_OK && dns->busy)
            code = wait_once(dns, deadline, err);
        if (code == ERR_OK && told)
            told(context, dns->done);
    }
    for (size_t i = 0; i < dns->n_slots; i++)
        if (dns->slots[i].question)
            ares_cancel(dns->slots[i].channel);
    return code;
}
