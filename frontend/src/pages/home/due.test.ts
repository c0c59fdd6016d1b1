import { describe, expect, it } from "vitest";
import { addDays, dueWords } from "./due";

describe("what is due", () => {
  it("counts days across months and years", () => {
    expect(addDays("2024-12-20", 30)).toBe("2025-01-19");
    expect(dueWords("2024-12-17", "2024-12-20")).toBe("▲ 3日遅れ");
    expect(dueWords("2024-12-20", "2024-12-20")).toBe("● 今日まで");
    expect(dueWords("2025-01-01", "2024-12-20")).toBe("○ あと12日");
  });
});
