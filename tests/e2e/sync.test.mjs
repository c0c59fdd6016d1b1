// A council's system in TypeScript: openapi-fetch with the types that openapi-typescript makes of the document.
// No browser, and nothing of our own between the types and the service.
// @ts-check
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import createClient from "../../frontend/node_modules/openapi-fetch/dist/index.mjs";

/** @typedef {import("../../frontend/src/api/schema.gen").paths} paths */
/** @typedef {import("../../frontend/src/api/schema.gen").components["schemas"]} schemas */

const baseUrl = process.env.TSUNAGI_URL;
const operator = {
  email: process.env.TSUNAGI_TEST_OPERATOR ?? "system-admin@demo.example.jp",
  password: process.env.TSUNAGI_DEMO_PASSWORD ?? "",
};
/** @type {(path: string) => string} */
const file = (path) => fileURLToPath(new URL(path, import.meta.url));

/** @type {(token?: string) => import("../../frontend/node_modules/openapi-fetch/dist/index.mjs").Client<paths>} */
const as = (token) => createClient({ baseUrl, headers: token ? { Authorization: `Bearer ${token}` } : {} });

/** @type {<T>(answer: Promise<{ data?: T, error?: unknown }>) => Promise<T>} */
async function ok(answer) {
  const { data, error } = await answer;
  assert.equal(error, undefined, JSON.stringify(error));
  return /** @type {any} */ (data);
}

/** @param {schemas["SignIn"]} body */
const signIn = async (body) => as((await ok(as().POST("/api/v1/auth/sign-in", { body }))).access_token);

/** A town of its own with a system: its credentials are exchanged for a token. */
async function system() {
  const founder = await signIn(operator);
  const mark = randomUUID().slice(0, 8);
  const account = { email: `admin-${mark}@test.example.jp`, password: randomUUID() };
  /** @type {schemas["OrganizationFields"]} */
  const town = { kind: "municipality", name: `試験町 ${mark}`, municipality_code: "313891" };
  const path = { organization_id: (await ok(founder.POST("/api/v1/organizations", { body: town }))).id };
  const user = await ok(founder.POST("/api/v1/organizations/{organization_id}/users",
    { params: { path }, body: { email: account.email, name: "管理者" } }));
  await ok(founder.POST("/api/v1/organizations/{organization_id}/user-roles",
    { params: { path }, body: { user_id: user.id, role: "municipality_admin", valid_from: "2024-04-01" } }));
  await ok(founder.POST("/api/v1/users/{user_id}/password",
    { params: { path: { user_id: user.id } }, body: { password: account.password } }));
  const admin = await signIn(account);
  const { id: client_id } = await ok(admin.POST("/api/v1/clients", { body: { name: "業務システム" } }));
  const { client_secret } = await ok(admin.POST("/api/v1/clients/{client_id}/secrets",
    { params: { path: { client_id } }, body: {} }));
  assert.ok(client_secret);
  const grant = await ok(as().POST("/api/v1/oauth/token", {
    body: { grant_type: "client_credentials", client_id, client_secret },
    bodySerializer: (body) => new URLSearchParams({ ...body }),
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  }));
  return as(grant.access_token);
}

/** The demo's sheet of Nanbu, by the system's own ids: @returns {schemas["BatchItem"][]} */
function rows() {
  const entries = JSON.parse(readFileSync(file("../../backend/xtask/demo/nanbu.json"), "utf8"));
  const entities = ["plans", "goals", "plan_actors", "goal_roles", "roadmap_items", "roadmap_cells"];
  /** @type {schemas["BatchItem"][]} */
  const items = [];
  for (const { resource, key, fields } of entries) {
    const entity = resource.replaceAll("-", "_");
    if (!entities.includes(entity)) continue;
    // The document leaves the fields of a record to its kind, and so does the type.
    /** @type {any} */
    const record = {};
    for (const [name, value] of Object.entries(fields)) {
      const external_id = typeof value === "string" && value.startsWith("@") ? value.slice(1) : undefined;
      if (external_id === undefined) record[name] = value;
      // Organisations and the platform stay with the demo.
      else if (items.some((item) => item.external_id === external_id)) record[name] = { source: "demo", external_id };
    }
    items.push({ entity, source: "demo", external_id: key, record });
  }
  return items;
}

test("the program fits the types of the document", () => {
  const options = ["--noEmit", "--allowJs", "--checkJs", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext",
    "--moduleResolution", "bundler", "--typeRoots", file("../../frontend/node_modules/@types"), "--types", "node"];
  const tsc = file("../../frontend/node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, file(import.meta.url)], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
});

test("a system reads everything from the beginning, follows, and pushes twice", async () => {
  const api = await system();
  /** @type {Map<string, schemas["ChangeItem"]>} */
  const copy = new Map();
  /** @type {string | undefined} */
  let after;

  /** Reads on to the end; answers how many changes there were. */
  async function pull(wait = 0) {
    for (let changes = 0; ;) {
      const page = await ok(api.GET("/api/v1/changes", { params: { query: { after, limit: 50, wait } } }));
      for (const item of page.items) {
        if (item.operation === "gone") copy.delete(`${item.entity} ${item.id}`);
        else copy.set(`${item.entity} ${item.id}`, item);
      }
      after = page.next;
      changes += page.items.length;
      if (!page.more) return changes;
    }
  }

  /** @param {schemas["BatchItem"][]} items */
  async function push(items) {
    const header = { "Idempotency-Key": randomUUID() };
    const { counts, items: results } = await ok(api.POST("/api/v1/batch", { params: { header }, body: { mode: "per_row", items } }));
    assert.deepEqual(results.filter((result) => result.problem), []);
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  }

  // First load, both ways: of the own organisation and its accounts, then of the sheet.
  assert.ok(await pull() > 0);
  const items = rows();
  assert.ok(items.length > 100);
  const following = pull(20);
  assert.deepEqual(await push(items), { created: items.length });
  assert.ok(await following > 0, "who waits is told");
  await pull();
  assert.deepEqual(await push(items), { unchanged: items.length });
  assert.equal(await pull(), 0);

  // The night after.
  const corrected = items.find((item) => item.entity === "roadmap_items");
  assert.ok(corrected?.record);
  /** @type {any} */
  const record = { ...corrected.record, text: "訂正した取り組み" };
  assert.deepEqual(await push([{ ...corrected, record }]), { updated: 1 });
  assert.equal(await pull(), 1);
  const texts = [...copy.values()].filter((item) => item.entity === "roadmap_items").map((item) => item.record?.text);
  assert.equal(texts.length, items.filter((item) => item.entity === "roadmap_items").length);
  assert.equal(texts.filter((text) => text === record.text).length, 1);

  // The copy has as much of each kind as the service.
  const counts = await ok(api.GET("/api/v1/changes/counts"));
  for (const { entity, count } of counts.items) {
    assert.equal([...copy.values()].filter((item) => item.entity === entity).length, count, entity);
  }
});
