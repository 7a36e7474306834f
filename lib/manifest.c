/* manifest.json and SHA256SUMS: see manifest.h. */
#define _GNU_SOURCE
#include "manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <jansson.h>

#include "fs.h"
#include "outfile.h"

#include "ban.h"

void manifest_file_done(struct manifest_file *file)
{
    free(file->name);
    free(file->job);
    free(file->as_of);
    free(file->version);
    for (size_t i = 0; i < file->n_totals; i++)
        free(file->totals[i].header);
    free(file->totals);
    *file = (struct manifest_file){0};
}

#define _cleanup_file_ _cleanup_(manifest_file_done)

void manifest_done(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->n; i++)
        manifest_file_done(&manifest->files[i]);
    free(manifest->files);
    free(manifest->as_of);
    free(manifest->version);
    free(manifest->audit_head);
    *manifest = (struct manifest){0};
}

enum err_code manifest_add(struct manifest *manifest, struct manifest_file *file, struct err *err)
{
    if (manifest->n == manifest->room) {
        size_t room = manifest->room ? 2 * manifest->room : 32;
        void *grown = reallocarray(manifest->files, room, sizeof *manifest->files);

        if (!grown) {
            manifest_file_done(file);
            return err_nomem(err);
        }
        manifest->files = grown;
        manifest->room = room;
    }
    manifest->files[manifest->n++] = *file;
    *file = (struct manifest_file){0};
    return ERR_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct manifest_file *left = a, *right = b;

    return strcmp(left->name, right->name);
}

enum err_code manifest_sort(struct manifest *manifest, struct err *err)
{
    if (manifest->n > 1)
        qsort(manifest->files, manifest->n, sizeof *manifest->files, by_name);
    for (size_t i = 1; i < manifest->n; i++) {
        const struct manifest_file *a = &manifest->files[i - 1], *b = &manifest->files[i];

        if (strcmp(a->name, b->name) == 0)
            return err_set(err, ERR_CONFIG, "\"%s\" is written twice: by \"%s\" and by \"%s\"",
                           a->name, a->job, b->job);
    }
    return ERR_OK;
}

struct manifest_file *manifest_find(const struct manifest *manifest, const char *name)
{
    size_t low = 0, high = manifest->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, manifest->files[middle].name);

        if (order == 0)
            return &manifest->files[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool manifest_name_ok(const char *name)
{
    if (*name == '\0' || *name == '.' || strlen(name) > 255)
        return false;
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f || *c == '/' || *c == '\\')
            return false;
    return !str_eq(name, MANIFEST_NAME) && !str_eq(name, SUMS_NAME);
}

/* Everything in the file, or just more than `enough` bytes of it. */
static enum err_code read_text(int fd, size_t enough, const char *shown, const char *name,
                               struct strbuf *ret, struct err *err)
{
    char block[16384];
    ssize_t n = 1;

    while (ret->len <= enough && n != 0) {
        n = fs_inject("read") < 0 ? -1 : read(fd, block, sizeof block);
        if (n < 0 && errno != EINTR) {
            int errnum = errno;

            err_sys(err, ERR_IO, errnum, "could not read \"%s/%s\"", shown, name);
            return fs_hint(err, errnum);
        }
        if (n > 0)
            sb_add(ret, block, (size_t)n);
        if (!sb_text(ret))
            return err_nomem(err);
    }
    return ERR_OK;
}

/* Reading. Each taker returns false when the key is absent or of another kind. */

#define _cleanup_json_ _cleanup_(json_decrefp)

static bool take_text(const json_t *object, const char *key, char **ret)
{
    const char *text = json_string_value(json_object_get(object, key));

    *ret = text ? strdup(text) : NULL;
    return *ret;
}

static bool take_number(const json_t *object, const char *key, int64_t *ret)
{
    const json_t *value = json_object_get(object, key);

    *ret = json_integer_value(value);
    return json_is_integer(value);
}

static bool take_count(const json_t *object, const char *key, uint64_t *ret)
{
    int64_t number;

    if (!take_number(object, key, &number) || number < 0)
        return false;
    *ret = (uint64_t)number;
    return true;
}

static bool take_digest(const json_t *object, char ret[65])
{
    const char *text = json_string_value(json_object_get(object, "sha256"));

    if (!text || strlen(text) != 64 || strspn(text, "0123456789abcdef") != 64)
        return false;
    memcpy(ret, text, 65);
    return true;
}

