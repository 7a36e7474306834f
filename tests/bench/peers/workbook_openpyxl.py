"""A workbook by openpyxl, write-only: workbook_openpyxl.py ROWS COUNT FOLDER"""

import sys

import openpyxl

from rows import HEADERS, rows

book = openpyxl.Workbook(write_only=True)
sheet = book.create_sheet("Rows")
sheet.append(HEADERS)
for row in rows(sys.argv[1], int(sys.argv[2])):
    sheet.append(row)
book.save(sys.argv[3] + "/openpyxl.xlsx")
