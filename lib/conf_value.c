/* Values of settings, judged whole: see conf.h. */
#define _GNU_SOURCE
#include "conf.h"

#include <stdlib.h>
#include <string.h>

#include "cell.h"

#include "ban.h"

const char *text_fault(const char *text, size_t len, bool allow_tab)
{
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t c;

        n = utf8_decode(text + i, len - i, &c);
        if (c == UINT32_MAX)
            return "is not valid UTF-8";
        if (c == '\t' && allow_tab)
            continue;
        if (c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029)
            return "holds a control character";
    }
    return NULL;
}

/* ---- durations ---- */

static const struct unit {
    const char *name;
    int64_t seconds;
} units[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};

/* `strict` wants the one space between number and unit; without it `30d` is understood, for the
   hint. */
static bool duration_parse(const char *text, bool strict, int64_t *ret)
{
    size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;
    int64_t number = 0;

    if (digits == 0 || digits > 12 || (text[0] == '0' && digits > 1))
        return false;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (text[i] - '0');
    if (*unit == ' ')
        unit++;
    else if (strict)
        return false;
    for (size_t i = 0; i < COUNT(units); i++) {
        if (str_eq(unit, units[i].name)) {
            *ret = number * units[i].seconds;
            return true;
        }
    }
    return false;
}

int64_t duration_seconds(const char *text)
{
    int64_t seconds;

    if (!duration_parse(text, true, &seconds))
        abort(); /* it was not judged */
    return seconds;
}

/* In the largest unit that holds it whole. */
static void add_duration(struct strbuf *out, int64_t seconds)
{
    for (size_t i = 0; i < COUNT(units); i++) {
        if ((seconds && seconds % units[i].seconds == 0) || units[i].seconds == 1) {
            sb_addf(out, "%lld %s", (long long)(seconds / units[i].seconds), units[i].name);
            return;
        }
    }
}

/* ---- choices ---- */

/* The choices with a comma and a space between. */
static void add_choices(struct strbuf *out, const char *choices)
{
    for (const char *c = choices; *c; c++) {
        if (*c == '|')
            sb_adds(out, ", ");
        else
            sb_add(out, c, 1);
    }
}

/* Whether `word` is one of `list`, whose items end at `separator`. */
static bool contains(const char *list, char separator, const char *word, size_t len)
{
    for (const char *item = list;; item = strchr(item, separator) + 1) {
        size_t n = (size_t)(strchrnul(item, separator) - item);

        if (n == len && memcmp(item, word, len) == 0)
            return true;
        if (item[n] == '\0')
            return false;
    }
}

/* The first item of `list` that is none of the choices, or that stands twice (*ret_twice); NULL
   for a good list. */
static const char *bad_item(const char *list, const char *choices, size_t *ret_len, bool *ret_twice)
{
    for (const char *item = list;; item += *ret_len + 1) {
        size_t len = (size_t)(strchrnul(item, ',') - item);

        *ret_len = len;
        *ret_twice = false;
        if (!contains(choices, '|', item, len))
            return item;
        if (item[len] == '\0')
            return NULL;
        *ret_twice = contains(item + len + 1, ',', item, len);
        if (*ret_twice)
            return item;
    }
}

/* ---- secrets ---- */

static char *percent_decoded(const char *text)
{
    char *copy = strdup(text), *to = copy;

    if (!copy)
        return NULL;
    for (const char *from = text; *from; from++) {
        unsigned int byte;
        int used = 0;

        if (*from == '%' && sscanf(from + 1, "%2x%n", &byte, &used) == 1 && used == 2 && byte) {
            *to++ = (char)byte;
            from += 2;
        } else
            *to++ = *from;
    }
    *to = '\0';
    return copy;
}

/* `password=x`, `sslpassword = 'x'`, `?password=x`: a word that libpq, or a person, reads so. */
static bool names_password(const char *text)
{
    for (const char *c = strcasestr(text, "password"); c; c = strcasestr(c + 1, "password"))
        if (c[8 + strspn(c + 8, " \t")] == '=')
            return true;
    return false;
}

/* `scheme://user:secret@host`, cut as libpq does: what stands before an `@`, and that before `/`.
 */
static bool uri_has_password(const char *text)
{
    for (const char *c = strstr(text, "://"); c; c = strstr(c + 3, "://")) {
        size_t login = strcspn(c + 3, "@/ ");
        const char *colon = memchr(c + 3, ':', login);

        if (c[3 + login] == '@' && colon && colon + 1 < c + 3 + login)
            return true;
    }
    return false;
}