static bool take_totals(json_t *object, struct manifest_file *file)
{
    json_t *totals = json_object_get(object, "totals"), *value;
    const char *header;

    if (!json_is_object(totals))
        return false;
    file->totals = calloc(json_object_size(totals) + 1, sizeof *file->totals);
    if (!file->totals)
        return false;
    json_object_foreach(totals, header, value)
    {
        char *copy = json_is_integer(value) ? strdup(header) : NULL;

        if (!copy)
            return false;
        file->totals[file->n_totals++] =
            (struct manifest_total){.header = copy, .value = json_integer_value(value)};
    }
    return true;
}

static bool take_file(json_t *object, struct manifest_file *file)
{
    return take_text(object, "name", &file->name) && manifest_name_ok(file->name) &&
           take_text(object, "job", &file->job) && take_number(object, "run", &file->run_id) &&
           take_text(object, "as_of", &file->as_of) &&
           take_text(object, "version", &file->version) &&
           take_count(object, "rows", &file->rows) && take_count(object, "bytes", &file->bytes) &&
           take_totals(object, file) && take_digest(object, file->sha256) &&
           take_count(object, "altered", &file->altered);
}

static enum err_code untrusted(const char *shown, const char *why, struct err *err)
{
    err_set(err, ERR_CHECKSUM, "could not trust \"%s/" MANIFEST_NAME "\": %s", shown, why);
    err_hint(err,
             "restore it from a backup, or move the folder \"%s\" away and run the jobs for "
             "that date again",
             shown);
    return err->code;
}

static enum err_code take_manifest(struct manifest *ret, json_t *root, const char *shown,
                                   struct err *err)
{
    json_t *files = json_object_get(root, "files"), *head = json_object_get(root, "audit_head");
    json_t *entry;
    size_t i;

    if (!take_text(root, "as_of", &ret->as_of) || !take_text(root, "version", &ret->version) ||
        !json_is_array(files))
        return untrusted(shown, "as_of, version or files is missing", err);
    if (json_is_string(head) && !take_text(root, "audit_head", &ret->audit_head))
        return err_nomem(err);
    json_array_foreach(files, i, entry)
    {
        _cleanup_file_ struct manifest_file file = {0};

        if (!take_file(entry, &file)) {
            _cleanup_free_ char *why =
                str_format("entry %zu of files is not of the known form", i + 1);

            return why ? untrusted(shown, why, err) : err_nomem(err);
        }
        if (manifest_add(ret, &file, err) != ERR_OK)
            return err->code;
        if (i > 0 && by_name(&ret->files[i - 1], &ret->files[i]) >= 0)
            return untrusted(shown, "files is not sorted by name", err);
    }
    return ERR_OK;
}

enum err_code manifest_read(struct manifest *ret, int dir, const char *shown, struct err *err)
{
    _cleanup_close_ int fd =
        openat(dir, MANIFEST_NAME, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_manifest_ struct manifest manifest = {0};
    _cleanup_json_ json_t *root = NULL;
    _cleanup_sb_ struct strbuf text = {0};
    json_error_t why = {0};
    struct stat st;

    if (fd < 0 && errno == ENOENT)
        return untrusted(shown, "it is missing", err);
    if (fd < 0 && errno == ELOOP)
        return untrusted(shown, "it is a symbolic link", err);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, ERR_IO, errno, "could not open \"%s/" MANIFEST_NAME "\"", shown);
    if (!S_ISREG(st.st_mode))
        return untrusted(shown, "it is not a regular file", err);
    if (read_text(fd, SIZE_MAX - 1, shown, MANIFEST_NAME, &text, err) != ERR_OK)
        return err->code;
    root = json_loadb(sb_text(&text), text.len, JSON_REJECT_DUPLICATES, &why);
    if (!root && json_error_code(&why) == json_error_out_of_memory)
        return err_nomem(err);
    if (!root) {
        _cleanup_free_ char *reason = str_format("line %d: %s", why.line, why.text);

        return reason ? untrusted(shown, reason, err) : err_nomem(err);
    }
    if (take_manifest(&manifest, root, shown, err) != ERR_OK)
        return err->code;
    *ret = manifest;
    manifest = (struct manifest){0};
    return ERR_OK;
}

/* Writing. */

