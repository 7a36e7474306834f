"""The rows of a workbook, as the writers in Python want them: texts, numbers, dates.

The file is read into memory first; `rows(path, count)` goes through it again and again.
"""

import datetime
import itertools

HEADERS = ["User ID", "Email", "Name", "Organizations", "Role", "Plan", "Last Active",
           "Days Since Active", "Seat Status", "Granted"]
DATE, COUNT, INSTANT = 6, 7, 9


def rows(path, count):
    kept = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = line.rstrip("\n").split("\t")
            row[DATE] = datetime.date.fromisoformat(row[DATE])
            row[COUNT] = int(row[COUNT])
            row[INSTANT] = datetime.datetime.strptime(row[INSTANT], "%Y-%m-%d %H:%M:%S+00")
            kept.append(row)
    return itertools.islice(itertools.cycle(kept), count)
