import { describe, expect, it } from "vitest";
import { addressesOf, endWord, reachOf, readPublicKey, scopesOf, scopeWord, soonEnding, type Secret, type System } from "./words";

const now = Date.parse("2026-11-01T00:00:00Z");

describe("words of systems", () => {
  it("reads scopes as a choice for each kind and writes them back", () => {
    expect(reachOf(["kpis:write", "plans:read"])).toMatchObject({ kpis: "write", plans: "read", platforms: "" });
    expect(scopesOf(reachOf(["kpis:write", "plans:read"]))).toEqual(["plans:read", "kpis:write"]);
    expect(scopeWord("kpis:write")).toBe("KPIの読み書き");
  });

  it("warns of an end from thirty days ahead", () => {
    expect(endWord("2026-12-02T00:00:00Z", now)).toEqual({ text: "あと31日", soon: false });
    expect(endWord("2026-12-01T00:00:00Z", now)).toEqual({ text: "▲ あと30日", soon: true });
    expect(endWord("2026-10-31T00:00:00Z", now)).toEqual({ text: "－ 期限切れ", soon: true });
    expect(endWord(null, now)).toBeUndefined();
  });

  it("lists what ends soon, of systems that are in use", () => {
    const system = { id: "a", name: "記録", active: true, expires_at: null } as unknown as System;
    const secret = { id: "s", client_id: "a", expires_at: "2026-11-11T00:00:00Z" } as unknown as Secret;
    expect(soonEnding([system], [secret], now)).toMatchObject([{ what: "シークレットの有効期限", text: "▲ あと10日" }]);
    expect(soonEnding([{ ...system, active: false }], [secret], now)).toEqual([]);
  });

  it("takes addresses as they are typed", () => {
    expect(addressesOf("203.0.113.0/24\n１９８.５１.１００.７、2001:db8::/32")).toEqual(["203.0.113.0/24", "198.51.100.7", "2001:db8::/32"]);
  });

  it("reads a public key, and never a private one", async () => {
    const jwk = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", key_ops: ["verify"] };
    const read = { kty: "OKP", crv: "Ed25519", x: jwk.x, kid: "k" };
    expect(await readPublicKey(JSON.stringify(jwk), "k")).toEqual(read);
    expect(await readPublicKey(JSON.stringify({ keys: [jwk] }), "k")).toEqual(read);
    expect(await readPublicKey(JSON.stringify({ ...jwk, d: "x" }), "k")).toBeUndefined();
    expect(await readPublicKey("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----", "k")).toBeUndefined();
    expect(await readPublicKey("{", "k")).toBeUndefined();
  });
});
