"""A workbook by XlsxWriter in constant memory: workbook_xlsxwriter.py ROWS COUNT FOLDER"""

import sys

import xlsxwriter

from rows import COUNT, DATE, HEADERS, INSTANT, rows

book = xlsxwriter.Workbook(sys.argv[3] + "/xlsxwriter.xlsx", {"constant_memory": True})
sheet = book.add_worksheet("Rows")
date = book.add_format({"num_format": "yyyy-mm-dd"})
instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
sheet.write_row(0, 0, HEADERS, book.add_format({"bold": True}))
for number, row in enumerate(rows(sys.argv[1], int(sys.argv[2])), 1):
    for column, value in enumerate(row):
        if column == DATE:
            sheet.write_datetime(number, column, value, date)
        elif column == INSTANT:
            sheet.write_datetime(number, column, value, instant)
        elif column == COUNT:
            sheet.write_number(number, column, value)
        else:
            sheet.write_string(number, column, value)
book.close()
