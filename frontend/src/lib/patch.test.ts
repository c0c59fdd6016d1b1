import { describe, expect, it } from "vitest";
import { clashes, mergePatch } from "./patch";

describe("mergePatch", () => {
  it("says only what changes", () => {
    expect(mergePatch({ name: "参加者数", unit: "人", version: 3 }, { name: "延べ参加者数", unit: "人" })).toEqual({ name: "延べ参加者数" });
  });
  it("clears with null, and knows that absent and null are the same", () => {
    expect(mergePatch({ unit: "人", code: null }, { unit: null, code: undefined })).toEqual({ unit: null });
  });
  it("names what disappears inside an object", () => {
    const before = { baseline: { value: "23.3", source: "市民意識調査" } };
    expect(mergePatch(before, { baseline: { value: "23.3" } })).toEqual({ baseline: { source: null } });
  });
  it("replaces a list as a whole", () => {
    expect(mergePatch({ aliases: ["A"] }, { aliases: ["A", "B"] })).toEqual({ aliases: ["A", "B"] });
  });
});

describe("clashes", () => {
  const before = { name: "A", unit: "人" };
  it("is empty when the other changed another field, or the same one to the same text", () => {
    expect(clashes(before, { name: "B" }, { name: "A", unit: "名" }, { name: "B", unit: "人" })).toEqual([]);
    expect(clashes(before, { name: "B" }, { name: "B", unit: "人" }, { name: "B", unit: "人" })).toEqual([]);
  });
  it("names the field that both changed", () => {
    expect(clashes(before, { name: "B" }, { name: "C", unit: "人" }, { name: "B", unit: "人" })).toEqual(["name"]);
  });
});
