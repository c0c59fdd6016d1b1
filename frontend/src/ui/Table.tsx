import { useId, type ReactNode } from "react";

export interface Column<Row> {
  key: string;
  header: ReactNode;
  cell: (row: Row) => ReactNode;
  /** Numbers stand at the right, with digits of one width. */
  number?: boolean;
  /** The cell that names the row. */
  rowHeader?: boolean;
  /** Buttons: left out on paper. */
  screenOnly?: boolean;
  /** CSS width of the column: `12rem`. */
  width?: string;
}

export interface TableProps<Row> {
  caption: ReactNode;
  /** For screen readers only, where a heading just above says the same. */
  captionHidden?: boolean;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  dense?: boolean;
  /** Height of the table's own scroll area (`60vh`): its head then stays in sight. */
  maxHeight?: string;
}

const classOf = ({ number, screenOnly }: { number?: boolean; screenOnly?: boolean }) => (number ? "number" : screenOnly ? "no-print" : undefined);

/** A table of data. Text wraps and is never cut; a wide table scrolls in its own area, by keyboard too. */
export function Table<Row>({ caption, captionHidden, columns, rows, rowKey, dense, maxHeight }: TableProps<Row>) {
  const captionId = useId();
  return (
    <ScrollArea labelledBy={captionId} maxHeight={maxHeight}>
      <table className={`data-table ${dense ? "dense" : ""} ${maxHeight ? "sticky-head" : ""}`}>
        <caption id={captionId} className={captionHidden ? "sr-only" : "pb-2 text-start font-bold"}>
          {caption}
        </caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" className={classOf(column)} style={column.width ? { width: column.width, minWidth: column.width } : undefined}>
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column) =>
                column.rowHeader ? (
                  <th key={column.key} scope="row">
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={column.key} className={classOf(column)}>
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollArea>
  );
}

/** Something wider than the page; focusable, because it must also scroll without a mouse. */
export function ScrollArea({ labelledBy, maxHeight, children }: { labelledBy: string; maxHeight?: string; children: ReactNode }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolling region must be reachable by keyboard
    <div className="scroll-area relative overflow-auto" role="region" aria-labelledby={labelledBy} tabIndex={0} style={{ maxHeight }}>
      {children}
    </div>
  );
}
