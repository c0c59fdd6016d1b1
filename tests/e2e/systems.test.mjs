// Councils' systems: issued, bounded, warned of and ended on the screen, and seen from the system's own side.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { accessible, base, COUNCIL, fresh, open } from "./browser.mjs";

const name = fresh("利用者管理");
let id, secret;

/** What the system gets at the token endpoint. */
async function token() {
  const form = new URLSearchParams({ grant_type: "client_credentials", client_id: id, client_secret: secret });
  const answer = await fetch(`${base}/api/v1/oauth/token`, { method: "POST", body: form });
  return { status: answer.status, ...(await answer.json()) };
}

test("a system is registered within a scope and gets a secret, which is shown once", async () => {
  // Who has no accounts to look after gets here by the menu, too.
  const page = await open(COUNCIL, "/");
  await page.getByRole("navigation", { name: "メインメニュー" }).getByRole("link", { name: "管理" }).click();
  await page.getByRole("heading", { level: 1, name: "連携システム" }).waitFor();
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "システムを登録" }).first().click();
  await dialog.getByLabel(/^システムの名前/).fill(name);
  await dialog.getByRole("radio", { name: /記録の種類を選ぶ/ }).check();
  await dialog.getByRole("button", { name: "登録する" }).click();
  await dialog.getByText("読み書きできる記録を一つ以上選んでください。").first().waitFor();
  await dialog.getByLabel("KPI", { exact: true }).selectOption("write");
  await dialog.getByLabel("計画とロードマップ", { exact: true }).selectOption("read");
  await dialog.getByLabel(/^接続元のアドレス/).fill("どこか");
  await dialog.getByRole("button", { name: "登録する" }).click();
  await dialog.getByText(/203\.0\.113\.0\/24 のような/).first().waitFor();
  await dialog.getByLabel(/^接続元のアドレス/).fill("127.0.0.0/8\n::1");
  await accessible(page);
  await dialog.getByRole("button", { name: "登録する" }).click();
  await dialog.getByLabel(/^シークレットの有効期限/).fill(new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10));
  await dialog.getByRole("button", { name: "発行する" }).click();
  const shown = page.getByRole("dialog", { name: "シークレットを発行しました" });
  secret = await shown.getByRole("textbox", { name: /^シークレット/ }).inputValue();
  id = await shown.getByRole("textbox", { name: /^クライアントID/ }).inputValue();
  await accessible(page);
  await dialog.getByRole("button", { name: "控えたので閉じる" }).click();
  const row = page.getByRole("row", { name: new RegExp(name) });
  await row.getByText("計画とロードマップの読み取り、KPIの読み書き").waitFor();
  // What ends soon stands on top, and the system is told, too.
  await page.getByRole("listitem").filter({ hasText: name }).getByText(/シークレットの有効期限/).waitFor();
  await page.getByRole("link", { name: "ホーム" }).first().click();
  await page.getByRole("link", { name: new RegExp(`^有効期限が30日以内か、切れている連携システム：.*${name}`) }).waitFor();
  await accessible(page);
  const got = await token();
  assert.deepEqual([got.status, got.scope], [200, "plans:read kpis:write"]);
  assert.ok(got.credential_expires_at);
  await page.close();
});

test("a public key is registered and taken out", async () => {
  const page = await open(COUNCIL, "/admin/clients");
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: `${name}の認証情報` }).click();
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await dialog.getByRole("button", { name: "公開鍵を登録" }).click();
  const form = page.getByRole("dialog", { name: `${name}の公開鍵の登録` });
  await form.getByLabel(/^鍵の名前/).fill("2026-04");
  await form.getByLabel(/^公開鍵/).fill(privateKey.export({ type: "pkcs8", format: "pem" }));
  await form.getByRole("button", { name: "登録する" }).click();
  await form.getByText(/秘密鍵は登録できません/).first().waitFor();
  await form.getByLabel(/^公開鍵/).fill(publicKey.export({ type: "spki", format: "pem" }));
  await form.getByRole("button", { name: "登録する" }).click();
  await form.waitFor({ state: "hidden" });
  await dialog.getByRole("row", { name: /2026-04.*P-256.*まだ使われていません/ }).waitFor();
  await accessible(page);
  await dialog.getByRole("button", { name: "公開鍵2026-04を外す" }).click();
  await page.getByRole("button", { name: "外す", exact: true }).last().click();
  await dialog.getByText("公開鍵はありません。").waitFor();
  await page.close();
});

test("a secret that is ended on the screen is refused at once", async () => {
  const page = await open(COUNCIL, "/admin/clients");
  await page.getByRole("button", { name: `${name}の認証情報` }).click();
  await page.getByRole("button", { name: /に発行したシークレットを無効にする$/ }).click();
  await page.getByRole("dialog", { name: "シークレットを無効にしますか" }).getByRole("button", { name: "無効にする" }).click();
  await page.getByText("シークレットはありません。").waitFor();
  const refused = await token();
  assert.deepEqual([refused.status, refused.error], [401, "invalid_client"]);
  await page.close();
});
