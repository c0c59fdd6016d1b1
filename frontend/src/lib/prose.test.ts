import { describe, expect, it } from "vitest";
import { proseToText, textToProse, type Prose } from "./prose";

const printed: Prose = {
  state: "entered",
  items: [
    { depth: 0, marker: "●", label: "つながる", text: "声を上げやすい地域にする。" },
    { depth: 1, marker: "➢", text: "1行目\n2行目" },
    { depth: 0, text: "○ではじまるが記号ではない｜文" },
  ],
};

describe("prose as text", () => {
  it("comes back exactly when nothing was edited", () => {
    expect(textToProse(proseToText(printed), [printed])).toEqual(printed);
  });
  it("keeps the other lines exactly when one is edited", () => {
    const text = proseToText(printed).replace("声を上げやすい", "声を上げられる");
    expect(textToProse(text, [printed]).items).toEqual([
      { depth: 0, marker: "●", label: "つながる", text: "声を上げられる地域にする。" },
      ...(printed.items?.slice(1) ?? []),
    ]);
  });
  it("understands marks, indents and labels as typed or pasted", () => {
    expect(textToProse("・一つ目\n　(1) 二つ目\n\n\t①三つ目\n場づくり｜本文", []).items).toEqual([
      { depth: 0, marker: "・", text: "一つ目" },
      { depth: 1, marker: "(1)", text: "二つ目" },
      { depth: 1, marker: "①", text: "三つ目" },
      { depth: 0, label: "場づくり", text: "本文" },
    ]);
  });
  it("does not take a year or a number for a mark", () => {
    expect(textToProse("2024年度に実施", []).items).toEqual([{ depth: 0, text: "2024年度に実施" }]);
  });
  it("knows why it is empty", () => {
    expect(textToProse("", [{ state: "none", items: [] }])).toEqual({ state: "none", items: [] });
    expect(textToProse("", [printed])).toEqual({ state: "not_entered", items: [] });
  });
});
