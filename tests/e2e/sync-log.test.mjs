// Files and the sync log: a file is tried, imported, its failed rows downloaded; a conflict is settled side by side.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { accessible, base, EDITOR, fresh, open, VIEWER } from "./browser.mjs";

const source = fresh("kintone-");
const name = fresh("見守りの会");

const file = (text) => ({ name: "団体.csv", mimeType: "text/csv", buffer: Buffer.from(text) });

test("a file is tried, imported, and its failed row comes back as a file", async () => {
  const page = await open(EDITOR, "/sync");
  await page.getByRole("button", { name: "ファイルを取り込む" }).click();
  const form = page.getByRole("dialog");
  await form.getByRole("button", { name: "試してみる" }).click();
  await form.getByText("取り込むファイルを選んでください。").first().waitFor();
  await form.locator("input[type=file]").setInputFiles(file(`外部ID,種類,名称\nO-1,npo,${name}\nO-2,npo,\n`));
  await form.getByLabel(/^記録の種類/).selectOption({ label: "団体" });
  await form.getByLabel(/^IDを付けたシステム/).fill(source);
  await accessible(page);
  await form.getByRole("button", { name: "試してみる" }).click();
  await page.getByText("試行の結果です。まだ何も書き込んでいません").waitFor();
  await page.getByText("名称を入力してください。").waitFor();
  await accessible(page);
  await page.getByRole("button", { name: "この内容で取り込む" }).click();
  await page.getByRole("button", { name: "3行目を処理" }).waitFor();
  await page.getByRole("button", { name: "直したファイルを取り込む" }).waitFor();
  const counts = page.getByRole("table", { name: "結果の件数" });
  assert.deepEqual((await counts.getByRole("cell").allInnerTexts()).slice(0, 6), ["1", "0", "0", "0", "0", "1"]);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSVでダウンロード" }).click()]);
  const csv = await readFile(await download.path(), "utf8");
  assert.match(csv, /O-2.*名称を入力してください。/);
  await page.getByRole("button", { name: "3行目を処理" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "処理済みにする" }).click();
  await page.getByText("● 処理済み").waitFor();
  await page.getByRole("link", { name: "同期の記録" }).click();
  await page.getByRole("link", { name: /\d/ }).first().waitFor();
  await accessible(page);
  await page.close();
});

test("a conflict is settled with both texts side by side", async () => {
  const page = await open(EDITOR, "/sync");
  // Somebody else than the file's sender changes the record: here the same person by another version.
  const sent = await page.evaluate(async ({ base, source, name }) => {
    const headers = { "Content-Type": "application/json", "X-Requested-By": "tsunagi" };
    const token = (await (await fetch(`${base}/api/v1/auth/refresh`, { method: "POST", headers, body: "{}" })).json()).access_token;
    const item = { entity: "organizations", source, external_id: "O-1", if_version: 7, record: { kind: "npo", name: `${name}（改）` } };
    const answer = await fetch(`${base}/api/v1/batch`, {
      method: "POST", headers: { ...headers, Authorization: `Bearer ${token}`, "Idempotency-Key": crypto.randomUUID() },
      body: JSON.stringify({ mode: "per_row", items: [item] }),
    });
    return (await answer.json()).items[0].outcome;
  }, { base, source, name });
  assert.equal(sent, "conflict");
  // The home page tells of it, and the way from there is to what is left to settle.
  await page.goto(`${base}/`);
  await page.getByRole("link", { name: /どちらの内容を残すか決めていない行がある同期/ }).click();
  await page.getByRole("row", { name: /（利用者）.*まとめて送信/ }).first().waitFor();
  assert.equal(new URL(page.url()).searchParams.get("result"), "open");
  await page.getByRole("link", { name: /年/ }).first().click();
  await page.getByRole("button", { name: "1行目を処理" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("row", { name: new RegExp(`名称.*${name}（改）.*${name}`) }).waitFor();
  await accessible(page);
  await dialog.getByRole("button", { name: "送られた内容にする" }).click();
  await page.getByText("● 処理済み").waitFor();
  await page.close();
});

test("runs are found by who, what, outcome and period, and the address says which", async () => {
  const page = await open(EDITOR, "/sync");
  const table = page.getByRole("table", { name: "同期の記録の一覧" });
  const rows = () => table.locator("tbody tr").allInnerTexts();
  await page.getByRole("combobox", { name: "試行" }).selectOption({ label: "試行だけ" });
  await page.getByRole("combobox", { name: "内容" }).selectOption({ label: "ファイルの取り込み" });
  await page.waitForLoadState("networkidle");
  assert.ok((await rows()).length > 0 && (await rows()).every((row) => /ファイルの取り込み/.test(row) && /試行/.test(row)));
  await page.reload();
  await table.waitFor();
  assert.equal(await page.getByRole("combobox", { name: "試行" }).inputValue(), "only");
  await page.goto(`${base}/sync?result=errors`);
  await table.waitFor();
  await table.getByRole("link", { name: /（利用者）の記録だけを表示/ }).first().click();
  await page.waitForURL(/who=/);
  await table.waitFor();
  assert.match(await page.getByRole("combobox", { name: "実行した人・システム" }).locator("option:checked").innerText(), /（利用者）/);
  await accessible(page);
  await page.getByRole("textbox", { name: "期間の始まり" }).fill("きのう");
  await page.keyboard.press("Enter");
  await page.getByText("日付を R7.4.1 または 2025/4/1 のように入力してください。").waitFor();
  await page.getByRole("textbox", { name: "期間の始まり" }).fill("R2.4.1");
  await page.getByRole("textbox", { name: "期間の終わり" }).fill("R2.4.2");
  await page.keyboard.press("Enter");
  await page.getByText("条件に合う同期の記録はありません").waitFor();
  assert.equal(new URL(page.url()).searchParams.get("to"), "2020-04-02");
  await accessible(page);
  await page.getByRole("button", { name: "条件を消す" }).click();
  await table.waitFor();
  assert.equal(new URL(page.url()).search, "");
  await page.close();
});

test("who only reads sees the log and cannot import", async () => {
  const page = await open(VIEWER, "/sync");
  await page.getByRole("table", { name: "同期の記録の一覧" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "ファイルを取り込む" }).count(), 0);
  await page.close();
});
