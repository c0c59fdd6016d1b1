// KPIs, platforms, projects, accounts and their history, each through the main job of its screen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible, ADMIN, EDITOR, fresh, open, openFirst, signIn } from "./browser.mjs";

const name = fresh("窓口の開設数");
let kpi;

test("a KPI is defined with its plan", async () => {
  const page = await open(EDITOR, "/kpis?fy=2025");
  await page.getByRole("button", { name: "KPIを作成" }).first().click();
  const form = page.getByRole("dialog");
  await form.getByLabel(/^指標名/).fill(name);
  await form.getByLabel(/^単位/).fill("か所");
  await form.getByLabel("計画", { exact: true }).selectOption({ label: "地域福祉推進計画（R3～R7）" });
  await accessible(page);
  await form.getByRole("button", { name: "作成する" }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
  await page.getByRole("link", { name: "地域福祉推進計画" }).waitFor();
  kpi = new URL(page.url()).pathname;
  await page.close();
});

test("a final value is entered and corrected with a reason; both stay", async () => {
  const page = await open(EDITOR, `${kpi}?fy=2025`);
  const form = page.getByRole("dialog");
  await page.getByRole("button", { name: "値を入力" }).click();
  await form.getByLabel(/^数値/).last().fill("５");
  await form.getByLabel(/^確定の度合い/).selectOption({ label: "確定" });
  await form.getByRole("button", { name: "登録する" }).click();
  await form.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: /値を訂正$/ }).click();
  await form.getByLabel(/^数値/).last().fill("6");
  await form.getByRole("button", { name: "訂正として登録する" }).click();
  await form.getByText("確定した値を訂正する理由を入力してください。").first().waitFor();
  await form.getByLabel(/^訂正の理由/).fill("3月末の開設分の数え漏れ");
  await form.getByRole("button", { name: "訂正として登録する" }).click();
  await form.waitFor({ state: "hidden" });
  await page.getByText("改訂の記録（1回の訂正）").click();
  await page.getByText("理由：3月末の開設分の数え漏れ").waitFor();
  await page.getByRole("region", { name: "現在の状況" }).getByText("6か所").waitFor();
  await page.close();
});

test("a target is set and changed with a reason; the old one stays", async () => {
  const page = await open(EDITOR, `${kpi}?fy=2025`);
  const form = page.getByRole("dialog");
  await page.getByRole("button", { name: "目標を設定" }).click();
  await form.getByLabel(/^年度/).selectOption("2025");
  await form.getByLabel(/^目標値/).fill("7");
  await form.getByRole("button", { name: "設定する" }).click();
  await form.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: /の目標を変更$/ }).click();
  await form.getByLabel(/^目標値/).fill("6");
  await form.getByLabel(/^変更の理由/).fill("地区の統合");
  await form.getByRole("button", { name: "変更する" }).click();
  await form.waitFor({ state: "hidden" });
  await page.getByText("理由：地区の統合").waitFor();
  await page.getByRole("region", { name: "現在の状況" }).getByText("達成").waitFor();
  await page.close();
});

test("a KPI is listed at a project, found there, changed and taken out again", async () => {
  const page = await open(EDITOR, kpi);
  const form = page.getByRole("dialog");
  await page.getByRole("button", { name: "掲載場所を追加" }).click();
  await form.getByRole("radio", { name: "事業" }).check();
  await form.getByLabel(/^事業のプラットフォーム/).selectOption({ label: "共生型支援会議" });
  await form.getByLabel(/^掲載する場所/).selectOption({ label: "地区相談窓口の合同説明会" });
  await form.getByRole("button", { name: "追加する" }).click();
  await form.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "地区相談窓口の合同説明会への掲載を編集" }).click();
  await form.getByLabel(/^番号/).fill("9-9");
  await form.getByRole("button", { name: "変更する" }).click();
  await form.waitFor({ state: "hidden" });
  await page.getByText("9-9").waitFor();
  await page.getByRole("link", { name: "地区相談窓口の合同説明会" }).click();
  await page.getByRole("heading", { name: "この事業のKPI" }).waitFor();
  await page.getByRole("link", { name }).click();
  await page.getByRole("button", { name: "地区相談窓口の合同説明会への掲載をやめる" }).click();
  await page.getByRole("button", { name: "掲載をやめる", exact: true }).click();
  await page.getByText("どこにも掲載していません").waitFor();
  await page.close();
});

