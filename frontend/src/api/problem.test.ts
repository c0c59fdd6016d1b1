import { describe, expect, it } from "vitest";
import { ApiError, fieldErrors, problemMessage, toApiError } from "./problem";

describe("problemMessage", () => {
  it("shows the server's sentence", () => {
    const title = "この期間の値はすでに登録されています。";
    expect(problemMessage({ status: 409, code: "kpi_observations_current", title })).toBe(title);
    expect(problemMessage({ status: 409, code: "x", title, detail: "詳しい説明" })).toBe("詳しい説明");
  });
  it("speaks to staff where the server speaks to programs", () => {
    const title = "更新には、読んだ版を示す If-Match が必要です。";
    expect(problemMessage({ status: 428, code: "precondition_required", title })).toContain("再読み込み");
  });
  it("falls back to the status, then to a general sentence", () => {
    expect(problemMessage({ status: 404, code: "unknown" })).toContain("見つかりません");
    expect(problemMessage({ status: 503, code: "unknown" })).toContain("1分ほど待って");
    expect(problemMessage({ status: 418, code: "unknown" })).toContain("問い合わせ番号");
  });
});

describe("fieldErrors", () => {
  it("keeps the first message of each field", () => {
    const errors = [
      { path: "/email", code: "required", message: "メールアドレスを入力してください。" },
      { path: "/email", code: "email", message: "形式" },
      { path: "/schedule/0/date", code: "date", message: "実施日を確認してください。" },
    ];
    expect(fieldErrors({ status: 422, code: "invalid", errors })).toEqual({
      "/email": "メールアドレスを入力してください。",
      "/schedule/0/date": "実施日を確認してください。",
    });
    expect(fieldErrors(undefined)).toEqual({});
  });
});

describe("toApiError", () => {
  it("reads a problem and Retry-After", async () => {
    const response = new Response(JSON.stringify({ code: "too_many_attempts", status: 429, request_id: "r1" }), {
      status: 429,
      headers: { "Retry-After": "5" },
    });
    const error = await toApiError(response);
    expect(error).toBeInstanceOf(ApiError);
    expect([error.status, error.requestId, error.retryAfter]).toEqual([429, "r1", 5]);
  });
  it("survives an answer that is no problem", async () => {
    const response = new Response("<html>", { status: 502, headers: { "X-Request-Id": "r2" } });
    const error = await toApiError(response);
    expect([error.status, error.requestId, error.problem.code]).toEqual([502, "r2", "unknown"]);
    expect(error.message).toContain("1分ほど待って");
  });
});