/* A header that stands in several tables of a workbook is told apart: "Used", "Used (2)". */
static int put_total(json_t *totals, const struct manifest_total *total)
{
    if (!json_object_get(totals, total->header))
        return json_object_set_new(totals, total->header, json_integer(total->value));
    for (int i = 2;; i++) {
        _cleanup_free_ char *name = str_format("%s (%d)", total->header, i);

        if (!name)
            return -1;
        if (!json_object_get(totals, name))
            return json_object_set_new(totals, name, json_integer(total->value));
    }
}

static json_t *file_json(const struct manifest_file *file)
{
    _cleanup_json_ json_t *totals = json_object();

    for (size_t i = 0; i < file->n_totals; i++)
        if (put_total(totals, &file->totals[i]) < 0)
            return NULL;
    return json_pack("{s:s, s:s, s:I, s:s, s:s, s:I, s:I, s:O, s:s, s:I}", "name", file->name,
                     "job", file->job, "run", (json_int_t)file->run_id, "as_of", file->as_of,
                     "version", file->version, "rows", (json_int_t)file->rows, "bytes",
                     (json_int_t)file->bytes, "totals", totals, "sha256", file->sha256, "altered",
                     (json_int_t)file->altered);
}

static char *manifest_text(const struct manifest *manifest, struct err *err)
{
    _cleanup_json_ json_t *files = json_array(), *root = NULL;
    char *text;

    for (size_t i = 0; i < manifest->n; i++)
        if (json_array_append_new(files, file_json(&manifest->files[i])) < 0) {
            err_set(err, ERR_INTERNAL, "could not describe \"%s\": a text that is not UTF-8",
                    manifest->files[i].name);
            return NULL;
        }
    root = json_pack("{s:s, s:s, s:s?, s:O}", "as_of", manifest->as_of, "version",
                     manifest->version, "audit_head", manifest->audit_head, "files", files);
    text = root ? json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII) : NULL;
    if (!text)
        err_nomem(err);
    return text;
}

static void add_sums(const struct manifest *manifest, struct strbuf *text)
{
    for (size_t i = 0; i < manifest->n; i++)
        sb_addf(text, "%s  %s\n", manifest->files[i].sha256, manifest->files[i].name);
}

static enum err_code write_file(const char *path, const char *name, const char *text, size_t len,
                                struct err *err)
{
    _cleanup_outfile_ struct outfile *file = NULL;

    if (outfile_open(&file, path, name, err) != ERR_OK ||
        outfile_write(file, text, len, err) != ERR_OK)
        return err->code;
    return outfile_finish(TAKE_PTR(file), err);
}

enum err_code manifest_write(const struct manifest *manifest, const char *path, struct err *err)
{
    _cleanup_free_ char *text = manifest_text(manifest, err);
    _cleanup_sb_ struct strbuf lines = {0};

    if (!text)
        return err->code;
    sb_addf(&lines, "%s\n", text);
    if (!sb_text(&lines))
        return err_nomem(err);
    if (write_file(path, MANIFEST_NAME, lines.text, lines.len, err) != ERR_OK)
        return err->code;
    sb_reset(&lines);
    add_sums(manifest, &lines);
    if (!sb_text(&lines))
        return err_nomem(err);
    return write_file(path, SUMS_NAME, sb_text(&lines), lines.len, err);
}

/* Verifying. */

