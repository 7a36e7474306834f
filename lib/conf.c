/* Settings from default, file, environment and command line: see conf.h. The only user of
 * iniparser. */
#define _GNU_SOURCE
#include "conf.h"

#include <errno.h>
#include <iniparser/iniparser.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf_scan.h"

#include "ban.h"

const struct setting runner_settings[] = {
#define SETTING(section, key, type, fallback, min, max, choices, help) \
    {section, key, type, fallback, min, max, choices, help, 0},
#include "conf.def"
#undef SETTING
};
const size_t runner_settings_count = COUNT(runner_settings);

/* A setting and the value in force. */
struct slot {
    const struct setting *setting;
    const char *value; /* the default or `owned`; NULL: not set */
    char *owned;
    enum setting_source source;
    size_t line; /* of the file, 0: not in it */
};

struct conf {
    const struct setting *settings; /* the list, n of them */
    struct slot *slots;             /* in the order of the list */
    struct slot **sorted;           /* by section and key */
    size_t n;
    char *file;
};

/* ---- the list ---- */

static int compare_names(const struct setting *a, const struct setting *b)
{
    int order = strcmp(a->section, b->section);

    return order ? order : strcmp(a->key, b->key);
}

static int compare_slots(const void *a, const void *b)
{
    const struct slot *const *x = a, *const *y = b;

    return compare_names((*x)->setting, (*y)->setting);
}

static struct slot *find_slot(const struct conf *conf, const char *section, const char *key)
{
    const struct setting wanted = {.section = section, .key = key};
    size_t from = 0, to = conf->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = compare_names(&wanted, conf->sorted[middle]->setting);

