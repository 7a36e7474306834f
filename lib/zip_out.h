/* Writes a zip package into a file, front to back: what a part amounts to is known before it comes.
 *
 *     struct zip_out zip = {.file = file};
 *     zip_out_part(&zip, name, &sum, &err)       then exactly sum.packed bytes:
 *     zip_out_write(&zip, data, len, &err)
 *     zip_out_end(&zip, &err)                    the directory; the file is the caller's to finish
 *     zip_out_done(&zip)
 *
 * Parts are deflated already. Names, sizes and order are all that the bytes depend on: the date is
 * always 1980-01-01. Headers are plain, and zip64 only for a part, an offset or a directory beyond
 * 4 GiB: some readers refuse it, and most refuse data descriptors with it.
 */
#ifndef LAPSE_ZIP_OUT_H
#define LAPSE_ZIP_OUT_H

#include "outfile.h"
#include "pack.h"

struct zip_out {
    struct outfile *file; /* borrowed */
    struct strbuf directory;
    uint64_t offset, left; /* bytes written; bytes that the part still wants */
    unsigned parts;
};

enum err_code zip_out_part(struct zip_out *zip, const char *name, const struct pack_sum *sum,
                           struct err *err) _must_check_;
enum err_code zip_out_write(struct zip_out *zip, const void *data, size_t len,
                            struct err *err) _must_check_;
enum err_code zip_out_end(struct zip_out *zip, struct err *err) _must_check_;
void zip_out_done(struct zip_out *zip);

#endif
