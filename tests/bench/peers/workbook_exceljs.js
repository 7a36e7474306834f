// A workbook by exceljs, streamed: node workbook_exceljs.js ROWS COUNT FOLDER
// NODE_PATH names the folder exceljs is installed in.
'use strict';
const fs = require('fs');
const ExcelJS = require('exceljs');

const [path, count, folder] = process.argv.slice(2);
const headers = ['User ID', 'Email', 'Name', 'Organizations', 'Role', 'Plan', 'Last Active',
    'Days Since Active', 'Seat Status', 'Granted'];
const [DATE, COUNT, INSTANT] = [6, 7, 9];

const rows = fs.readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => {
    const row = line.split('\t');
    row[DATE] = new Date(row[DATE] + 'T00:00:00Z');
    row[COUNT] = Number(row[COUNT]);
    row[INSTANT] = new Date(row[INSTANT].replace(' ', 'T').replace('+00', 'Z'));
    return row;
});

const book = new ExcelJS.stream.xlsx.WorkbookWriter({
    filename: folder + '/exceljs.xlsx', useStyles: true, useSharedStrings: false,
});
const sheet = book.addWorksheet('Rows');
sheet.columns = headers.map((header, column) => ({
    header,
    style: column === DATE ? { numFmt: 'yyyy-mm-dd' }
        : column === INSTANT ? { numFmt: 'yyyy-mm-dd hh:mm:ss' } : {},
}));
for (let i = 0; i < Number(count); i++) sheet.addRow(rows[i % rows.length]).commit();
book.commit().catch((error) => { console.error(error); process.exit(1); });