static enum err_code judge_secret(const char *value, const char *place, enum err_code code,
                                  struct err *err)
{
    _cleanup_free_ char *decoded = percent_decoded(value);

    if (!decoded)
        return err_nomem(err);
    if (!names_password(value) && !names_password(decoded) && !uri_has_password(value))
        return ERR_OK;
    err_set(err, code, "%s: the value holds a password", place);
    err_hint(err, "keep the password in a PGPASSFILE (mode 0600) or name a service of a "
                  "pg_service.conf");
    return err->code;
}

/* ---- judging ---- */

void setting_describe(const struct setting *setting, struct strbuf *out)
{
    switch (setting->type) {
    case SETTING_TEXT:
        sb_adds(out, "text");
        break;
    case SETTING_INT:
        sb_addf(out, "a whole number from %lld to %lld", (long long)setting->min,
                (long long)setting->max);
        break;
    case SETTING_BOOL:
        sb_adds(out, "yes or no");
        break;
    case SETTING_DURATION:
        sb_adds(out, "a duration from ");
        add_duration(out, setting->min);
        sb_adds(out, " to ");
        add_duration(out, setting->max);
        break;
    case SETTING_CHOICE:
        sb_adds(out, "one of ");
        add_choices(out, setting->choices);
        break;
    case SETTING_LIST:
        sb_adds(out, "one or more, separated by commas, of ");
        add_choices(out, setting->choices);
        break;
    case SETTING_PATH:
        sb_adds(out, "an absolute path");
        break;
    case SETTING_MONTH:
        sb_adds(out, "a month such as 2026-10");
        break;
    }
}

/* "2026-10": four digits of a year from 1 on, a dash, two of a month. */
static bool month_is_good(const char *value)
{
    if (strlen(value) != 7 || strspn(value, "0123456789") != 4 || value[4] != '-' ||
        strspn(value + 5, "0123456789") != 2 || strncmp(value, "0000", 4) == 0)
        return false;
    return strcmp(value + 5, "01") >= 0 && strcmp(value + 5, "12") <= 0;
}

static bool value_is_good(const struct setting *setting, const char *value)
{
    int64_t number;
    size_t len;
    bool twice;

    switch (setting->type) {
    case SETTING_TEXT:
        return true;
    case SETTING_INT:
        return parse_int64(value, setting->min, setting->max, &number) && !str_eq(value, "-0");
    case SETTING_BOOL:
        return str_eq(value, "yes") || str_eq(value, "no");
    case SETTING_DURATION:
        return duration_parse(value, true, &number) && number >= setting->min &&
               number <= setting->max;
    case SETTING_CHOICE:
        return contains(setting->choices, '|', value, strlen(value));
    case SETTING_LIST:
        return !bad_item(value, setting->choices, &len, &twice);
    case SETTING_PATH:
        return value[0] == '/';
    case SETTING_MONTH:
        return month_is_good(value);
    }
    return false;
}

/* What to write instead. */
static void add_hint(const struct setting *setting, const char *value, struct strbuf *out)
{
    int64_t seconds;

    switch (setting->type) {
    case SETTING_INT:
        sb_addf(out, "write the digits alone, without blanks, unit or leading zero, such as %s",
                setting->fallback ? setting->fallback : "30");
        break;
    case SETTING_BOOL:
        sb_adds(out, "write yes or no");
        break;
    case SETTING_DURATION:
        sb_adds(out, "write a number, a space and s, min, h or d, such as ");
        if (duration_parse(value, false, &seconds) && seconds >= setting->min &&
            seconds <= setting->max)
            add_duration(out, seconds);
        else if (setting->fallback)
            sb_adds(out, setting->fallback);
        else
            add_duration(out, setting->min);
        break;
    case SETTING_LIST:
        sb_adds(out, "separate them by commas, without blanks and none twice, such as ");
        for (const char *c = setting->choices; *c; c++)
            sb_add(out, *c == '|' ? "," : c, 1);
        break;
    case SETTING_PATH:
        sb_adds(out, "start it with /");
        break;
    case SETTING_MONTH:
        sb_adds(out, "write the year with four digits, a dash and the month with two");
        break;
    case SETTING_TEXT:
    case SETTING_CHOICE:
        sb_adds(out, "write one of them, letter by letter");
        break;
    }
}

