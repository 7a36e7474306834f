/* What a job has to ask the DNS before it can decide: read page by page, asked while no transaction
   is open, kept in transactions of bounded size. */
#define _GNU_SOURCE
#include "run_internal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"

#include "ban.h"

enum { PAGE_ROWS = 1000, PART_ROWS = 500, PART_BYTES = 1 << 20, RETRIES = 3 };

void asked_done(struct asked *asked)
{
    dns_questions_done(asked->questions, asked->questions ? asked->n_questions : 0);
    free(asked->questions);
    for (size_t i = 0; i < asked->n_questions; i++)
        free(asked->names[i]);
    free(asked->names);
    for (size_t i = 0; i < asked->n; i++)
        free(asked->rows[i].domain);
    free(asked->rows);
    *asked = (struct asked){.told = asked->told};
}

#define _cleanup_asked_ _cleanup_(asked_done)

static enum err_code add_name(struct asked *asked, const char *name, struct err *err)
{
    if (asked->n_questions > 0 && str_eq(asked->names[asked->n_questions - 1], name))
        return ERR_OK;
    if (asked->n_questions == asked->names_size) {
        size_t size = asked->names_size ? asked->names_size * 2 : 64;
        char **grown = reallocarray(asked->names, size, sizeof *grown);

        if (!grown)
            return err_nomem(err);
        asked->names = grown;
        asked->names_size = size;
    }
    asked->names[asked->n_questions] = strdup(name);
    if (!asked->names[asked->n_questions])
        return err_nomem(err);
    asked->n_questions++;
    return ERR_OK;
}

/* Bytes that are no text (an SQL_ASCII database may hold them) are no domain either: nobody can be
   asked about them and nothing can be kept of them. */
static bool is_text(const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        uint32_t code;

        at += utf8_decode(bytes + at, len - at, &code);
        if (code == UINT32_MAX)
            return false;
    }
    return true;
}

static enum err_code take_question(void *context, const struct db_row *row, struct err *err)
{
    struct asked *asked = context;
    enum err_code code;

    asked->n_read++;
    code = add_name(asked, db_text(row, 2), err); /* the next page begins behind it */
    if (code != ERR_OK || !is_text(db_text(row, 1), db_len(row, 1)))
        return code;
    if (asked->n == asked->size) {
        size_t size = asked->size ? asked->size * 2 : 64;
        struct asked_row *grown = reallocarray(asked->rows, size, sizeof *grown);

        if (!grown)
            return err_nomem(err);
        asked->rows = grown;
        asked->size = size;
    }
    asked->rows[asked->n] = (struct asked_row){
        .account = db_int(row, 0),
        .domain = strdup(db_text(row, 1)),
        .question = asked->n_questions - 1,
    };
    if (!asked->rows[asked->n].domain)
        return err_nomem(err);
    asked->n++;
    return ERR_OK;
}

static struct dns_options dns_options(const struct conf *conf)
{
    return (struct dns_options){.servers = conf_text(conf, "dns", "servers"),
                                .timeout_ms = conf_seconds(conf, "dns", "timeout") * 1000,
                                .tries = conf_int(conf, "dns", "tries"),
                                .parallel = conf_int(conf, "rules", "dns_parallel")};
}

enum err_code run_check_asking(const struct run_request *request, struct err *err)
{
    const char *servers = conf_text(request->conf, "dns", "servers");

    for (size_t i = 0; i < request->n_jobs; i++)
        if (request->jobs[i]->questions && !dns_servers_good(servers)) {
            err_set(err, ERR_CONFIG, "[dns] servers: \"%s\" is no list of name servers", servers);
            err_hint(err, "give addresses, with a port where it is not 53, such as 127.0.0.1:5353 "
                          "or [::1]:53, at most 8 separated by commas");
            return err->code;
        }
    return ERR_OK;
}

struct teller {
    struct pass *pass;
    struct run *run;
    size_t before;
};

static void tell_asking(void *context, size_t done)
{
    const struct teller *teller = context;

    run_progress(teller->pass->inv, teller->run->job, "asking", teller->before + done, 0);
}

/* One page: reads the questions, then asks them. */
static enum err_code ask_page(struct pass *pass, struct run *run, struct dns **dns,
                              struct args *args, struct asked *asked, struct err *err)
{
    struct dns_options options = dns_options(pass->inv->request->conf);
    struct teller teller = {pass, run, asked->told};
    enum err_code code =
        db_run_alone(pass->inv->db, run->job->questions, args, take_question, asked, err);

    if (code != ERR_OK || asked->n == 0)
        return code;
    asked->questions = calloc(asked->n_questions, sizeof *asked->questions);
    if (!asked->questions)
        return err_nomem(err);
    for (size_t i = 0; i < asked->n_questions; i++)
        asked->questions[i].name = asked->names[i];
    if (!*dns)
        code = dns_open(dns, &options, err);
    if (code == ERR_OK)
        code = dns_ask_txt(*dns, asked->questions, asked->n_questions, pass->inv->deadline,
                           tell_asking, &teller, err);
    asked->told += asked->n_questions;
    return code;
}

