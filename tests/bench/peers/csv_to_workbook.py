"""A CSV with a header as a workbook, by XlsxWriter in constant memory: csv_to_workbook.py CSV XLSX

Numbers become numbers and all else text, as a script for one report would have it. A sheet holds
1,048,576 rows, so a longer CSV goes on in the next.
"""

import csv
import sys

import xlsxwriter

SHEET = 1048575

book = xlsxwriter.Workbook(sys.argv[2], {"constant_memory": True})
bold = book.add_format({"bold": True})
with open(sys.argv[1], newline="", encoding="utf-8") as file:
    reader = csv.reader(file)
    header = next(reader)
    for number, row in enumerate(reader):
        at = number % SHEET + 1
        if at == 1:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, header, bold)
        for column, value in enumerate(row):
            if value.isdigit():
                sheet.write_number(at, column, int(value))
            elif value:
                sheet.write_string(at, column, value)
book.close()
