/* The running sum of a sheet's cells: whoever writes a sheet keeps one, whoever reads it back makes
 * another, and the two must be equal. */
#ifndef LAPSE_XLSX_SUM_H
#define LAPSE_XLSX_SUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What a sheet holds. {0} is an empty sheet; cells are added in the order they are written, row by
   row. Cells without a value (formatted only) do not count. */
struct xlsx_sum {
    uint64_t rows, cells, hash;
    uint32_t next_row; /* the last row added, plus 1 */
};

enum xlsx_cell_kind {
    XLSX_NUMBER = 'n',
    XLSX_TEXT = 's',
};

static inline uint64_t xlsx_sum_mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

/* Adds a cell; `text` is the text, or the number as it stands in the XML. Row and column from 0.
   Inline: it runs twice for each of a workbook's millions of cells. */
static inline void xlsx_sum_cell(struct xlsx_sum *sum, uint32_t row, uint32_t column,
                                 enum xlsx_cell_kind kind, const char *text, size_t len)
{
    uint64_t hash = xlsx_sum_mix(sum->hash, (uint64_t)row << 32 | column), word;

    hash = xlsx_sum_mix(hash, (uint64_t)kind << 32 ^ len);
    for (; len >= sizeof word; text += sizeof word, len -= sizeof word) {
        memcpy(&word, text, sizeof word);
        hash = xlsx_sum_mix(hash, word);
    }
    word = 0;
    if (len > 0)
        memcpy(&word, text, len);
    sum->hash = xlsx_sum_mix(hash, word);
    sum->cells++;
    if (sum->next_row != row + 1)
        sum->rows++;
    sum->next_row = row + 1;
}

#endif
