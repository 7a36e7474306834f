/* A part of a workbook, read from its bytes as they are unpacked: is it well-formed, what does a
 * sheet hold, and what do the package's lists say?
 *
 *     xlsx_part_open(&part, path, name, &lists, &err)
 *     xlsx_part_add(part, bytes, n, &err)            as often as there are some
 *     xlsx_part_end(part, &sum, &err)                the sheet's cells; {0} of any other part
 *
 * The rows of a sheet that have the form we write them in are taken by sheet_row_read, all else by
 * expat: together they see every byte once. Anything wrong is ERR_IO and names the workbook.
 */
#ifndef LAPSE_XLSX_PART_H
#define LAPSE_XLSX_PART_H

#include "err.h"
#include "util.h"
#include "xlsx_sum.h"

/* A pair of texts from the package's own lists. */
struct xlsx_pair {
    char *key, *value;
};

struct xlsx_pairs {
    struct xlsx_pair *items;
    size_t n;
};

/* {0} is empty; xlsx_lists_done frees. */
struct xlsx_lists {
    struct xlsx_pairs sheets;    /* a sheet's name and its relation's id, in their order */
    struct xlsx_pairs relations; /* a relation's id and its target */
    struct xlsx_pairs types;     /* a part with a type of its own, and "" */
};

/* The value of the first pair with that key, or NULL. */
const char *xlsx_pairs_find(const struct xlsx_pairs *pairs, const char *key);
void xlsx_lists_done(struct xlsx_lists *lists);

struct xlsx_part;

/* `path` is the workbook's; it, `name` and `lists` are borrowed until the part is freed. */
enum err_code xlsx_part_open(struct xlsx_part **ret, const char *path, const char *name,
                             struct xlsx_lists *lists, struct err *err) _must_check_;
enum err_code xlsx_part_add(struct xlsx_part *part, const void *bytes, size_t n,
                            struct err *err) _must_check_;
enum err_code xlsx_part_end(struct xlsx_part *part, struct xlsx_sum *ret,
                            struct err *err) _must_check_;
void xlsx_part_freep(struct xlsx_part **part);

/* Says that a workbook is not what was written: ERR_IO, unless there is an error already. */
enum err_code xlsx_damaged(struct err *err, const char *path, const char *format, ...)
    _printf_(3, 4);

#endif