test("the history tells what was changed, and shows the record as it was", async () => {
  const page = await open(EDITOR, kpi);
  const form = page.getByRole("dialog");
  await page.getByRole("button", { name: "定義書を変更" }).click();
  await form.getByLabel(/^指標名/).fill(`${name}（改）`);
  await form.getByRole("button", { name: "変更する" }).click();
  await page.getByRole("heading", { level: 1, name: `${name}（改）` }).waitFor();
  await page.getByRole("link", { name: "変更の履歴" }).click();
  const change = page.getByRole("row", { name: /指標名/ }).first();
  await change.waitFor();
  assert.deepEqual(await change.getByRole("cell").allInnerTexts(), [name, `${name}（改）`]);
  await page.getByText("南部町 編集者").nth(1).waitFor();
  await accessible(page);
  await page.getByRole("link", { name: "この時点を見る" }).last().click();
  await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
  await page.getByText("時点の記録を表示しています").waitFor();
  assert.equal(await page.getByRole("button", { name: "値を入力" }).count(), 0);
  await page.close();
});

test("the narrative of the year is edited in place, and its history tells it", async () => {
  const page = await openFirst(EDITOR, "/platforms?fy=2026", "共生型支援会議");
  const text = fresh("合同の記録会を開く");
  await page.getByRole("button", { name: "次年度以降に向けた事業等の案を編集" }).click();
  await page.getByRole("textbox", { name: "次年度以降に向けた事業等の案" }).fill(`● ${text}`);
  await page.keyboard.press("Control+Enter");
  await page.getByText("保存しました").first().waitFor();
  await page.reload();
  await page.getByText(text).waitFor();
  await page.getByRole("link", { name: "この年度の変更の履歴" }).click();
  await page.getByRole("row", { name: /次年度以降の事業案/ }).first().getByText(`● ${text}`).waitFor();
  await page.close();
});

test("a member joins on a day and counts from that day on", async () => {
  const page = await openFirst(EDITOR, "/platforms?fy=2026", "共生型支援会議");
  await page.goto(`${page.url().split("?")[0]}?fy=2026&tab=members`);
  const member = fresh("配食の会");
  const form = page.getByRole("dialog");
  await page.getByRole("button", { name: "メンバーを追加" }).first().click();
  await form.getByLabel(/^名称/).fill(member);
  await form.getByLabel(/^参画日/).fill("R8.5.10");
  await form.getByRole("button", { name: "追加する" }).click();
  await form.waitFor({ state: "hidden" });
  await page.getByRole("row", { name: member }).waitFor();
  for (const [day, count] of [["令和8年5月9日", 0], ["令和8年5月10日", 1]]) {
    await page.getByLabel("いつ現在のメンバー").fill(day);
    await page.getByRole("button", { name: "表示", exact: true }).click();
    await page.getByText(`${day}現在）`).waitFor();
    await page.waitForLoadState("networkidle");
    assert.equal(await page.getByRole("row", { name: member }).count(), count, day);
  }
  await page.close();
});

test("what a project costs is recorded and summed up", async () => {
  const page = await openFirst(EDITOR, "/platforms?fy=2026", "共生型支援会議");
  await page.getByRole("tab", { name: "事業" }).click();
  await page.getByRole("link", { name: "地区相談窓口の合同説明会" }).click();
  const contractor = fresh("印刷所");
  const form = page.getByRole("dialog");
  await page.getByRole("button", { name: "費用を追加" }).click();
  await form.getByLabel(/^発注先/).fill(contractor);
  await form.getByLabel(/^金額/).fill("50万");
  await form.getByRole("button", { name: "追加する" }).click();
  await form.waitFor({ state: "hidden" });
  await page.getByRole("row", { name: contractor }).getByText("500,000円").waitFor();
  await page.close();
});

test("an administrator adds somebody with a role, who then signs in", async () => {
  const page = await open(ADMIN, "/admin/users");
  const email = `${fresh("new")}@demo.example.jp`;
  const form = page.getByRole("dialog");
  await page.getByRole("button", { name: "利用者を登録" }).first().click();
  await form.getByLabel(/^氏名/).fill("南部町 担当者");
  await form.getByLabel(/^メールアドレス/).fill(email);
  await form.getByRole("radio", { name: /市町村 閲覧者/ }).check();
  await form.getByRole("button", { name: "登録する" }).click();
  await form.getByText("南部町 担当者さんを登録しました").waitFor();
  const password = await form.locator("dd").last().innerText();
  await form.getByRole("button", { name: "閉じる" }).last().click();
  await page.getByRole("row", { name: new RegExp(email) }).getByText("市町村 閲覧者").waitFor();
  await page.close();
  const theirs = await signIn(email, password);
  await theirs.getByRole("heading", { level: 1, name: "ホーム" }).waitFor();
  await theirs.context().close();
});
