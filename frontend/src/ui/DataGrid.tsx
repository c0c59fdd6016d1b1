import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { announce } from "./announce";

/**
 * Primitives of a sheet that is moved through like a spreadsheet: `<DataGrid>` around ordinary
 * `<thead>`/`<tbody>` rows whose cells are `<GridCell>`. One cell is in the tab order (roving
 * tabindex); arrows, Home, End (with Ctrl: the corners) move; Enter or F2 edits, Esc goes back.
 * Merged cells are given by `rowSpan`/`colSpan`; rows and columns count from 0.
 */

interface Box {
  cell: HTMLElement;
  row: number;
  col: number;
  lastRow: number;
  lastCol: number;
}

function boxes(grid: HTMLElement): Box[] {
  return Array.from(grid.querySelectorAll<HTMLTableCellElement>("[data-grid-cell]"), (cell) => {
    const row = Number(cell.dataset.row);
    const col = Number(cell.dataset.col);
    return { cell, row, col, lastRow: row + cell.rowSpan - 1, lastCol: col + cell.colSpan - 1 };
  });
}

/** The cell to go to from `from`, looking along one row or column and stepping over gaps. */
function destination(all: Box[], from: Box, key: string, corner: boolean): Box | undefined {
  const inRow = (box: Box) => box.row <= from.row && from.row <= box.lastRow;
  const inCol = (box: Box) => box.col <= from.col && from.col <= box.lastCol;
  const least = (list: Box[], by: (box: Box) => number) =>
    list.reduce<Box | undefined>((best, box) => (best === undefined || by(box) < by(best) ? box : best), undefined);
  switch (key) {
    case "ArrowRight":
      return least(all.filter((box) => inRow(box) && box.col > from.lastCol), (box) => box.col);
    case "ArrowLeft":
      return least(all.filter((box) => inRow(box) && box.lastCol < from.col), (box) => -box.col);
    case "ArrowDown":
      return least(all.filter((box) => inCol(box) && box.row > from.lastRow), (box) => box.row);
    case "ArrowUp":
      return least(all.filter((box) => inCol(box) && box.lastRow < from.row), (box) => -box.row);
    case "Home":
      return least(corner ? all : all.filter(inRow), (box) => box.row * 10_000 * Number(corner) + box.col);
    case "End":
      return least(corner ? all : all.filter(inRow), (box) => -(box.row * 10_000 * Number(corner) + box.col));
    default:
      return undefined;
  }
}

export interface DataGridProps {
  caption: ReactNode;
  captionHidden?: boolean;
  /** Height of the sheet's own scroll area; its head stays in sight. */
  maxHeight?: string;
  /** Of the table: its least width, `table-fixed`. */
  className?: string;
  /** `<colgroup>`, `<thead>` and `<tbody>`. */
  children: ReactNode;
}

export function DataGrid({ caption, captionHidden, maxHeight = "75vh", className = "", children }: DataGridProps) {
  const table = useRef<HTMLTableElement>(null);
  const helpId = useId();

  /** The tab stop is kept in the document, not in state: moving must not render hundreds of cells. */
  const makeTabStop = (cell: HTMLElement) => {
    for (const other of table.current?.querySelectorAll<HTMLElement>('[data-grid-cell][tabindex="0"]') ?? []) other.tabIndex = -1;
    cell.tabIndex = 0;
  };
  useEffect(() => {
    const grid = table.current;
    if (grid?.querySelector('[data-grid-cell][tabindex="0"]')) return;
    const first = grid?.querySelector<HTMLElement>("[data-grid-cell]");
    if (first) first.tabIndex = 0;
  });

  const onKeyDown = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    // Keys inside an editor or a button of a cell belong to it.
    if (!target.hasAttribute("data-grid-cell") || !table.current) return;
    const all = boxes(table.current);
    const from = all.find((box) => box.cell === target);
    const next = from && destination(all, from, event.key, event.ctrlKey || event.metaKey);
    if (!next) return;
    event.preventDefault();
    next.cell.focus();
    next.cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  };

  return (
    <div className="scroll-area overflow-auto" style={{ maxHeight }}>
      <p id={helpId} className="sr-only">
        矢印キーで移動し、EnterキーまたはF2キーで編集します。Ctrl＋Enterで保存、Escで取り消します。
      </p>
      <table
        ref={table}
        role="grid"
        aria-describedby={helpId}
        className={`data-table data-grid dense sticky-head ${className}`}
        onKeyDown={onKeyDown}
        onFocus={(event) => {
          const cell = (event.target as HTMLElement).closest<HTMLElement>("[data-grid-cell]");
          if (cell) makeTabStop(cell);
        }}
      >
        <caption className={captionHidden ? "sr-only" : "pb-2 text-start text-base font-bold"}>{caption}</caption>
        {children}
      </table>
    </div>
  );
}

export interface GridCellProps {
  row: number;
  col: number;
  rowSpan?: number;
  colSpan?: number;
  /** A cell that names its row. */
  rowHeader?: boolean;
  /** What is edited, for the announcement: 令和6年度の実績. Left out: the cell cannot be edited. */
  editLabel?: string;
  /** Said to whoever tries to edit a cell that cannot be edited. */
  readOnlyReason?: string;
  className?: string;
  /** Give `editing` and `onEditingChange` to the EditableText (or another editor) inside. */
  children: ReactNode | ((state: { editing: boolean; onEditingChange: (editing: boolean, byKeyboard: boolean) => void }) => ReactNode);
}

export function GridCell({ row, col, rowSpan, colSpan, rowHeader, editLabel, readOnlyReason, className, children }: GridCellProps) {
  const cell = useRef<HTMLTableCellElement>(null);
  const [mode, setMode] = useState<"reading" | "editing" | "returning">("reading");
  const start = () => {
    if (editLabel === undefined) {
      if (readOnlyReason) announce(`編集できません。${readOnlyReason}`);
      return;
    }
    if (mode === "editing") return;
    setMode("editing");
    announce(`${editLabel}を編集中です`);
  };
  // Ended by a key: the reader goes on from this cell. Ended by a click: the click decides.
  const onEditingChange = (next: boolean, byKeyboard: boolean) =>
    setMode((now) => (next ? "editing" : byKeyboard ? "returning" : now === "editing" ? "reading" : now));
  useEffect(() => {
    if (mode === "returning") cell.current?.focus();
  }, [mode]);
  const Cell = rowHeader ? "th" : "td";
  return (
    <Cell
      ref={cell}
      data-grid-cell
      data-row={row}
      data-col={col}
      tabIndex={-1}
      rowSpan={rowSpan}
      colSpan={colSpan}
      scope={rowHeader ? "row" : undefined}
      role={rowHeader ? "rowheader" : "gridcell"}
      aria-readonly={rowHeader ? undefined : editLabel === undefined}
      className={className}
      onDoubleClick={start}
      onKeyDown={(event) => {
        if (event.target !== cell.current || (event.key !== "Enter" && event.key !== "F2")) return;
        event.preventDefault();
        start();
      }}
    >
      {typeof children === "function" ? children({ editing: mode === "editing", onEditingChange }) : children}
    </Cell>
  );
}
