import { describe, expect, it } from "vitest";
import { formatUnderstood, understandPeriod, wrongWeekdays } from "./period";

const understood = (printed: string) => formatUnderstood(understandPeriod(printed, 2024).when);

describe("periods of documents", () => {
  it.each([
    ["1回目 8月22日", "令和6年8月22日（木）"],
    ["11月11日 (月) 13:30～15:30", "令和6年11月11日（月）"],
    ["12月～2月", "令和6年12月～令和7年2月"],
    ["3月", "令和7年3月"],
    ["11/7", "令和6年11月7日（木）"],
    ["5/20、6/17", "令和6年5月20日（月）、令和6年6月17日（月）"],
    ["1月25日 (土) ~ 2月22日 (土)", "令和7年1月25日（土）～令和7年2月22日（土）"],
    ["令和6年12月10日（月）～11日（火）", "令和6年12月10日（火）～令和6年12月11日（水）"],
    ["令和6年9月～令和7年2月", "令和6年9月～令和7年2月"],
    ["令和4年度", "令和4年度"],
    ["随時", ""],
  ])("%s", (printed, words) => expect(understood(printed)).toBe(words));

  it("takes the times apart from the day", () => {
    expect(understandPeriod("河原地区 8月28日 9:45～12:00", 2024)).toEqual({
      when: { precision: "day", start: "2024-08-28", printed: "河原地区 8月28日 9:45～12:00" },
      start_time: "09:45",
      end_time: "12:00",
    });
  });
  it("names printed weekdays that are wrong, and only those", () => {
    expect(wrongWeekdays("令和6年12月10日（月）～11日（火）", 2024)).toEqual([
      { date: "2024-12-10", printed: "月", actual: "火" },
      { date: "2024-12-11", printed: "火", actual: "水" },
    ]);
    expect(wrongWeekdays("11月11日 (月)", 2024)).toEqual([]);
  });
});
