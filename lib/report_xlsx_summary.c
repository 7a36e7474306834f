/* The sheets around a workbook's tables: Summary, with its figures and charts, and Run. */
#define _GNU_SOURCE
#include "report_xlsx.h"

#include <stdlib.h>
#include <string.h>

#include "ban.h"

enum {
    CHART_COLUMN = 3,  /* right of the labels, the figures and a gap */
    CHART_WIDTH = 640, /* pixels */
    COLUMN_PIXELS = 64,
    ROW_PIXELS = 20,
};

/* A line "label: figure" on the sheet being filled. */
static enum err_code put_figure(struct xlsx_sink *xlsx, const char *label, int64_t value,
                                struct err *err)
{
    if (xlsx_put_string(xlsx, xlsx->page, xlsx->row, 0, label, NULL, err) != ERR_OK)
        return err->code;
    return xlsx_put_integer(xlsx, xlsx->page, xlsx->row++, 1, value, err);
}

/* The same for a figure that is told as text: with decimals it is an amount of money. */
static enum err_code put_amount(struct xlsx_sink *xlsx, const struct figure *figure,
                                struct err *err)
{
    lxw_format *format = strchr(figure->value, '.') ? xlsx->by_type[COL_AMOUNT] : xlsx->integer;
    struct cell cell = {figure->value, strlen(figure->value)};
    struct value value;

    if (xlsx_put_string(xlsx, xlsx->page, xlsx->row, 0, figure->label, NULL, err) != ERR_OK)
        return err->code;
    if (cell_read(COL_AMOUNT, &cell, &value) && value.kind == VALUE_NUMBER)
        return xlsx_put_number(xlsx, xlsx->page, xlsx->row++, 1, value.number, format, err);
    return xlsx_put_string(xlsx, xlsx->page, xlsx->row++, 1, figure->value, format, err);
}

static enum err_code put_pair(struct xlsx_sink *xlsx, const char *label, const char *text,
                              struct err *err)
{
    if (xlsx_put_string(xlsx, xlsx->page, xlsx->row, 0, label, NULL, err) != ERR_OK)
        return err->code;
    return xlsx_put_string(xlsx, xlsx->page, xlsx->row++, 1, text, NULL, err);
}

/* A heading over both columns. */
static enum err_code put_heading(struct xlsx_sink *xlsx, const char *text, struct err *err)
{
    lxw_worksheet *sheet = xlsx->pages[xlsx->page].sheet;

    if (xlsx_put_string(xlsx, xlsx->page, xlsx->row, 0, text, xlsx->heading, err) != ERR_OK)
        return err->code;
    return xlsx_checked(xlsx, worksheet_write_blank(sheet, xlsx->row++, 1, xlsx->heading), err);
}

/* What stands in the two columns below. */
static enum err_code put_header(struct xlsx_sink *xlsx, const char *left, const char *right,
                                lxw_format *right_format, struct err *err)
{
    if (xlsx_put_string(xlsx, xlsx->page, xlsx->row, 0, left, xlsx->header, err) != ERR_OK)
        return err->code;
    return xlsx_put_string(xlsx, xlsx->page, xlsx->row++, 1, right, right_format, err);
}

static enum err_code put_title(struct xlsx_sink *xlsx, const char *title, struct err *err)
{
    lxw_worksheet *sheet = xlsx->pages[xlsx->page].sheet;

    worksheet_gridlines(sheet, LXW_HIDE_ALL_GRIDLINES);
    worksheet_set_landscape(sheet);
    worksheet_fit_to_pages(sheet, 1, 0);
    if (xlsx_checked(xlsx, worksheet_set_row(sheet, 0, 30, NULL), err) != ERR_OK ||
        xlsx_put_string(xlsx, xlsx->page, xlsx->row++, 0, title, xlsx->title, err) != ERR_OK)
        return err->code;
    return ERR_OK;
}

static enum err_code set_widths(struct xlsx_sink *xlsx, double first, double second,
                                struct err *err)
{
    lxw_worksheet *sheet = xlsx->pages[xlsx->page].sheet;

    if (xlsx_checked(xlsx, worksheet_set_column(sheet, 0, 0, first, NULL), err) != ERR_OK)
        return err->code;
    return xlsx_checked(xlsx, worksheet_set_column(sheet, 1, 1, second, NULL), err);
}

/* A table's rows and totals, and on which sheets it stands if they are several. */
static enum err_code put_table_block(struct xlsx_sink *xlsx, const struct table_summary *summary,
                                     struct err *err)
{
    const struct column *columns = summary->table->columns;
    size_t sheets = 0;