static json_t *answer_json(const struct asked_row *row, const struct dns_question *question,
                           size_t *ret_bytes)
{
    json_t *texts = json_array();

    *ret_bytes = 0;
    for (size_t i = 0; texts && i < question->n_texts; i++) {
        *ret_bytes += strlen(question->texts[i]);
        if (json_array_append_new(texts, json_string(question->texts[i])) != 0) {
            json_decref(texts);
            return NULL;
        }
    }
    return json_pack("{s:I, s:s, s:s, s:o}", "account_id", (json_int_t)row->account, "domain",
                     row->domain, "outcome", dns_outcome_name(question->outcome), "texts", texts);
}

/* The next part, from row `*next` on, as text; moves `*next` behind it. */
static enum err_code next_part(const struct asked *asked, size_t *next, char **ret, struct err *err)
{
    json_t *part = json_array();
    size_t bytes = 0;

    while (part && *next < asked->n && json_array_size(part) < PART_ROWS && bytes < PART_BYTES) {
        const struct asked_row *row = &asked->rows[(*next)++];
        size_t more;

        if (json_array_append_new(part,
                                  answer_json(row, &asked->questions[row->question], &more)) != 0) {
            json_decref(part);
            part = NULL;
        }
        bytes += more;
    }
    *ret = part ? json_dumps(part, JSON_COMPACT) : NULL;
    json_decref(part);
    return *ret ? ERR_OK : err_nomem(err);
}

/* One part in a transaction of its own. */
static enum err_code try_part(struct pass *pass, struct run *run, struct args *args,
                              struct err *err)
{
    struct db *db = pass->inv->db;
    bool unknown;
    enum err_code code = ledger_still_ours(db, run->run_id, run->attempt, err);

    if (code == ERR_OK)
        code = db_begin(db, DB_CHANGE, err);
    if (code == ERR_OK)
        code = db_run(db, run->job->answers, args, NULL, NULL, err);
    if (code == ERR_OK)
        code = db_commit(db, &unknown, err);
    if (code != ERR_OK)
        db_rollback(db);
    return code;
}

/* A part until it stands: a lost connection costs nothing, since keeping it twice is as good. */
static enum err_code keep_part(struct pass *pass, struct run *run, struct args *args,
                               struct err *err)
{
    for (int attempt = 1;; attempt++) {
        enum err_code code = try_part(pass, run, args, err);
        bool lost = code != ERR_OK && db_is_lost(pass->inv->db);

        if (code == ERR_OK || attempt > RETRIES || code == ERR_SIGNAL ||
            deadline_left_ms(pass->inv->deadline) == 0 || (!lost && !db_may_retry(err)))
            return code;
        err_done(err);
        code = lost ? run_reconnect(pass, err) : db_backoff(pass->inv->deadline, attempt, err);
        if (code != ERR_OK)
            return code;
    }
}

enum err_code run_keep_answers(struct pass *pass, struct run *run, struct args *args,
                               const struct asked *asked, struct err *err)
{
    bool apart = !db_in_transaction(pass->inv->db);
    enum err_code code = ERR_OK;

    for (size_t next = 0; code == ERR_OK && next < asked->n;) {
        _cleanup_free_ char *part = NULL;

        code = next_part(asked, &next, &part, err);
        args_text(args, "answers", part);
        if (code == ERR_OK)
            code = apart ? keep_part(pass, run, args, err)
                         : db_run(pass->inv->db, run->job->answers, args, NULL, NULL, err);
        args_text(args, "answers", NULL);
    }
    return code;
}

enum err_code run_ask(struct pass *pass, struct run *run, struct args *args, struct err *err)
{
    _cleanup_dns_ struct dns *dns = NULL;
    _cleanup_asked_ struct asked asked = {0};
    _cleanup_free_ char *after = NULL;
    enum err_code code = ERR_OK;

    if (!run->job->questions)
        return ERR_OK;
    args_int(args, "page_rows", PAGE_ROWS);
    for (bool more = true; code == ERR_OK && more;) {
        args_text(args, "after_name", after);
        code = ask_page(pass, run, &dns, args, &asked, err);
        more = asked.n_read >= PAGE_ROWS;
        if (code == ERR_OK)
            code = run_keep_answers(pass, run, args, &asked, err);
        if (asked.n_questions > 0) {
            free(after);
            after = TAKE_PTR(asked.names[asked.n_questions - 1]);
        }
        asked_done(&asked);
    }
    args_text(args, "after_name", NULL);
    return code;
}

enum err_code run_ask_range(struct pass *pass, struct run *run, struct args *args,
                            struct asked *ret, struct err *err)
{
    _cleanup_dns_ struct dns *dns = NULL;

    if (!run->job->questions)
        return ERR_OK;
    args_int(args, "page_rows", INT64_MAX);
    args_text(args, "after_name", NULL);
    return ask_page(pass, run, &dns, args, ret, err);
}
