"""A workbook by pandas, as its manual has it: workbook_pandas.py ROWS COUNT FOLDER"""

import sys

import pandas

from rows import HEADERS, rows

frame = pandas.DataFrame(list(rows(sys.argv[1], int(sys.argv[2]))), columns=HEADERS)
frame.to_excel(sys.argv[3] + "/pandas.xlsx", sheet_name="Rows", index=False)
