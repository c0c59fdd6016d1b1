// Every screen opens, by everybody who may, without an accessibility violation and without anything from elsewhere.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible, ADMIN, base, EDITOR, open, openFirst, signIn, VIEWER } from "./browser.mjs";

test("a wrong password is told in words and shows nothing", async () => {
  const page = await signIn("nobody@demo.example.jp", "wrong wrong wrong wrong");
  await page.getByText("パスワードが違います").first().waitFor();
  await accessible(page);
  await page.context().close();
});

for (const [name, path] of [
  ["home", "/"],
  ["the platforms", "/platforms"],
  ["the plans", "/plans"],
  ["the KPIs", "/kpis"],
]) {
  test(`the list of ${name} opens for an editor`, async () => {
    const page = await open(EDITOR, path);
    await accessible(page);
    assert.deepEqual(page.context().elsewhere, []);
    await page.close();
  });
}

for (const tab of ["story", "breakthrough", "members", "projects", "kpis", "findings"]) {
  test(`the platform shows its ${tab}`, async () => {
    const page = await openFirst(EDITOR, "/platforms", "共生型支援会議");
    await page.goto(`${page.url().split("?")[0]}?tab=${tab}&fy=2026`);
    await page.getByRole("tab", { selected: true }).waitFor();
    await accessible(page);
    await page.close();
  });
}

test("the project shows its boxes, schedule and costs", async () => {
  const page = await openFirst(EDITOR, "/platforms", "共生型支援会議");
  await page.getByRole("tab", { name: "事業" }).click();
  await page.getByRole("link", { name: "地区相談窓口の合同説明会" }).click();
  for (const heading of ["概要", "実施時期", "発注先・予算"]) await page.getByRole("heading", { name: heading }).first().waitFor();
  await accessible(page);
  await page.close();
});

test("the roadmap sheet shows years, columns and evaluations", async () => {
  const page = await openFirst(EDITOR, "/plans?fy=2022", "地域福祉推進計画");
  await page.getByRole("grid").waitFor();
  const text = await page.getByRole("main").innerText();
  for (const expected of ["進捗の目安", "社会福祉協議会", "総合評価", "めざす姿"]) assert.ok(text.includes(expected), expected);
  await accessible(page);
  await page.close();
});

test("the KPI shows its chart, and the same as a table", async () => {
  const page = await openFirst(EDITOR, "/kpis", "地区窓口の相談件数");
  await page.getByRole("img", { name: /地区窓口の相談件数/ }).first().waitFor();
  await page.getByRole("table").first().waitFor();
  await accessible(page);
  await page.close();
});

for (const [path, task] of [["/admin/users", "利用者を登録"], ["/admin/organizations", "団体を登録"], ["/admin/clients", "システムを登録"], ["/admin/webhooks", "通知先を登録"]]) {
  test(`${path} opens for an administrator and refuses a viewer in words`, async () => {
    const page = await open(ADMIN, path);
    await page.getByRole("button", { name: task }).first().waitFor();
    await accessible(page);
    await page.close();
    const refused = await open(VIEWER, path);
    await refused.getByText("権限がありません").first().waitFor();
    assert.equal(await refused.getByRole("button", { name: task }).count(), 0);
    await accessible(refused);
    await refused.close();
  });
}

test("a viewer reads everything and is offered no change", async () => {
  for (const [list, name] of [["/plans?fy=2022", "地域福祉推進計画"], ["/kpis", "地区窓口の相談件数"], ["/platforms", "共生型支援会議"]]) {
    const page = await openFirst(VIEWER, list, name);
    await page.waitForLoadState("networkidle");
    assert.deepEqual(await page.getByRole("main").getByRole("button", { name: /編集|入力|追加|作成|変更$|訂正|提出|確定|公表/ }).allInnerTexts(), [], name);
    await page.close();
  }
});

test("an unknown address and an unknown record say so and lead on", async () => {
  for (const [path, words, link] of [
    ["/nowhere", "ページが見つかりません", /ホーム/],
    ["/kpis/00000000-0000-7000-8000-000000000000", "KPIが見つかりません", /KPIの一覧/],
    ["/plans/00000000-0000-7000-8000-000000000000", "この計画は表示できません", /計画の一覧/],
  ]) {
    const page = await open(EDITOR, path);
    await page.getByText(words).first().waitFor();
    await page.getByRole("main").getByRole("link", { name: link }).first().waitFor();
    await accessible(page);
    await page.close();
  }
});

test("a server that cannot be reached is told, and a second try shows the list", async () => {
  const page = await open(EDITOR, "/");
  await page.route("**/api/v1/kpis?**", (route) => route.abort());
  await page.goto(`${base}/kpis`);
  await page.getByText("サーバーに接続できませんでした").waitFor();
  await page.unroute("**/api/v1/kpis?**");
  await page.getByRole("button", { name: "もう一度読み込む" }).click();
  await page.getByRole("table").waitFor();
  await page.close();
});

test("a search without a hit says so and clears itself", async () => {
  const page = await open(EDITOR, "/kpis?q=該当しない言葉");
  await page.getByText("条件に合うKPIはありません").waitFor();
  await page.getByRole("button", { name: "検索条件を消す" }).click();
  await page.getByRole("table").waitFor();
  await page.close();
});