/* "one of csv, xlsx" for the item of a list, else what the setting takes. */
static void add_wanted(const struct setting *setting, struct strbuf *out)
{
    if (setting->type == SETTING_LIST) {
        sb_adds(out, "one of ");
        add_choices(out, setting->choices);
    } else
        setting_describe(setting, out);
}

static enum err_code refuse_value(const struct setting *setting, const char *value,
                                  const char *place, enum err_code code, struct err *err)
{
    _cleanup_sb_ struct strbuf wanted = {0}, hint = {0};
    size_t len = strlen(value);
    bool twice = false;

    add_wanted(setting, &wanted);
    add_hint(setting, value, &hint);
    if (!sb_text(&wanted) || !sb_text(&hint))
        return err_nomem(err);
    if (setting->type == SETTING_LIST)
        value = bad_item(value, setting->choices, &len, &twice);
    if (len == 0)
        err_set(err, code, "%s: an empty value is not %s", place, sb_text(&wanted));
    else if (len > 60) /* perhaps not even meant for this setting: not shown */
        err_set(err, code, "%s: the value is not %s", place, sb_text(&wanted));
    else if (twice)
        err_set(err, code, "%s: \"%.*s\" is listed twice", place, (int)len, value);
    else
        err_set(err, code, "%s: \"%.*s\" is not %s", place, (int)len, value, sb_text(&wanted));
    err_hint(err, "%s", sb_text(&hint));
    return err->code;
}

enum err_code setting_judge(const struct setting *setting, const char *value, const char *place,
                            enum err_code code, struct err *err)
{
    const char *fault = text_fault(value, strlen(value), false);

    if (fault) {
        err_set(err, code, "%s: the value %s", place, fault);
        err_hint(err, "write plain UTF-8 text");
        return err->code;
    }
    if (setting->type == SETTING_TEXT)
        return judge_secret(value, place, code, err);
    if (!value_is_good(setting, value))
        return refuse_value(setting, value, place, code, err);
    return ERR_OK;
}

/* ---- unknown names ---- */

bool setting_section_exists(const struct setting *settings, size_t n, const char *section)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(settings[i].section, section))
            return true;
    return false;
}

static char *lower_case(const char *text)
{
    char *lower = strdup(text);

    for (char *c = lower; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return lower;
}

/* Hints at the section that `section`, which is none, may mean. `names` has room for n. */
static void hint_section(const struct setting *settings, size_t n, const char *section,
                         const char **names, struct err *err)
{
    const char *near;

    for (size_t i = 0; i < n; i++)
        names[i] = settings[i].section;
    near = nearest_word(section, names, n);
    if (near)
        err_hint(err, "did you mean [%s]?", near);
    for (size_t i = 0; i < n; i++)
        if (str_eq(settings[i].key, section))
            err_hint(err, "\"%s\" is a setting of [%s]", section, settings[i].section);
}

/* The same for a key in a section that exists. */
static void hint_key(const struct setting *settings, size_t n, const char *section, const char *key,
                     const char **names, struct err *err)
{
    const char *near;
    size_t keys = 0;

    for (size_t i = 0; i < n; i++)
        if (str_eq(settings[i].section, section))
            names[keys++] = settings[i].key;
    near = nearest_word(key, names, keys);
    if (near)
        err_hint(err, "did you mean \"%s\"?", near);
    for (size_t i = 0; i < n; i++)
        if (str_eq(settings[i].key, key))
            err_hint(err, "\"%s\" is a setting of [%s]", key, settings[i].section);
}

enum err_code setting_unknown(const struct setting *settings, size_t n, const char *section,
                              const char *key, struct err *err)
{
    bool known = setting_section_exists(settings, n, section);
    _cleanup_free_ const char **names = calloc(n + 1, sizeof *names);
    _cleanup_free_ char *lower = lower_case(known && key ? key : section);

    if (!names || !lower)
        return err_nomem(err);
    if (known && key) {
        err_set(err, ERR_CONFIG, "unknown setting \"%s\" in section [%s]", key, section);
        hint_key(settings, n, section, lower, names, err);
    } else {
        err_set(err, ERR_CONFIG, "unknown section [%s]", section);
        hint_section(settings, n, lower, names, err);
    }
    err_hint(err, "\"lapse conf --sample\" prints every setting there is");
    return err->code;
}
