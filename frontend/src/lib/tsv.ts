/** Tables on the clipboard as Excel and LibreOffice write them: tabs, lines, and quotes around what holds either. */

export const toTsv = (table: readonly (readonly string[])[]) =>
  table.map((row) => row.map((cell) => (/[\t\n\r"]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join("\t")).join("\n");

export function parseTsv(text: string): string[][] {
  const table: string[][] = [];
  // A cell: quoted to its closing quote, or plain to the next tab or line; then what follows it.
  const cell = /(?:"((?:[^"]|"")*)"(?=[\t\r\n]|$)|([^\t\r\n]*))(\t|\r\n|\n|\r|$)/y;
  for (let row: string[] = [], match = cell.exec(text); match; match = cell.exec(text)) {
    row.push(match[1] === undefined ? (match[2] ?? "") : match[1].replaceAll('""', '"').replaceAll("\r\n", "\n"));
    if (match[3] === "\t") continue;
    table.push(row);
    row = [];
    // The line break at the end of the last line opens no further one.
    if (cell.lastIndex >= text.length) break;
  }
  return table;
}
