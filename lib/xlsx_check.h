/* Is a workbook whole, and does it hold what was written?
 *
 * libxlsxwriter reports success for workbooks torn by a full disk. So whoever writes one keeps a
 * running sum of every cell of each sheet (xlsx_sum_cell), and afterwards has the file read back:
 *
 *     xlsx_check(path, sheets, n, &err)
 *
 * That takes the file apart without trusting any of it: the zip's records must follow each other
 * without a gap from the first byte to the last, every part must unpack with its checksum and be
 * well-formed XML, the parts must be those that [Content_Types].xml lists, and the sheets must have
 * the names, order, rows, cells and values that were written. A formula, a link, or a defined name
 * other than the filter's and the print titles' is refused as well: a workbook opened runs
 * nothing. Anything wrong is ERR_IO and names the path. Memory is flat: parts are streamed.
 */
#ifndef LAPSE_XLSX_CHECK_H
#define LAPSE_XLSX_CHECK_H

#include <stddef.h>
#include "err.h"
#include "xlsx_sum.h"

struct xlsx_sheet {
    const char *name;
    struct xlsx_sum sum;
};

enum err_code xlsx_check(const char *path, const struct xlsx_sheet *sheets, size_t n,
                         struct err *err) _must_check_;

#endif
