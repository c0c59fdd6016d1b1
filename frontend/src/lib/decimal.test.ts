import { describe, expect, it } from "vitest";
import {
  addDecimals,
  compareDecimals,
  divideDecimals,
  formatDecimal,
  formatManYen,
  formatPointChange,
  formatYen,
  isDecimal,
  parseNumber,
  subtractDecimals,
  toChartNumber,
} from "./decimal";

describe("parseNumber", () => {
  it.each([
    ["１，２３４．５", "1234.5"],
    ["1,540,000円", "1540000"],
    ["154万円", "1540000"],
    ["154.3万", "1543000"],
    ["1,540千円", "1540000"],
    ["1.23456千", "1234.56"],
    ["△3", "-3"],
    ["▲３．５", "-3.5"],
    ["－2", "-2"],
    ["41％", "41"],
    ["007", "7"],
    ["0", "0"],
    ["23.30", "23.30"],
    [" 12 人 ", "12"],
  ])("%s", (typed, plain) => expect(parseNumber(typed)).toBe(plain));
  it.each(["", "－", "約20", "1,23", "23～24", "1.2.3", "1e5", "未実施"])("refuses %s", (typed) => {
    expect(parseNumber(typed)).toBeNull();
  });
});

describe("exact arithmetic", () => {
  it("compares beyond the precision of floats", () => {
    expect(compareDecimals("0.1", "0.10")).toBe(0);
    expect(compareDecimals("9007199254740993", "9007199254740992")).toBe(1);
    expect(compareDecimals("-1.01", "-1")).toBe(-1);
  });
  it("subtracts", () => {
    expect(subtractDecimals("41", "23.3")).toBe("17.7");
    expect(subtractDecimals("0.3", "0.1")).toBe("0.2");
    expect(subtractDecimals("1", "1.05")).toBe("-0.05");
  });
  it("knows a decimal", () => {
    expect(isDecimal("1.0")).toBe(true);
    expect(isDecimal("1,000")).toBe(false);
    expect(() => subtractDecimals("1,000", "1")).toThrow(RangeError);
  });
});

describe("formatting", () => {
  it("groups and keeps the printed decimals", () => {
    expect(formatDecimal("1234567.50")).toBe("1,234,567.50");
    expect(formatDecimal("-1234")).toBe("△1,234");
    expect(formatDecimal("999")).toBe("999");
    expect(formatYen("1540000")).toBe("1,540,000円");
  });
  it("writes 万円 without rounding", () => {
    expect(formatManYen("1540000")).toBe("154万円");
    expect(formatManYen("1543500")).toBe("154.35万円");
    expect(formatManYen("100000000")).toBe("10,000万円");
    expect(formatManYen("3250")).toBe("3,250円");
    expect(formatManYen("-20000")).toBe("△2万円");
  });
  it("writes the change of a percentage in points", () => {
    expect(formatPointChange("23.3", "41")).toBe("＋17.7ポイント");
    expect(formatPointChange("5.0", "3.0")).toBe("△2.0ポイント");
    expect(formatPointChange("5", "5.0")).toBe("±0ポイント");
  });
  it("gives a number to charts", () => expect(toChartNumber("17.7")).toBeCloseTo(17.7));
});

describe("addDecimals and divideDecimals", () => {
  it("adds without floats and keeps the longer fraction", () => {
    expect(addDecimals("0.1", "0.25")).toBe("0.35");
    expect(addDecimals("12", "-12.0")).toBe("0.0");
  });
  it("divides and rounds half up", () => {
    expect(divideDecimals("65", "163", 1, 100)).toBe("39.9");
    expect(divideDecimals("1", "8", 2)).toBe("0.13");
    expect(divideDecimals("-1", "8", 2)).toBe("-0.13");
    expect(divideDecimals("1", "0", 2)).toBeNull();
  });
});
