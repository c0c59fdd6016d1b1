import { fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { DataGrid, GridCell } from "./DataGrid";

/** A1 spans two rows; B1 C1 / B2 C2. */
function Sheet() {
  return (
    <DataGrid caption="ロードマップ">
      <tbody>
        <tr>
          <GridCell row={0} col={0} rowSpan={2} rowHeader>
            A1
          </GridCell>
          <GridCell row={0} col={1} editLabel="B1の実績">
            {({ editing, onEditingChange }) =>
              editing ? <input aria-label="編集" onKeyDown={(event) => event.key === "Escape" && onEditingChange(false, true)} /> : "B1"
            }
          </GridCell>
          <GridCell row={0} col={2}>C1</GridCell>
        </tr>
        <tr>
          <GridCell row={1} col={1}>B2</GridCell>
          <GridCell row={1} col={2}>C2</GridCell>
        </tr>
      </tbody>
    </DataGrid>
  );
}

const focused = () => document.activeElement?.textContent;
const press = (key: string, init = {}) => fireEvent.keyDown(document.activeElement ?? document.body, { key, ...init });

describe("DataGrid", () => {
  it("moves with the arrows over merged cells and keeps one tab stop", () => {
    render(<Sheet />);
    const stops = () => document.querySelectorAll('[data-grid-cell][tabindex="0"]');
    expect(stops()[0]?.textContent).toBe("A1");
    screen.getByText("A1").focus();
    const way: [string, string][] = [
      ["ArrowRight", "B1"],
      ["ArrowDown", "B2"],
      ["ArrowLeft", "A1"],
      ["ArrowUp", "A1"],
      ["End", "C1"],
      ["ArrowDown", "C2"],
      ["ArrowRight", "C2"],
      ["Home", "A1"],
    ];
    for (const [key, cell] of way) {
      press(key);
      expect(focused()).toBe(cell);
    }
    press("End", { ctrlKey: true });
    expect(focused()).toBe("C2");
    expect(stops()).toHaveLength(1);
    expect(stops()[0]?.textContent).toBe("C2");
    press("Home", { ctrlKey: true });
    expect(focused()).toBe("A1");
  });

  it("edits by F2, leaves keys to the editor, and returns to the cell", () => {
    render(<Sheet />);
    const cell = screen.getByText("B1");
    cell.focus();
    press("F2");
    const editor = screen.getByLabelText("編集");
    editor.focus();
    press("ArrowRight");
    expect(document.activeElement).toBe(editor);
    press("Escape");
    expect(document.activeElement).toBe(cell);
    expect(focused()).toBe("B1");
  });

  it("does not edit a read-only cell", () => {
    render(<Sheet />);
    const cell = screen.getByText("C1");
    expect(cell.getAttribute("aria-readonly")).toBe("true");
    cell.focus();
    press("Enter");
    expect(focused()).toBe("C1");
  });
});
