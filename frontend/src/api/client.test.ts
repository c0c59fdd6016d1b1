import { beforeEach, describe, expect, it, vi } from "vitest";
import { countDrafts, writeDraft } from "../lib/drafts";
import { etagOf, writeHeaders } from "./client";
import { ApiError, textConflict } from "./problem";

const ME = {
  id: "u1",
  name: "山田 太郎",
  organization_id: "o1",
  organization_name: "南部町",
  organization_kind: "municipality",
  role: "editor",
  permissions: [],
  demo: false,
};

/** The browser's network: answers by path, in order, and remembers what was asked. */
function network(answers: Record<string, (Response | Error)[]>) {
  const asked: { path: string; authorization: string | null; requestedBy: string | null }[] = [];
  vi.stubGlobal("fetch", async (input: Request | string, init?: RequestInit) => {
    const path = typeof input === "string" ? input : new URL(input.url).pathname;
    const headers = typeof input === "string" ? new Headers(init?.headers) : input.headers;
    asked.push({ path, authorization: headers.get("authorization"), requestedBy: headers.get("x-requested-by") });
    const answer = answers[path]?.shift();
    if (!answer || answer instanceof Error) throw answer ?? new Error(`no answer for ${path}`);
    return answer;
  });
  return asked;
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
const expired = () => json({ code: "unauthenticated", status: 401 }, 401);
const token = (access_token: string) => json({ access_token, token_type: "Bearer", expires_in: 600 });
const me = (id = "u1") => json({ ...ME, id });
const ME_PATH = "/api/v1/me";
const SIGN_IN = "/api/v1/auth/sign-in";
const REFRESH = "/api/v1/auth/refresh";

// The session lives in the module: every test starts with a fresh one.
async function load() {
  const { client } = await import("./client");
  const session = await import("./session");
  // Any path does: what is under test is the way there.
  const get = (path: string) => (client.GET as unknown as (path: string) => Promise<{ data?: unknown }>)(path);
  return { get, ...session };
}

beforeEach(() => {
  vi.resetModules();
  vi.unstubAllGlobals();
});

describe("the way to the API", () => {
  it("refreshes once for several expired calls and repeats each", async () => {
    const asked = network({
      [SIGN_IN]: [token("old")],
      [REFRESH]: [token("new")],
      [ME_PATH]: [me(), me()],
      "/a": [expired(), json({ ok: 1 })],
      "/b": [expired(), json({ ok: 2 })],
    });
    const { get, signIn } = await load();
    await signIn("a@example.jp", "password");
    const [a, b] = await Promise.all([get("/a"), get("/b")]);
    expect([a.data, b.data]).toEqual([{ ok: 1 }, { ok: 2 }]);
    const refreshes = asked.filter(({ path }) => path === REFRESH);
    expect(refreshes).toHaveLength(1);
    expect(refreshes[0]?.requestedBy).toBe("tsunagi");
    expect(asked.filter(({ path }) => path === "/a").map(({ authorization }) => authorization)).toEqual(["Bearer old", "Bearer new"]);
  });

  it("ends the session when the refresh is refused, and says so in Japanese", async () => {
    network({ [SIGN_IN]: [token("t")], [ME_PATH]: [me()], [REFRESH]: [expired()], "/a": [expired()] });
    const { get, signIn, currentIdentity } = await load();
    await signIn("a@example.jp", "password");
    expect(currentIdentity()?.organization_name).toBe("南部町");
    await expect(get("/a")).rejects.toThrow("もう一度サインインしてください");
    expect(currentIdentity()).toBeNull();
  });

  it("keeps the session when only the network failed", async () => {
    network({ [SIGN_IN]: [token("t")], [ME_PATH]: [me()], [REFRESH]: [new TypeError("failed to fetch")], "/a": [expired()] });
    const { get, signIn, currentIdentity } = await load();
    await signIn("a@example.jp", "password");
    await expect(get("/a")).rejects.toThrow("サーバーに接続できませんでした");
    expect(currentIdentity()).not.toBeNull();
  });

  it("removes another person's drafts at sign-in, and keeps one's own", async () => {
    network({ [SIGN_IN]: [token("1"), token("2"), token("3")], [ME_PATH]: [me(), me(), me("u2")] });
    const { signIn } = await load();
    await signIn("a", "p");
    writeDraft("x", { text: "途中", base: "", etag: '"v1"' });
    await signIn("a", "p");
    expect(countDrafts()).toBe(1);
    await signIn("b", "p");
    expect(countDrafts()).toBe(0);
  });
});

describe("writes", () => {
  it("carry a key of their own and the version they were made on", () => {
    const first = writeHeaders(etagOf(3));
    expect(first["If-Match"]).toBe('"v3"');
    expect(first["Idempotency-Key"]).not.toBe(writeHeaders()["Idempotency-Key"]);
    expect(writeHeaders()).not.toHaveProperty("If-Match");
  });
  it("read the other side of a conflict", () => {
    const problem = { status: 412, code: "stale", current: { version: 7, planned: "相手" }, changed_by: "山田 太郎" };
    expect(textConflict(new ApiError(problem), "planned")).toEqual({ theirs: "相手", etag: '"v7"', changedBy: "山田 太郎", changedAt: undefined });
    expect(textConflict(new Error("x"), "planned")).toBeNull();
  });
});