    if (put_heading(xlsx, summary->table->sheet, err) != ERR_OK ||
        put_figure(xlsx, "Rows", (int64_t)summary->rows, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; columns[i].header; i++)
        if (columns[i].total &&
            put_figure(xlsx, columns[i].header, summary->totals[i], err) != ERR_OK)
            return err->code;
    for (size_t i = 0; i < xlsx->n_pages; i++)
        sheets += xlsx->pages[i].table == summary->table;
    if (sheets > 1 && put_figure(xlsx, "Sheets", (int64_t)sheets, err) != ERR_OK)
        return err->code;
    xlsx->row++;
    return ERR_OK;
}

/* What the counted field is called on the table's sheet, or its own name, as a heading. */
static void tally_header(const struct report_table *table, char *buffer, size_t size)
{
    const char *name = table->tally;

    for (size_t i = 0; table->columns[i].header; i++)
        if (str_eq(table->columns[i].field, table->tally))
            name = table->columns[i].header;
    snprintf(buffer, size, "%s", name);
    if (*buffer >= 'a' && *buffer <= 'z')
        *buffer = (char)(*buffer - 'a' + 'A');
}

static const char *tally_label(const struct tally_entry *entry)
{
    if (!entry->value)
        return "(none)";
    return *entry->value ? entry->value : "(empty)";
}

static int chart_height(size_t bars)
{
    return 90 + 30 * (int)bars;
}

/* A bar for every line of the tally in rows first..last, in their order, beside its cells. */
static enum err_code put_chart(struct xlsx_sink *xlsx, const char *question, uint32_t heading,
                               uint32_t first, uint32_t last, struct err *err)
{
    lxw_chart *chart = workbook_add_chart(xlsx->book, LXW_CHART_BAR);
    lxw_chart_series *series = chart ? chart_add_series(chart, NULL, NULL) : NULL;
    lxw_chart_fill fill = {.color = COLOR_BAR};
    lxw_chart_font title_font = {.size = 13, .bold = LXW_TRUE, .color = COLOR_TITLE};
    lxw_chart_line none = {.none = LXW_TRUE}, border = {.color = COLOR_FRAME};
    lxw_chart_options size = {
        .x_scale = CHART_WIDTH / 480.0, /* of libxlsxwriter's 480 x 288 pixels */
        .y_scale = chart_height(last - first + 1) / 288.0,
    };
    char format[] = "#,##0";

    if (!series)
        return err_nomem(err);
    chart_series_set_categories(series, "Summary", first, 0, last, 0);
    chart_series_set_values(series, "Summary", first, 1, last, 1);
    chart_series_set_fill(series, &fill);
    chart_series_set_labels(series);
    chart_series_set_labels_num_format(series, format);
    chart_set_series_gap(chart, 50);
    chart_title_set_name(chart, question);
    chart_title_set_name_font(chart, &title_font);
    chart_legend_set_position(chart, LXW_CHART_LEGEND_NONE);
    chart_chartarea_set_line(chart, &border);
    chart_axis_set_reverse(chart->y_axis); /* of a bar chart: the values' names */
    chart_axis_set_line(chart->y_axis, &none);
    chart_axis_set_major_tick_mark(chart->y_axis, LXW_CHART_AXIS_TICK_MARK_NONE);
    chart_axis_major_gridlines_set_visible(chart->x_axis, LXW_FALSE);
    chart_axis_set_min(chart->x_axis, 0);
    chart_axis_off(chart->x_axis);
    return xlsx_checked(xlsx,
                        worksheet_insert_chart_opt(xlsx->pages[xlsx->page].sheet, heading,
                                                   CHART_COLUMN, chart, &size),
                        err);
}

/* How often each value came, and its chart. */
static enum err_code put_tally_block(struct xlsx_sink *xlsx, const struct table_summary *summary,
                                     struct err *err)
{
    const struct tally *tally = &summary->tally;
    char header[64];
    const char *question = summary->table->question ? summary->table->question : header;
    uint32_t heading = xlsx->row, first = xlsx->row + 2, below;