enum err_code manifest_compare(const struct manifest_file *file, int dir, const char *shown,
                               enum set_difference *ret_what, char **ret_detail, struct err *err)
{
    _cleanup_close_ int fd =
        openat(dir, file->name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_free_ char *path = str_format("%s/%s", shown, file->name);
    char sha256[65], *detail = NULL;
    uint64_t bytes;
    struct stat st;

    if (!path)
        return err_nomem(err);
    *ret_what = SET_CHANGED;
    if (fd < 0 && errno == ENOENT) {
        *ret_what = SET_MISSING;
        detail = strdup("it is gone");
    } else if (fd < 0 && errno == ELOOP) {
        detail = strdup("it is a symbolic link");
    } else if (fd < 0 || fstat(fd, &st) < 0) {
        return err_sys(err, ERR_IO, errno, "could not open \"%s\"", path);
    } else if (!S_ISREG(st.st_mode)) {
        detail = strdup("it is not a regular file");
    } else if ((uint64_t)st.st_size != file->bytes) {
        detail = str_format("%jd bytes instead of %" PRIu64, (intmax_t)st.st_size, file->bytes);
    } else {
        if (fd_sha256(fd, path, sha256, &bytes, err) != ERR_OK)
            return err->code;
        if (bytes == file->bytes && strcmp(sha256, file->sha256) == 0) {
            *ret_detail = NULL;
            return ERR_OK;
        }
        detail = strdup("other bytes");
    }
    *ret_detail = detail;
    return detail ? ERR_OK : err_nomem(err);
}

struct findings {
    set_found *found;
    void *arg;
    size_t n;
};

static void tell(struct findings *findings, const char *name, enum set_difference what,
                 const char *detail)
{
    findings->n++;
    if (findings->found)
        findings->found(findings->arg, name, what, detail);
}

static enum err_code verify_sums(const struct manifest *manifest, int dir, const char *shown,
                                 struct findings *findings, struct err *err)
{
    _cleanup_close_ int fd = openat(dir, SUMS_NAME, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_sb_ struct strbuf should = {0}, is = {0};

    if (fd < 0 && errno == ENOENT) {
        tell(findings, SUMS_NAME, SET_MISSING, "it is gone");
        return ERR_OK;
    }
    if (fd < 0 && errno == ELOOP) {
        tell(findings, SUMS_NAME, SET_CHANGED, "it is a symbolic link");
        return ERR_OK;
    }
    if (fd < 0)
        return err_sys(err, ERR_IO, errno, "could not open \"%s/" SUMS_NAME "\"", shown);
    add_sums(manifest, &should);
    if (read_text(fd, should.len, shown, SUMS_NAME, &is, err) != ERR_OK)
        return err->code;
    if (!sb_text(&should))
        return err_nomem(err);
    if (is.len != should.len || (is.len > 0 && memcmp(is.text, should.text, is.len) != 0))
        tell(findings, SUMS_NAME, SET_CHANGED, "it does not say what the manifest says");
    return ERR_OK;
}

static enum err_code verify_unknown(const struct manifest *manifest, int dir, const char *shown,
                                    struct findings *findings, struct err *err)
{
    _cleanup_closedir_ DIR *stream = fs_list(dir);
    struct dirent *entry;

    if (!stream)
        return err_sys(err, ERR_IO, errno, "could not list \"%s\"", shown);
    while ((entry = fs_next(stream)))
        if (!str_eq(entry->d_name, MANIFEST_NAME) && !str_eq(entry->d_name, SUMS_NAME) &&
            !manifest_find(manifest, entry->d_name))
            tell(findings, entry->d_name, SET_UNKNOWN, "the manifest does not name it");
    if (errno != 0)
        return err_sys(err, ERR_IO, errno, "could not list \"%s\"", shown);
    return ERR_OK;
}

enum err_code set_verify_at(int dir, const char *shown, const struct deadline *deadline,
                            set_found *found, void *arg, struct err *err)
{
    _cleanup_manifest_ struct manifest manifest = {0};
    struct findings findings = {.found = found, .arg = arg};

    if (manifest_read(&manifest, dir, shown, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < manifest.n; i++) {
        _cleanup_free_ char *detail = NULL;
        enum set_difference what;

        if (deadline_check(deadline, err) != ERR_OK ||
            manifest_compare(&manifest.files[i], dir, shown, &what, &detail, err) != ERR_OK)
            return err->code;
        if (detail)
            tell(&findings, manifest.files[i].name, what, detail);
    }
    if (verify_sums(&manifest, dir, shown, &findings, err) != ERR_OK ||
        verify_unknown(&manifest, dir, shown, &findings, err) != ERR_OK)
        return err->code;
    if (findings.n == 0)
        return ERR_OK;
    err_set(err, ERR_CHECKSUM, "%zu file%s in \"%s\" differ%s from the manifest", findings.n,
            findings.n == 1 ? "" : "s", shown, findings.n == 1 ? "s" : "");
    err_hint(err, "restore from a backup, or run the jobs for that date again; move away what is "
                  "not lapse's own");
    return err->code;
}

enum err_code set_verify(const char *dir, const struct deadline *deadline, set_found *found,
                         void *arg, struct err *err)
{
    _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_sys(err, ERR_NOINPUT, errno, "could not open \"%s\"", dir);
    if (fd < 0)
        return err_sys(err, ERR_IO, errno, "could not open \"%s\"", dir);
    /* Held until it is closed; a sweep leaves a retired folder that somebody holds. Where it
       cannot be had, verifying goes on: the folder might only vanish underneath. */
    flock(fd, LOCK_SH | LOCK_NB);
    return set_verify_at(fd, dir, deadline, found, arg, err);
}
