/* What the server's and libpq's words mean in our errors: see db_error.h. */
#define _GNU_SOURCE
#include "db_error.h"

#include <string.h>

#include "ban.h"

/* Which of our codes a SQLSTATE means. */
static enum err_code code_of_sqlstate(const char *s)
{
    static const struct {
        const char *prefix;
        enum err_code code;
    } classes[] = {
        {"08", ERR_TEMP},           {"40", ERR_TEMP},        {"53100", ERR_IO},
        {"53", ERR_TEMP},           {"55P03", ERR_TEMP},     {"57014", ERR_TEMP},
        {"57P0", ERR_TEMP},         {"42501", ERR_NOPERM},   {"28", ERR_NOPERM},
        {"25006", ERR_UNAVAILABLE}, {"3D", ERR_UNAVAILABLE}, {"42P01", ERR_CONFIG},
        {"42703", ERR_CONFIG},      {"42883", ERR_CONFIG},   {"3F000", ERR_CONFIG},
    };

    for (size_t i = 0; i < COUNT(classes); i++)
        if (strncmp(s, classes[i].prefix, strlen(classes[i].prefix)) == 0)
            return classes[i].code;
    return ERR_INTERNAL;
}

const char *db_hint(enum err_code code)
{
    switch (code) {
    case ERR_TEMP:
        return "nothing is half done; the next run goes on where this one stopped";
    case ERR_NOPERM:
        return "run \"lapse check\": it names the right that is missing; sql/roles.sql grants it";
    case ERR_CONFIG:
        return "run \"lapse migrate\" with the owner's rights, then \"lapse check\"";
    case ERR_UNAVAILABLE:
        return "is the server running, and is this its primary? \"lapse check\" shows what was "
               "asked";
    default:
        return NULL;
    }
}

/* Where in its file the server saw an error: `position` counts characters from 1. */
static struct sql_origin origin_of(const struct sql *sql, const char *position)
{
    int64_t left = 0;
    size_t line = 0;

    if (!position || !parse_int64(position, 1, INT64_MAX, &left))
        return (struct sql_origin){sql->file, 0};
    for (const char *c = sql->text; *c && --left > 0; c++) {
        while ((c[1] & 0xC0) == 0x80)
            c++;
        if (*c == '\n')
            line++;
    }
    if (line >= sql->n_lines)
        return (struct sql_origin){sql->file, 0};
    return sql->origins[line];
}

/* The server's primary message, or libpq's, without line breaks at its end. */
enum err_code db_fail_result(const PGresult *result, const struct sql *sql, struct err *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    struct sql_origin origin =
        origin_of(sql, PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION));
    enum err_code code = state ? code_of_sqlstate(state) : ERR_TEMP;

    if (err->code != ERR_OK)
        return err->code;
    if (state && (strncmp(state, "P0", 2) == 0 || strncmp(state, "22", 2) == 0)) {
        /* somebody's trigger, or somebody's value: the words may be about a person */
        err_set(err, code, "%s: the database refused a row (SQLSTATE %s)", sql->file, state);
        err_detail(err, "%s", message ? message : "");
        err_hint(err, "-v shows what it said; the product's own triggers and data have a say here");
    } else if (origin.line) {
        err_set(err, code, "%s:%d: %s", origin.file, origin.line, message ? message : "no answer");
    } else {
        err_set(err, code, "%s: %s", origin.file, message ? message : "the connection was lost");
    }
    if (state)
        snprintf(err->sqlstate, sizeof err->sqlstate, "%s", state);
    if (detail)
        err_detail(err, "%s", detail);
    if (db_hint(code))
        err_hint(err, "%s", db_hint(code));
    else if (hint)
        err_hint(err, "%s", hint);
    return code;
}

/* libpq says a refused connection in words only; at this verbosity the SQLSTATE stands in them. */
static enum err_code code_of_refusal(const char *message)
{
    static const char severity[] = "FATAL:  ";
    const char *at = strstr(message, severity);
    char state[6] = "";

    if (!at || strlen(at) < sizeof severity + 5)
        return ERR_UNAVAILABLE;
    memcpy(state, at + sizeof severity - 1, 5);
    switch (code_of_sqlstate(state)) {
    case ERR_NOPERM:
        return ERR_NOPERM;
    case ERR_TEMP:
        return ERR_TEMP;
    default:
        return ERR_UNAVAILABLE;
    }
}

enum err_code db_fail_connecting(PGconn *conn, struct err *err)
{
    const char *message = conn ? PQerrorMessage(conn) : "out of memory";
    enum err_code code = code_of_refusal(message);

    if (strstr(message, "no password supplied"))
        code = ERR_NOPERM;
    err_set(err, code, "could not connect to the database: %.*s", (int)strcspn(message, "\n"),
            message);
    if (code == ERR_NOPERM)
        err_hint(err, "put the password into a file named by PGPASSFILE, or into a service file");
    else
        err_hint(err, "%s", db_hint(code));
    return err->code;
}
