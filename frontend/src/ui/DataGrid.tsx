import { useEffect, useId, useRef, useState, type ClipboardEvent, type KeyboardEvent, type MouseEvent, type ReactNode } from "react";
import { parseTsv, toTsv } from "../lib/tsv";
import { announce } from "./announce";

/**
 * Primitives of a sheet that is moved through like a spreadsheet: `<DataGrid>` around ordinary
 * `<thead>`/`<tbody>` rows whose cells are `<GridCell>`. One cell is in the tab order (roving
 * tabindex); arrows, Home, End (with Ctrl: the corners) move; Enter or F2 edits, Esc goes back.
 * Shift with a moving key or a click selects a range; it is copied, and pasted into, as a table.
 * Merged cells are given by `rowSpan`/`colSpan`; rows and columns count from 0.
 */

interface Area {
  row: number;
  col: number;
  lastRow: number;
  lastCol: number;
}

interface Box extends Area {
  cell: HTMLElement;
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

const meets = (a: Area, b: Area) => a.row <= b.lastRow && b.row <= a.lastRow && a.col <= b.lastCol && b.col <= a.lastCol;

/** The least area with both cells in which no merged cell lies by a part only. */
function areaOf(all: readonly Box[], ...ends: readonly Area[]): Area {
  const area = {
    row: Math.min(...ends.map(({ row }) => row)),
    col: Math.min(...ends.map(({ col }) => col)),
    lastRow: Math.max(...ends.map(({ lastRow }) => lastRow)),
    lastCol: Math.max(...ends.map(({ lastCol }) => lastCol)),
  };
  const beyond = all.find((box) => meets(area, box) && (box.row < area.row || box.col < area.col || box.lastRow > area.lastRow || box.lastCol > area.lastCol));
  return beyond ? areaOf(all, area, beyond) : area;
}

/** Rows of a table on the clipboard: those in which a cell of these columns begins, so that merged cells count once. */
const rowsIn = (all: readonly Box[], area: Area) =>
  [...new Set(all.filter((box) => meets(area, box) && box.row >= area.row).map(({ row }) => row))].sort((a, b) => a - b);

/** A text for the cell that stands at this row and column. */
export interface PastedCell {
  row: number;
  col: number;
  text: string;
}

export interface DataGridProps {
  caption: ReactNode;
  captionHidden?: boolean;
  /** Height of the sheet's own scroll area; its head stays in sight. */
  maxHeight?: string;
  /** Of the table: its least width, `table-fixed`. */
  className?: string;
  /** What a cell puts on the clipboard. With it, ranges can be selected and copied. */
  textOf?: (row: number, col: number) => string;
  /** A table was pasted: the cells it falls on, and the texts that fall beside the sheet. */
  onPaste?: (cells: PastedCell[], beside: string[]) => void;
  /** `<colgroup>`, `<thead>` and `<tbody>`. */
  children: ReactNode;
}

export function DataGrid({ caption, captionHidden, maxHeight = "75vh", className = "", textOf, onPaste, children }: DataGridProps) {
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

  /** Where the selection began; like the tab stop, it is kept in the document. */
  const anchor = useRef<HTMLElement>(null);
  const selectTo = (to: HTMLElement | undefined) => {
    const grid = table.current;
    if (!grid) return;
    for (const cell of grid.querySelectorAll("[data-selected]")) {
      cell.removeAttribute("data-selected");
      cell.removeAttribute("aria-selected");
    }
    const all = boxes(grid);
    const [from, end] = [anchor.current, to].map((cell) => all.find((box) => box.cell === cell));
    if (!from || !end || from === end) return;
    const area = areaOf(all, from, end);
    for (const { cell } of all.filter((box) => meets(area, box))) {
      cell.setAttribute("data-selected", "");
      cell.setAttribute("aria-selected", "true");
    }
    announce(`${rowsIn(all, area).length}行${area.lastCol - area.col + 1}列を選択しています`);
  };
  /** The selected area, or the cell that has the focus. */
  const selection = (target: EventTarget) => {
    const grid = table.current;
    if (!grid || !(target instanceof HTMLElement) || !target.hasAttribute("data-grid-cell")) return undefined;
    const all = boxes(grid);
    const selected = all.filter(({ cell }) => cell.hasAttribute("data-selected"));
    const ends = selected.length > 0 ? selected : all.filter(({ cell }) => cell === target);
    return { all, area: areaOf(all, ...ends) };
  };

  const onCopy = (event: ClipboardEvent) => {
    const chosen = selection(event.target);
    // Words marked with the mouse are copied as words.
    if (!textOf || !chosen || !(window.getSelection()?.isCollapsed ?? true)) return;
    const { all, area } = chosen;
    const columns = Array.from({ length: area.lastCol - area.col + 1 }, (_, index) => area.col + index);
    const content = rowsIn(all, area).map((row) => columns.map((col) => (all.some((box) => box.row === row && box.col === col) ? textOf(row, col) : "")));
    event.preventDefault();
    event.clipboardData.setData("text/plain", toTsv(content));
    announce("コピーしました");
  };

  const onPasted = (event: ClipboardEvent) => {
    const chosen = selection(event.target);
    if (!onPaste || !chosen) return;
    event.preventDefault();
    const { all, area } = chosen;
    const content = parseTsv(event.clipboardData.getData("text/plain"));
    const width = Math.max(...content.map((line) => line.length));
    const rows = rowsIn(all, { row: area.row, col: area.col, lastRow: Infinity, lastCol: area.col + width - 1 });
    const cells = new Map<Box, PastedCell>();
    const beside: string[] = [];
    content.forEach((line, at) =>
      line.forEach((text, index) => {
        if (text.trim() === "") return;
        const [row, col] = [rows[at] ?? -1, area.col + index];
        const box = all.find((one) => meets(one, { row, col, lastRow: row, lastCol: col }));
        const before = box && cells.get(box);
        if (!box) beside.push(text);
        else if (before) before.text += `\n${text}`;
        else cells.set(box, { row: box.row, col: box.col, text });
      }),
    );
    onPaste([...cells.values()], beside);
  };

  const onMouseDown = (event: MouseEvent) => {
    if (!textOf || !(event.target instanceof HTMLElement) || event.target.closest("button, a, input, select, textarea")) return;
    const cell = event.target.closest<HTMLElement>("[data-grid-cell]");
    if (!cell) return;
    if (!event.shiftKey || !anchor.current) {
      anchor.current = cell;
      selectTo(undefined);
      return;
    }
    // Not the words between two clicks, but the cells.
    event.preventDefault();
    cell.focus();
    selectTo(cell);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    // Keys inside an editor or a button of a cell belong to it.
    if (!target.hasAttribute("data-grid-cell") || !table.current) return;
    const all = boxes(table.current);
    const from = all.find((box) => box.cell === target);
    const next = from && destination(all, from, event.key, event.ctrlKey || event.metaKey);
    if (event.key === "Escape") selectTo(undefined);
    if (!next) return;
    event.preventDefault();
    if (!event.shiftKey || !textOf) anchor.current = next.cell;
    else anchor.current ??= target;
    next.cell.focus();
    next.cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    selectTo(textOf && event.shiftKey ? next.cell : undefined);
  };

  return (
    <div className="scroll-area overflow-auto" style={{ maxHeight }}>
      <p id={helpId} className="sr-only">
        矢印キーで移動し、EnterキーまたはF2キーで編集します。Ctrl＋Enterで保存、Escで取り消します。
        {textOf && "Shiftキーと矢印キーで範囲を選び、Ctrl＋Cでコピーします。"}
        {onPaste && "Ctrl＋Vで表計算ソフトの表を貼り付けます。"}
      </p>
      <table
        ref={table}
        role="grid"
        aria-describedby={helpId}
        className={`data-table data-grid dense sticky-head ${className}`}
        aria-multiselectable={textOf ? true : undefined}
        onKeyDown={onKeyDown}
        onMouseDown={onMouseDown}
        onCopy={onCopy}
        onPaste={onPasted}
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
