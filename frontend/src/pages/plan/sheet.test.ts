import { describe, expect, it } from "vitest";
import { columnsOf, rowsOfYear, splitMarker, type Actor, type Item } from "./sheet";

const actor = (id: string, parent_id: string | null = null) => ({ id, parent_id, label: id }) as Actor;
const ACTORS = [actor("councils"), actor("east", "councils"), actor("west", "councils"), actor("south", "councils"), actor("welfare"), actor("town")];

describe("columns of the sheet", () => {
  it("gives a group one column with the record of each council, and others their plan and record", () => {
    const columns = columnsOf({ actors: ACTORS, items: [], cells: [] }, false);
    expect(columns.map(({ blocks }) => blocks.map(({ key }) => key))).toEqual([
      ["/milestone"],
      ["east/actual", "west/actual", "south/actual"],
      ["welfare/planned", "welfare/actual"],
      ["town/planned", "town/actual"],
      ["/note"],
    ]);
  });

  it("leaves out nothing that was entered", () => {
    const items = [{ actor_id: "west", kind: "planned" }, { actor_id: "councils", kind: "actual" }, { actor_id: "town", kind: "note" }] as Item[];
    const [, councils, , town] = columnsOf({ actors: ACTORS, items, cells: [] }, false);
    expect(councils?.blocks.map(({ key }) => key)).toEqual(["councils/actual", "east/actual", "west/planned", "west/actual", "south/actual"]);
    expect(town?.blocks.map(({ key }) => key)).toEqual(["town/planned", "town/actual", "town/note"]);
  });
});

describe("rows of a year", () => {
  it("covers every row of every column exactly once", () => {
    const columns = columnsOf({ actors: ACTORS, items: [], cells: [] }, false);
    const rows = rowsOfYear(columns);
    expect(rows).toHaveLength(3);
    columns.forEach((_, column) => {
      const slots = rows.flatMap((row, index) => row.filter((slot) => slot.column === column).map(({ span }) => [index, span]));
      expect(slots.reduce((sum, [, span = 0]) => sum + span, 0)).toBe(3);
      slots.reduce((next, [index = 0, span = 0]) => {
        expect(index).toBe(next);
        return index + span;
      }, 0);
    });
  });
});

describe("a line as typed", () => {
  it("takes a printed mark off the text, and keeps the usual one otherwise", () => {
    expect(splitMarker("◎CSWの配置", "・")).toEqual({ marker: "◎", text: "CSWの配置" });
    expect(splitMarker(" ● 研修 ", null)).toEqual({ marker: "●", text: "研修" });
    expect(splitMarker("研修の実施", "◎")).toEqual({ marker: "◎", text: "研修の実施" });
    expect(splitMarker("-", "◎")).toEqual({ marker: "◎", text: "-" });
  });
});
