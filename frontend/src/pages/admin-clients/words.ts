/** What a system may do, and when it stops, in words. */
import type { components } from "../../api";

export type System = components["schemas"]["Client"];
export type Secret = components["schemas"]["ClientSecret"];
export type PublicKey = components["schemas"]["PublicKey"];
export type Scope = components["schemas"]["Scope"];

/** Kinds of records that a scope names, each with all below it. */
export const SCOPES: Record<string, { label: string; hint?: string; readOnly?: boolean }> = {
  platforms: { label: "プラットフォーム", hint: "年度の記録・参画メンバーを含みます" },
  projects: { label: "事業", hint: "費用を含みます" },
  plans: { label: "計画とロードマップ", hint: "目標・項目・評価を含みます" },
  kpis: { label: "KPI", hint: "値・目標値・掲載場所を含みます" },
  municipality_facts: { label: "市区町村の基礎数値" },
  organizations: { label: "団体" },
  finding_notes: { label: "指摘事項" },
  external_ids: { label: "外部システムのID" },
  sync: { label: "ファイルの取り込みと同期の記録", hint: "取り込むファイルには、このシステムが書けるすべての種類の記録を含められます" },
  accounts: { label: "利用者と役割", readOnly: true },
};

/** `kpis:write` → KPIの読み書き */
export function scopeWord(scope: string): string {
  const [kind = "", action] = scope.split(":");
  return `${SCOPES[kind]?.label ?? kind}の${action === "write" ? "読み書き" : "読み取り"}`;
}

/** The choice for each kind: nothing, read, or write, which includes reading. */
export type Reach = Record<string, "" | "read" | "write">;

export function reachOf(scopes: readonly Scope[]): Reach {
  return Object.fromEntries(Object.keys(SCOPES).map((kind) => [kind, scopes.includes(`${kind}:write` as Scope) ? "write" : scopes.includes(`${kind}:read` as Scope) ? "read" : ""]));
}

export const scopesOf = (reach: Reach): Scope[] => Object.entries(reach).flatMap(([kind, action]) => (action ? [`${kind}:${action}` as Scope] : []));

const DAY = 86_400_000;

/** Days until an end, counted up to whole days; undefined without an end. */
export const daysLeft = (end: string | null | undefined, now = Date.now()) => (end ? Math.ceil((new Date(end).getTime() - now) / DAY) : undefined);

/** An end is warned about from so many days ahead. */
export const WARNED_DAYS = 30;

export function endWord(end: string | null | undefined, now = Date.now()): { text: string; soon: boolean } | undefined {
  const days = daysLeft(end, now);
  if (days === undefined) return undefined;
  return days <= 0 ? { text: "－ 期限切れ", soon: true } : days <= WARNED_DAYS ? { text: `▲ あと${days}日`, soon: true } : { text: `あと${days}日`, soon: false };
}

/** Every end that is near or past, of systems in use and of their secrets. */
export function soonEnding(systems: readonly System[], secrets: readonly Secret[], now = Date.now()) {
  return systems
    .filter(({ active }) => active)
    .flatMap((system) => [
      { system, what: "システムの有効期限", end: system.expires_at },
      ...secrets.filter(({ client_id }) => client_id === system.id).map(({ expires_at }) => ({ system, what: "シークレットの有効期限", end: expires_at })),
    ])
    .flatMap(({ system, what, end }) => {
      const word = endWord(end, now);
      return word?.soon && end ? [{ system, what, end, text: word.text }] : [];
    });
}

/** Addresses as they are typed: one a line, or parted by commas. */
export const addressesOf = (typed: string) => typed.normalize("NFKC").split(/[\s,、]+/).filter(Boolean);

const MEMBERS = ["kty", "crv", "x", "y", "n", "e", "alg", "use"] as const;

/** A public key out of what programs print: a JSON Web Key, a set of one, or PEM. What cannot be read is undefined. */
export async function readPublicKey(text: string, kid: string): Promise<PublicKey | undefined> {
  const jwk = text.trim().startsWith("{") ? fromJson(text) : await fromPem(text);
  if (!jwk || "d" in jwk) return undefined;
  const known = Object.fromEntries(MEMBERS.flatMap((name) => (typeof jwk[name] === "string" ? [[name, jwk[name]]] : [])));
  return { ...known, kid } as PublicKey;
}

function fromJson(text: string): Record<string, unknown> | undefined {
  try {
    const read = JSON.parse(text) as { keys?: Record<string, unknown>[] } & Record<string, unknown>;
    return read.keys ? (read.keys.length === 1 ? read.keys[0] : undefined) : read;
  } catch {
    return undefined;
  }
}

const PEM_KINDS = [{ name: "Ed25519" }, { name: "ECDSA", namedCurve: "P-256" }, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }];

async function fromPem(text: string): Promise<Record<string, unknown> | undefined> {
  const body = /-----BEGIN PUBLIC KEY-----([\s\S]+)-----END PUBLIC KEY-----/.exec(text)?.[1];
  if (!body) return undefined;
  for (const kind of PEM_KINDS) {
    try {
      const bytes = Uint8Array.from(atob(body.replace(/\s/g, "")), (letter) => letter.charCodeAt(0));
      const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey("jwk", await crypto.subtle.importKey("spki", bytes, kind, true, ["verify"]));
      return { kty, crv, x, y, n, e };
    } catch {
      // A key of another kind.
    }
  }
  return undefined;
}
