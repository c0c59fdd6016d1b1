import { describe, expect, it } from "vitest";
import { ApiError, fieldErrors, problemMessage, toApiError } from "./problem";

describe("problemMessage", () => {
  it("takes the sentence of the code", () => {
    expect(problemMessage({ status: 403, code: "forbidden" })).toContain("権限がありません");
  });
  it("shows the server's sentence for a code it does not know", () => {
    const detail = "この日の値はすでに登録されています。";
    expect(problemMessage({ status: 409, code: "observations_day_unique", detail })).toBe(detail);
  });
  it("falls back to the status, then to a general sentence", () => {
    expect(problemMessage({ status: 404, code: "x" })).toContain("見つかりません");
    expect(problemMessage({ status: 418, code: "x" })).toContain("問い合わせ番号");
  });
});

describe("fieldErrors", () => {
  it("keeps the first message of each field", () => {
    const errors = [
      { path: "/email", code: "required", message: "メールアドレスを入力してください。" },
      { path: "/email", code: "email", message: "形式" },
      { path: "/schedule/0/date", code: "date", message: "実施日を確認してください。" },
    ];
    expect(fieldErrors({ status: 422, code: "validation_failed", errors })).toEqual({
      "/email": "メールアドレスを入力してください。",
      "/schedule/0/date": "実施日を確認してください。",
    });
    expect(fieldErrors(undefined)).toEqual({});
  });
});

describe("toApiError", () => {
  it("reads a problem and Retry-After", async () => {
    const response = new Response(JSON.stringify({ code: "too_many_requests", status: 429, request_id: "r1" }), {
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
    expect(error.message).toContain("問い合わせ番号");
  });
});
