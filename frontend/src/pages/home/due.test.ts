import { describe, expect, it } from "vitest";
import { addDays, dueWords, toAsk } from "./due";

describe("what is due", () => {
  const standing = (period_start: string | null, targets = {}) => ({ current: { period_start, targets } });
  it("misses a value when nothing, or only something older, was recorded", () => {
    expect(toAsk({ current: null }, 2024)).toBe("missing");
    expect(toAsk(standing(null, { "2024": "40" }), 2024)).toBe("missing");
    expect(toAsk(standing("2024-03-01"), 2024)).toBe("missing");
  });
  it("compares where the year has a target, or where newer values hide those of the year", () => {
    expect(toAsk(standing("2024-04-01", { "2024": "40" }), 2024)).toBe("compare");
    expect(toAsk(standing("2025-04-01"), 2024)).toBe("compare");
    expect(toAsk(standing("2024-04-01"), 2024)).toBe("nothing");
  });
  it("counts days across months and years", () => {
    expect(addDays("2024-12-20", 30)).toBe("2025-01-19");
    expect(dueWords("2024-12-17", "2024-12-20")).toBe("▲ 3日遅れ");
    expect(dueWords("2024-12-20", "2024-12-20")).toBe("● 今日まで");
    expect(dueWords("2025-01-01", "2024-12-20")).toBe("○ あと12日");
  });
});