    tally_header(summary->table, header, sizeof header);
    if (put_heading(xlsx, question, err) != ERR_OK ||
        put_header(xlsx, header, "Rows", xlsx->header_right, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < tally->n; i++)
        if (put_figure(xlsx, tally_label(&tally->entries[i]), (int64_t)tally->entries[i].count,
                       err) != ERR_OK)
            return err->code;
    if (tally->other > 0 && put_figure(xlsx, "other", (int64_t)tally->other, err) != ERR_OK)
        return err->code;
    if (put_chart(xlsx, question, heading, first, xlsx->row - 1, err) != ERR_OK)
        return err->code;
    below = heading + (uint32_t)chart_height(xlsx->row - first) / ROW_PIXELS + 1;
    xlsx->row = (xlsx->row > below ? xlsx->row : below) + 1;
    return ERR_OK;
}

static size_t longest_label(const struct report_summary *summary)
{
    size_t longest = 0;

    for (size_t i = 0; i < summary->n_tables; i++) {
        const struct table_summary *table = &summary->tables[i];

        for (size_t j = 0; j < table->tally.n; j++)
            if (table->tally.entries[j].len > longest)
                longest = table->tally.entries[j].len;
        if (table->table->question && strlen(table->table->question) + 6 > longest)
            longest = strlen(table->table->question) + 6; /* it is bold and large */
    }
    for (size_t i = 0; i < summary->n_figures; i++)
        if (strlen(summary->figures[i].label) > longest)
            longest = strlen(summary->figures[i].label);
    return longest;
}

enum err_code xlsx_write_summary(struct xlsx_sink *xlsx, const struct report_summary *summary,
                                 struct err *err)
{
    _cleanup_free_ char *as_of = str_format("As of %s", xlsx->as_of);
    size_t width = longest_label(summary) + 2;

    if (!as_of)
        return err_nomem(err);
    xlsx->page = 0;
    xlsx->row = 0;
    if (set_widths(xlsx,
                   width < 34   ? 34
                   : width > 60 ? 60
                                : (double)width,
                   18, err) != ERR_OK ||
        put_title(xlsx, xlsx->meta->title, err) != ERR_OK ||
        xlsx_put_string(xlsx, 0, xlsx->row, 0, as_of, xlsx->faint, err) != ERR_OK)
        return err->code;
    xlsx->row += 2;
    for (size_t i = 0; i < summary->n_tables; i++)
        if (put_table_block(xlsx, &summary->tables[i], err) != ERR_OK)
            return err->code;
    if (summary->n_figures > 0 && put_heading(xlsx, "Figures", err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < summary->n_figures; i++)
        if (put_amount(xlsx, &summary->figures[i], err) != ERR_OK)
            return err->code;
    xlsx->row += summary->n_figures > 0;
    for (size_t i = 0; i < summary->n_tables; i++)
        if (summary->tables[i].table->tally && summary->tables[i].rows > 0 &&
            put_tally_block(xlsx, &summary->tables[i], err) != ERR_OK)
            return err->code;
    /* Else a chart that reaches beyond the last cells is cut off on paper. */
    if (xlsx_checked(xlsx,
                     worksheet_print_area(xlsx->pages[0].sheet, 0, 0, xlsx->row,
                                          CHART_COLUMN + CHART_WIDTH / COLUMN_PIXELS),
                     err) != ERR_OK)
        return err->code;
    return xlsx_page_written(xlsx, &xlsx->pages[0], err);
}

enum err_code xlsx_write_run(struct xlsx_sink *xlsx, struct err *err)
{
    const struct report_meta *meta = xlsx->meta;

    if (xlsx_add_page(xlsx, strdup("Run"), err) != ERR_OK ||
        set_widths(xlsx, 34, 60, err) != ERR_OK || put_title(xlsx, "Run", err) != ERR_OK ||
        put_pair(xlsx, "Job", meta->job, err) != ERR_OK ||
        put_pair(xlsx, "Report", meta->title, err) != ERR_OK ||
        put_pair(xlsx, "As of", xlsx->as_of, err) != ERR_OK ||
        put_pair(xlsx, "lapse version", meta->version, err) != ERR_OK)
        return err->code;
    xlsx->row++;
    if (meta->n_settings > 0 && put_header(xlsx, "Setting", "Value", xlsx->header, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < meta->n_settings; i++)
        if (put_pair(xlsx, meta->settings[i].name, meta->settings[i].value, err) != ERR_OK)
            return err->code;
    xlsx->row += meta->n_settings > 0;
    if (meta->n_notes > 0 && put_heading(xlsx, "Notes", err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < meta->n_notes; i++)
        if (xlsx_put_string(xlsx, xlsx->page, xlsx->row++, 0, meta->notes[i], NULL, err) != ERR_OK)
            return err->code;
    return xlsx_page_written(xlsx, &xlsx->pages[xlsx->page], err);
}
