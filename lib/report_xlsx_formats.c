/* How a workbook's cells look: the formats of data by their column's type, of heads and titles. */
#include "report_xlsx.h"

#include "ban.h"

static lxw_format *new_format(lxw_workbook *book, bool *ok)
{
    lxw_format *format = workbook_add_format(book);

    *ok = *ok && format;
    return format;
}

static lxw_format *new_header(lxw_workbook *book, uint8_t align, bool *ok)
{
    lxw_format *format = new_format(book, ok);

    if (format) {
        format_set_bold(format);
        format_set_bg_color(format, COLOR_HEADER);
        format_set_bottom(format, LXW_BORDER_THIN);
        format_set_bottom_color(format, COLOR_LINE);
        format_set_align(format, align);
        format_set_indent(format, align == LXW_ALIGN_RIGHT);
        format_set_align(format, LXW_ALIGN_VERTICAL_CENTER);
    }
    return format;
}

/* Dates, instants and ids stand left, like text. */
static lxw_format *new_left_format(lxw_workbook *book, const char *code, bool *ok)
{
    lxw_format *format = new_format(book, ok);

    if (format) {
        format_set_num_format(format, code);
        format_set_align(format, LXW_ALIGN_LEFT);
    }
    return format;
}

static lxw_format *new_number_format(lxw_workbook *book, const char *code, bool *ok)
{
    lxw_format *format = new_format(book, ok);

    if (format) {
        format_set_num_format(format, code);
        format_set_align(format, LXW_ALIGN_RIGHT);
        format_set_indent(format, 1); /* or it would touch a text to the right */
    }
    return format;
}

enum err_code xlsx_make_formats(struct xlsx_sink *xlsx, struct err *err)
{
    lxw_workbook *book = xlsx->book;
    bool ok = true;

    xlsx->title = new_format(book, &ok);
    xlsx->faint = new_format(book, &ok);
    xlsx->heading = new_format(book, &ok);
    xlsx->header = new_header(book, LXW_ALIGN_LEFT, &ok);
    xlsx->header_right = new_header(book, LXW_ALIGN_RIGHT, &ok);
    xlsx->integer = new_number_format(book, "#,##0", &ok);
    xlsx->by_type[COL_ID] = new_left_format(book, "@", &ok);
    xlsx->by_type[COL_COUNT] = xlsx->integer;
    xlsx->by_type[COL_DECIMAL1] = new_number_format(book, "0.0", &ok);
    xlsx->by_type[COL_AMOUNT] = new_number_format(book, "#,##0.00##", &ok);
    xlsx->by_type[COL_DATE] = new_left_format(book, "yyyy-mm-dd", &ok);
    xlsx->by_type[COL_DATE_NA] = xlsx->by_type[COL_DATE];
    xlsx->by_type[COL_INSTANT] = new_left_format(book, "yyyy-mm-dd hh:mm:ss", &ok);
    if (!ok)
        return err_nomem(err);
    format_set_bold(xlsx->title);
    format_set_font_size(xlsx->title, 18);
    format_set_font_color(xlsx->title, COLOR_TITLE);
    format_set_align(xlsx->title, LXW_ALIGN_VERTICAL_CENTER);
    format_set_font_color(xlsx->faint, COLOR_FAINT);
    format_set_bold(xlsx->heading);
    format_set_font_size(xlsx->heading, 12);
    format_set_font_color(xlsx->heading, COLOR_TITLE);
    format_set_bottom(xlsx->heading, LXW_BORDER_MEDIUM);
    format_set_bottom_color(xlsx->heading, COLOR_LINE);
    return ERR_OK;
}
