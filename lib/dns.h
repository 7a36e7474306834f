/* TXT records: the only user of c-ares.
 *
 *     dns_open(&dns, &options, &err)
 *     dns_ask_txt(dns, questions, n, &deadline, told, context, &err)     as often as needed
 *     dns_questions_done(questions, n)
 *     dns_close(dns)
 *
 * Asks about many names, at most `parallel` at once (fewer where the process may not open as many
 * files). Each question has a time limit of its own that holds its tries on all servers, and is
 * asked over a channel of its own: from a port of its own, and never answered from memory. An
 * answer that does not fit into a datagram is asked for again over TCP.
 *
 * No call blocks: dns_ask_txt waits in poll() alone, and ends at the deadline (ERR_TEMP) or when a
 * signal has come (ERR_SIGNAL); what was answered by then stays. That a server is down, silent or
 * wrong is no error but an outcome: the caller decides what it means. Errors are ERR_CONFIG for
 * servers that are none, ERR_NOMEM and ERR_INTERNAL.
 *
 * Names are asked as they stand, never with a search domain behind, and upper case is lower case to
 * the DNS. A name that no question can hold (dns_can_ask) is not sent: it has no data. So a name
 * beyond ASCII must be given in its xn-- form.
 */
#ifndef LAPSE_DNS_H
#define LAPSE_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "deadline.h"
#include "err.h"

enum dns_outcome {
    DNS_NO_DATA,  /* the name exists without a TXT record; or it cannot be a name */
    DNS_ANSWERED, /* there are TXT records */
    DNS_NXDOMAIN, /* there is no such name */
    DNS_SERVFAIL, /* no server could say: SERVFAIL, REFUSED, NOTIMP, a malformed answer, nobody
                     listening */
    DNS_TIMEOUT,  /* no answer within the time limit */
};

/* "answered", "no_data", "nxdomain", "servfail", "timeout" */
const char *dns_outcome_name(enum dns_outcome outcome);

struct dns_question {
    const char *name; /* borrowed */
    enum dns_outcome outcome;
    char **texts; /* of DNS_ANSWERED: one per record, its strings joined; valid UTF-8 without NUL
                     (what is not becomes U+FFFD); owned */
    size_t n_texts;
};

struct dns_options {
    const char *servers; /* "127.0.0.1:5353, [::1]:53, 9.9.9.9"; NULL or "": the system's */
    int64_t timeout_ms;  /* of one question with its tries */
    int64_t tries;       /* how often each server is asked, the second time with twice the wait */
    int64_t parallel;
};

struct dns;

enum err_code dns_open(struct dns **ret, const struct dns_options *options,
                       struct err *err) _must_check_;
void dns_close(struct dns *dns); /* NULL is nothing */
void dns_closep(struct dns **dns);
#define _cleanup_dns_ _cleanup_(dns_closep)

/* How many of the questions have been answered by now. */
typedef void (*dns_told_fn)(void *context, size_t done);

/* Fills outcome and texts of every question. `told` may be NULL. */
enum err_code dns_ask_txt(struct dns *dns, struct dns_question *questions, size_t n,
                          const struct deadline *deadline, dns_told_fn told, void *context,
                          struct err *err) _must_check_;

void dns_questions_done(struct dns_question *questions, size_t n); /* frees the texts */

/* Whether `servers` is a list as in struct dns_options. */
bool dns_servers_good(const char *servers);

/* Whether a question can hold the name: 1 to 253 bytes (a final dot apart), labels of 1 to 63
   letters, digits, hyphens and underscores. */
bool dns_can_ask(const char *name);

/* Bytes of a record as text for the database: valid UTF-8 without NUL. NULL: no memory. */
char *dns_clean_text(const char *bytes, size_t len);

#endif