        if (order == 0)
            return conf->sorted[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* Every setting with its default. A list that contradicts itself is a bug of the program. */
static enum err_code fill_slots(struct conf *conf, const struct setting *settings, size_t n,
                                struct err *err)
{
    conf->slots = calloc(n ? n : 1, sizeof *conf->slots);
    conf->sorted = calloc(n ? n : 1, sizeof(struct slot *));
    if (!conf->slots || !conf->sorted)
        return err_nomem(err);
    conf->settings = settings;
    conf->n = n;
    for (size_t i = 0; i < n; i++) {
        const struct setting *s = &settings[i];

        conf->slots[i] = (struct slot){.setting = s, .value = s->fallback};
        conf->sorted[i] = &conf->slots[i];
        if (s->fallback && setting_judge(s, s->fallback, "default", ERR_INTERNAL, err) != ERR_OK) {
            err_prefix(err, "[%s] %s", s->section, s->key);
            return err->code;
        }
    }
    qsort(conf->sorted, n, sizeof(struct slot *), compare_slots);
    for (size_t i = 1; i < n; i++)
        if (compare_slots(&conf->sorted[i - 1], &conf->sorted[i]) == 0)
            return err_set(err, ERR_INTERNAL, "setting [%s] %s is listed twice",
                           conf->sorted[i]->setting->section, conf->sorted[i]->setting->key);
    return ERR_OK;
}

/* Puts a new value in force. `place` names it in messages. */
static enum err_code put_value(struct slot *slot, const char *value, enum setting_source source,
                               const char *place, struct err *err)
{
    char *copy;

    if (setting_judge(slot->setting, value, place, ERR_CONFIG, err) != ERR_OK)
        return err->code;
    copy = strdup(value);
    if (!copy)
        return err_nomem(err);
    free(slot->owned);
    slot->value = slot->owned = copy;
    slot->source = source;
    return ERR_OK;
}

/* ---- the file ---- */

static enum err_code check_section(const struct conf *conf, const struct conf_scan *scan,
                                   const struct scan_item *item, struct err *err)
{
    if (!setting_section_exists(conf->settings, conf->n, item->section))
        return setting_unknown(conf->settings, conf->n, item->section, NULL, err);
    for (const struct scan_item *i = scan->items; i < item; i++) {
        if (!i->key && str_eq(i->section, item->section)) {
            err_set(err, ERR_CONFIG, "section [%s] stands twice, first on line %zu", item->section,
                    i->line);
            err_hint(err, "put the settings of a section together");
            return err->code;
        }
    }
    return ERR_OK;
}

/* Judges names and values of the whole file, and puts them in force. */
static enum err_code take_items(struct conf *conf, const struct conf_scan *scan, const char *file,
                                struct err *err)
{
    for (const struct scan_item *i = scan->items; i < scan->items + scan->n_items; i++) {
        _cleanup_free_ char *place = NULL;
        struct slot *slot;

        if (!i->key) {
            if (check_section(conf, scan, i, err) == ERR_OK)
                continue;
            err_prefix(err, "%s:%zu", file, i->line);
            return err->code;
        }
        slot = find_slot(conf, i->section, i->key);
        if (!slot || slot->line > 0) {
            if (!slot)
                setting_unknown(conf->settings, conf->n, i->section, i->key, err);
            else {
                err_set(err, ERR_CONFIG, "[%s] %s stands twice, first on line %zu", i->section,
                        i->key, slot->line);
                err_hint(err, "remove one of them");
            }
            err_prefix(err, "%s:%zu", file, i->line);
            return err->code;
        }
        place = str_format("%s:%zu: [%s] %s", file, i->line, i->section, i->key);
        if (!place)
            return err_nomem(err);
        if (put_value(slot, i->value, FROM_FILE, place, err) != ERR_OK)
            return err->code;
        slot->line = i->line;
    }
    return ERR_OK;
}

/* ---- iniparser: held to what the scan read ---- */

/* What iniparser holds, told through shared memory by the child that asked it. */
struct verdict {
    enum { NO_VERDICT, SAME_VALUES, OTHER_VALUE, NO_SYNTAX } is;
    size_t line; /* OTHER_VALUE */
};

/* Whether iniparser complained of the text. It has no other way to tell, and would print the
   offending line. */
static bool ini_bad_syntax;

static int on_ini_error(const char *format, ...)
{
    if (strstr(format, "syntax") || strstr(format, "too long"))
        ini_bad_syntax = true;
    return 0;
}

/* Compares every section and key. Where memory runs out, iniparser leaves keys or values out and
   reports success; then there is no verdict. */
static void compare_items(const dictionary *ini, const struct conf_scan *scan,
                          struct verdict *verdict)
{
    static const char absent[] = ""; /* told by its address */

    for (const struct scan_item *i = scan->items; i < scan->items + scan->n_items; i++) {
        _cleanup_free_ char *name =
            str_format("%s%s%s", i->section, i->key ? ":" : "", i->key ? i->key : "");
        const char *value = name ? iniparser_getstring(ini, name, absent) : absent;

        if (value == absent || (i->key && !value))
            return;
        if (!str_eq(value, i->value)) { /* both NULL for a section */
            *verdict = (struct verdict){OTHER_VALUE, i->line};
            return;
        }
    }
    verdict->is = SAME_VALUES;
}

/* The child: lets iniparser read the bytes that were scanned. */
_Noreturn static void ask_iniparser(const char *path, const struct conf_scan *scan,
                                    struct verdict *verdict)
{
    static const struct rlimit no_core;
    dictionary *ini;

    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    signal(SIGINT, SIG_IGN); /* the parent's to answer */
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    iniparser_set_error_callback(on_ini_error);
    ini = iniparser_load(path);
    if (ini)
        compare_items(ini, scan, verdict);
    else if (ini_bad_syntax)
        verdict->is = NO_SYNTAX;
    if (ini)
        iniparser_freedict(ini);
    _exit(0);
}

/* In a child, because iniparser 4.1 writes through NULL when dictionary_new finds no memory. No
   verdict means that it died so, or could not hold all. */
static enum err_code get_verdict(const char *path, const struct conf_scan *scan,
                                 struct verdict *ret, struct err *err)
{
    struct verdict *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child;

    if (shared == MAP_FAILED)
        return err_nomem(err);
    child = fork();
    if (child == 0)
        ask_iniparser(path, scan, shared);
    if (child < 0)
        err_sys(err, ERR_NOMEM, errno, "could not start a process");
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    *ret = *shared;
    munmap(shared, sizeof *shared);
    return err->code;
}

/* A file in memory with these bytes; -1 with errno if there is none. */
static int memory_file(const char *text, size_t len)
{
    int fd = memfd_create("lapse.ini", MFD_CLOEXEC);

    for (size_t done = 0; fd >= 0 && done < len;) {
        ssize_t n = write(fd, text + done, len - done);

        if (n < 0 && errno != EINTR) {
            closep(&fd);
            return -1;
        }
        if (n > 0)
            done += (size_t)n;
    }
    return fd;
}

/* Refuses a file that iniparser does not read as the scan did. */
static enum err_code check_with_iniparser(const char *text, size_t len,
                                          const struct conf_scan *scan, const char *file,
                                          struct err *err)
{
    _cleanup_close_ int fd = memory_file(text, len);
    _cleanup_free_ char *path = str_format("/proc/self/fd/%d", fd);
    struct verdict verdict = {0};

    if (fd < 0)
        return err_sys(err, ERR_NOMEM, errno, "could not copy settings file \"%s\"", file);
    if (!path)
        return err_nomem(err);
    if (access(path, R_OK) < 0) {
        err_sys(err, ERR_CONFIG, errno, "could not open \"%s\"", path);
        err_hint(err, "lapse needs /proc to be mounted");
        return err->code;
    }
    if (get_verdict(path, scan, &verdict, err) != ERR_OK || verdict.is == SAME_VALUES)
        return err->code;
    if (verdict.is == OTHER_VALUE)
        err_set(err, ERR_CONFIG, "%s:%zu: iniparser reads another value than is written", file,
                verdict.line);
    else if (verdict.is == NO_SYNTAX)
        err_set(err, ERR_CONFIG, "settings file \"%s\" is refused by iniparser", file);
    else
        return err_nomem(err);
    err_hint(err, "write values in double quotes, without quotes and backslashes in them");
    return err->code;
}

static enum err_code load_file(struct conf *conf, const char *file, struct err *err)
{
    _cleanup_scan_ struct conf_scan scan = {0};
    _cleanup_free_ char *text = NULL;
    size_t len;

    if (conf_read_file(file, &text, &len, err) != ERR_OK ||
        conf_scan(&scan, text, len, file, err) != ERR_OK ||
        take_items(conf, &scan, file, err) != ERR_OK ||
        check_with_iniparser(text, len, &scan, file, err) != ERR_OK)
        return err->code;
    conf->file = strdup(file);
    return conf->file ? ERR_OK : err_nomem(err);
}

/* -c, LAPSE_CONFIG, or the usual place where it exists. */
static enum err_code load_some_file(struct conf *conf, const char *file, struct err *err)
{
    static const char usual[] = LAPSE_SYSCONFDIR "/lapse/lapse.ini";

    if (file)
        return load_file(conf, file, err);
    file = getenv("LAPSE_CONFIG");
    if (file)
        return load_file(conf, file, err);
    if (access(usual, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return ERR_OK;
    return load_file(conf, usual, err);
}

/* ---- environment and command line ---- */

static char env_char(char c)
{
    if (c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 'A');
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ? c : '_';
}

/* LAPSE_SECTION_KEY, in new memory. */
static char *env_name(const struct setting *setting)
{
    char *name = str_format("LAPSE_%s_%s", setting->section, setting->key);

    for (char *c = name; c && *c; c++)
        *c = env_char(*c);
    return name;
}

/* Names of all settings in the environment, one allocation each; conf->n of them. */
static char **env_names(const struct conf *conf)
{
    char **names = calloc(conf->n + 1, sizeof *names);

    for (size_t i = 0; names && i < conf->n; i++) {
        names[i] = env_name(conf->slots[i].setting);
        if (!names[i]) {
            while (i > 0)
                free(names[--i]);
            freep(&names);
        }
    }
    return names;
}

static enum err_code take_variable(struct conf *conf, char **names, const char *variable,
                                   struct err *err)
{
    size_t len = (size_t)(strchrnul(variable, '=') - variable);
    _cleanup_free_ char *name = strndup(variable, len);
    struct slot *slot = NULL;
    const char *near;

    if (!name)
        return err_nomem(err);
    for (size_t i = 0; i < conf->n; i++) {
        if (!str_eq(name, names[i]))
            continue;
        if (slot)
            return err_set(err, ERR_INTERNAL, "%s stands for two settings", name);
        slot = &conf->slots[i];
    }
    if (slot)
        return put_value(slot, variable + len + (variable[len] == '='), FROM_ENVIRONMENT, name,
                         err);
    near = nearest_word(name, (const char *const *)names, conf->n);
    if (text_fault(name, len, false))
        err_set(err, ERR_CONFIG,
                "an environment variable that starts with LAPSE_ names no setting");
    else
        err_set(err, ERR_CONFIG, "environment variable %s names no setting", name);
    if (near)
        err_hint(err, "did you mean %s?", near);
    err_hint(err, "write LAPSE_SECTION_KEY in upper case; names that start with LAPSE_ are kept "
                  "for settings");
    return err->code;
}

static enum err_code take_environment(struct conf *conf, struct err *err)
{
    char **names = env_names(conf);

    if (!names)
        return err_nomem(err);
    for (char **v = environ; v && *v && err->code == ERR_OK; v++)
        if (strncmp(*v, "LAPSE_", 6) == 0 && strncmp(*v, "LAPSE_CONFIG=", 13) != 0 &&
            strncmp(*v, "LAPSE_TEST_", 11) != 0)
            take_variable(conf, names, *v, err);
    for (size_t i = 0; i < conf->n; i++)
        free(names[i]);
    free(names);
    return err->code;
}

static enum err_code malformed_set(struct err *err)
{
    err_set(err, ERR_USAGE, "option --set needs SECTION.KEY=VALUE");
    err_hint(err, "write for instance --set reports.formats=csv");
    return err->code;
}

/* section.key=value; the key stands behind the last dot before "=". */
static enum err_code take_set(struct conf *conf, const char *set, struct err *err)
{
    const char *equals = strchr(set, '=');
    const char *dot = equals ? memrchr(set, '.', (size_t)(equals - set)) : NULL;
    _cleanup_free_ char *section = NULL, *key = NULL, *place = NULL;
    struct slot *slot;

    if (!dot || dot == set || dot + 1 == equals || text_fault(set, (size_t)(equals - set), false))
        return malformed_set(err);
    section = strndup(set, (size_t)(dot - set));
    key = strndup(dot + 1, (size_t)(equals - dot - 1));
    place = str_format("--set %.*s", (int)(equals - set), set);
    if (!section || !key || !place)
        return err_nomem(err);
    slot = find_slot(conf, section, key);
    if (!slot) {
        setting_unknown(conf->settings, conf->n, section, key, err);
        err_prefix(err, "%s", place);
        return err->code;
    }
    if (slot->source == FROM_COMMAND_LINE) {
        err_set(err, ERR_USAGE, "%s is given twice", place);
        err_hint(err, "give each setting once");
        return err->code;
    }
    return put_value(slot, equals + 1, FROM_COMMAND_LINE, place, err);
}

/* ---- the whole ---- */

enum err_code conf_load(struct conf **ret, const struct setting *settings, size_t n_settings,
                        const struct conf_source *source, struct err *err)
{
    _cleanup_conf_ struct conf *conf = calloc(1, sizeof *conf);

    if (!conf)
        return err_nomem(err);
    if (fill_slots(conf, settings, n_settings, err) != ERR_OK ||
        load_some_file(conf, source->file, err) != ERR_OK || take_environment(conf, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < source->n_sets; i++)
        if (take_set(conf, source->sets[i], err) != ERR_OK)
            return err->code;
    *ret = TAKE_PTR(conf);
    return ERR_OK;
}

void conf_free(struct conf *conf)
{
    if (!conf)
        return;
    for (size_t i = 0; i < conf->n; i++)
        free(conf->slots[i].owned);
    free(conf->slots);
    free(conf->sorted);
    free(conf->file);
    free(conf);
}

void conf_freep(struct conf **conf)
{
    conf_free(*conf);
    *conf = NULL;
}

const char *conf_file(const struct conf *conf)
{
    return conf->file;
}

static const struct slot *slot_of(const struct conf *conf, const char *section, const char *key)
{
    const struct slot *slot = find_slot(conf, section, key);

    if (!slot) {
        fprintf(stderr, "lapse: bug: there is no setting [%s] %s\n", section, key);
        abort();
    }
    return slot;
}

/* The value of a setting that is set and has the type; anything else is a bug. */
static const char *value_of(const struct conf *conf, const char *section, const char *key,
                            enum setting_type type)
{
    const struct slot *slot = slot_of(conf, section, key);

    if (!slot->value || slot->setting->type != type) {
        fprintf(stderr, "lapse: bug: setting [%s] %s %s\n", section, key,
                slot->value ? "has another type" : "is read though it is not set");
        abort();
    }
    return slot->value;
}

const char *conf_text(const struct conf *conf, const char *section, const char *key)
{
    return slot_of(conf, section, key)->value;
}

int64_t conf_int(const struct conf *conf, const char *section, const char *key)
{
    int64_t value = 0;

    if (!parse_int64(value_of(conf, section, key, SETTING_INT), INT64_MIN, INT64_MAX, &value))
        abort(); /* it was judged */
    return value;
}

bool conf_bool(const struct conf *conf, const char *section, const char *key)
{
    return str_eq(value_of(conf, section, key, SETTING_BOOL), "yes");
}

int64_t conf_seconds(const struct conf *conf, const char *section, const char *key)
{
    return duration_seconds(value_of(conf, section, key, SETTING_DURATION));
}

bool conf_is_set(const struct conf *conf, const char *section, const char *key)
{
    return slot_of(conf, section, key)->value != NULL;
}

bool conf_each(const struct conf *conf, size_t n, const struct setting **ret_setting,
               const char **ret_value, enum setting_source *ret_source)
{
    if (n >= conf->n)
        return false;
    *ret_setting = conf->slots[n].setting;
    *ret_value = conf->slots[n].value;
    *ret_source = conf->slots[n].source;
    return true;
}
