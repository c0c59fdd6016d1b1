import { describe, expect, it } from "vitest";
import { parseTsv, toTsv } from "./tsv";

describe("tables on the clipboard", () => {
  it("reads what Excel writes, with breaks, tabs and quotes inside cells", () => {
    expect(parseTsv('研修\t"◎一つ目\n◎二つ目"\r\n"「""要望書""」"\t\r\n')).toEqual([
      ["研修", "◎一つ目\n◎二つ目"],
      ['「"要望書"」', ""],
    ]);
  });
  it("takes a quote in the middle of a text as it is", () => {
    expect(parseTsv('高さ 5"\t"始まりだけ')).toEqual([['高さ 5"', '"始まりだけ']]);
  });
  it("keeps an empty last cell and an empty line between two others", () => {
    expect(parseTsv("a\t\n\nb")).toEqual([["a", ""], [""], ["b"]]);
  });
  it.each([[[["a", "b"], ["", "c"]]], [[["一行目\n二行目", 'と"引用"', "タブ\tあり"]]]])("comes back as it went", (table) => {
    expect(parseTsv(toTsv(table))).toEqual(table);
  });
});
