/* The sample settings file: every setting, what it takes and its default (see conf.h). */
#define _GNU_SOURCE
#include "conf.h"

#include <string.h>

#include "ban.h"

enum { WIDTH = 90 };

/* The text as comment lines, broken at spaces. */
static void put_comment(const char *text, FILE *out)
{
    size_t column = 0;

    for (const char *word = text; *word;) {
        size_t len = strcspn(word, " ");

        if (column == 0)
            column = (size_t)fprintf(out, "# %.*s", (int)len, word);
        else if (column + 1 + len <= WIDTH)
            column += (size_t)fprintf(out, " %.*s", (int)len, word);
        else
            column = (size_t)fprintf(out, "\n# %.*s", (int)len, word) - 1;
        word += len;
        word += strspn(word, " ");
    }
    fputc('\n', out);
}

/* The value as the file takes it: in quotes where it could be read in another way. */
static void put_value(const char *value, FILE *out)
{
    size_t len = strlen(value);
    bool bare = len > 0 && !strpbrk(value, "#;'\"") && value[0] != ' ' && value[len - 1] != ' ' &&
                value[len - 1] != '\\';
    char quote = strchr(value, '"') ? '\'' : '"';

    if (bare)
        fprintf(out, "%s\n", value);
    else
        fprintf(out, "%c%s%c\n", quote, value, quote);
}

/* A value of the right form for a setting that has no default: what a person would overwrite. */
static void put_example(const struct setting *setting, FILE *out)
{
    switch (setting->type) {
    case SETTING_TEXT:
        fputs("\"\"\n", out);
        break;
    case SETTING_INT:
        fprintf(out, "%lld\n", (long long)setting->min);
        break;
    case SETTING_BOOL:
        fputs("no\n", out);
        break;
    case SETTING_DURATION:
        fprintf(out, "%lld s\n", (long long)setting->min);
        break;
    case SETTING_CHOICE:
    case SETTING_LIST:
        fprintf(out, "%.*s\n", (int)strcspn(setting->choices, "|"), setting->choices);
        break;
    case SETTING_PATH:
        fputs("/path\n", out);
        break;
    case SETTING_MONTH:
        fputs("2026-10\n", out);
        break;
    }
}

static void put_setting(const struct setting *setting, FILE *out)
{
    _cleanup_sb_ struct strbuf about = {0};

    sb_addf(&about, "%s. Takes ", setting->help);
    setting_describe(setting, &about);
    sb_adds(&about, setting->fallback ? "." : "; not set by default.");
    fputc('\n', out);
    put_comment(sb_text(&about) ? sb_text(&about) : setting->help, out);
    fprintf(out, "%s%s = ", setting->fallback ? "" : "#", setting->key);
    if (setting->fallback)
        put_value(setting->fallback, out);
    else
        put_example(setting, out);
}

void conf_sample(const struct setting *settings, size_t n_settings, FILE *out)
{
    put_comment("Settings of lapse. What stands here is the default; a line that starts with # and "
                "a name is a setting without one. Durations are a number, a space and s, min, h or "
                "d (24 h). Comments have lines of their own. A value that holds # or ; stands in "
                "quotes. Passwords have no place here: use PGPASSFILE or a service file.",
                out);
    for (size_t i = 0; i < n_settings; i++) {
        const char *section = settings[i].section;

        if (setting_section_exists(settings, i, section))
            continue; /* it was printed with the first of its section */
        fprintf(out, "\n[%s]\n", section);
        for (size_t j = i; j < n_settings; j++)
            if (str_eq(settings[j].section, section))
                put_setting(&settings[j], out);
    }
}
