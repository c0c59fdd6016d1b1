// An administrator has a system told of changes, sees what arrived and what did not, and sends it again.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { accessible, ADMIN, EDITOR, fresh, open } from "./browser.mjs";

const told = [];
const answers = [];
const receiver = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    told.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(answers.shift() ?? 204).end();
  });
});
await new Promise((listening) => receiver.listen(0, "127.0.0.1", listening));
after(() => receiver.close());
const url = `http://127.0.0.1:${receiver.address().port}/${fresh("hook")}`;
let secret;

test("a webhook is registered, gets its secret and is tried", async () => {
  const system = fresh("通知を受けるシステム");
  let page = await open(ADMIN, "/admin/clients");
  await page.getByRole("button", { name: "システムを登録" }).first().click();
  await page.getByRole("dialog").getByLabel(/^システムの名前/).fill(system);
  await page.getByRole("dialog").getByRole("button", { name: "登録する" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "キャンセル" }).click();
  await page.getByRole("link", { name: "変更の通知" }).click();
  await page.getByRole("button", { name: "通知先を登録" }).first().click();
  const form = page.getByRole("dialog");
  await form.getByRole("button", { name: "登録する" }).click();
  await form.getByText("連携システムを選んでください。").first().waitFor();
  await form.getByRole("combobox", { name: /^連携システム/ }).selectOption({ label: system });
  await form.getByLabel(/^通知先のURL/).fill("http://10.0.0.1/");
  await form.getByRole("button", { name: "登録する" }).click();
  await form.getByText("この宛先には通知できません").first().waitFor();
  await form.getByLabel(/^通知先のURL/).fill(url);
  await form.getByRole("checkbox", { name: "プラットフォーム", exact: true }).check();
  await accessible(page);
  await form.getByRole("button", { name: "登録する" }).click();
  await form.getByRole("button", { name: "発行する" }).click();
  secret = await form.getByRole("textbox", { name: /^シークレット/ }).inputValue();
  assert.match(secret, /^whsec_/);
  await accessible(page);
  await form.getByRole("button", { name: "控えたので閉じる" }).click();
  await page.getByRole("row", { name: url }).getByText("● 利用中").waitFor();

  await page.getByRole("button", { name: `${url}：試しに送る` }).click();
  await form.getByRole("button", { name: "送る", exact: true }).click();
  await form.getByText("届きました").waitFor();
  const { headers, body } = told.at(-1);
  const key = Buffer.from(secret.slice(6), "base64");
  const signature = createHmac("sha256", key).update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`).digest("base64");
  assert.equal(headers["webhook-signature"], `v1,${signature}`);
  answers.push(500);
  await form.getByRole("button", { name: "もう一度送る" }).click();
  await form.getByText("通知先が 500 と答えました").waitFor();
  await accessible(page);
  await page.close();
});

test("what happened is listed, and what did not arrive is sent again", async () => {
  answers.push(503);
  const editor = await open(EDITOR, "/platforms");
  await editor.getByRole("button", { name: "プラットフォームを作成" }).first().click();
  const made = editor.getByRole("dialog");
  await made.getByLabel(/^名称/).fill(fresh("知らせる場"));
  await made.getByRole("button", { name: "作成する" }).click();
  await made.waitFor({ state: "hidden" });
  await editor.close();
  const page = await open(ADMIN, "/admin/webhooks");
  await page.getByRole("button", { name: `${url}：通知の記録` }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("プラットフォーム 1件").first().waitFor();
  await dialog.getByRole("button", { name: "最新の状態を見る" }).click();
  await dialog.getByRole("button", { name: /の通知を今すぐ送る$/ }).first().click();
  for (let round = 0; round < 40 && !(await dialog.getByText("● 届いた").count()); round += 1) {
    await page.waitForTimeout(250);
    await dialog.getByRole("button", { name: "最新の状態を見る" }).click();
  }
  await dialog.getByText("● 届いた").first().waitFor();
  const messages = told.filter(({ body }) => body.includes("records.changed"));
  assert.equal(messages.length, 2);
  assert.equal(messages[0].headers["webhook-id"], messages[1].headers["webhook-id"]);
  await accessible(page);
  await dialog.getByRole("button", { name: "閉じる", exact: true }).last().click();
  await page.getByRole("button", { name: `${url}：送り直す` }).click();
  await dialog.getByLabel(/^最初の日/).fill("R2.4.1");
  await dialog.getByRole("button", { name: "送り直す" }).click();
  await dialog.getByText("直近400日").first().waitFor();
  await accessible(page);
  await page.close();
});

test("a webhook is switched off", async () => {
  const page = await open(ADMIN, "/admin/webhooks");
  await page.getByRole("button", { name: `${url}：変更`, exact: true }).click();
  await page.getByRole("dialog").getByRole("checkbox", { name: "通知する" }).uncheck();
  await page.getByRole("dialog").getByRole("button", { name: "変更する" }).click();
  await page.getByRole("row", { name: url }).getByText("✕ 停止").waitFor();
  await page.getByRole("link", { name: "ホーム" }).first().click();
  await page.getByRole("link", { name: /^停止している通知先/ }).waitFor();
  await page.close();
});
