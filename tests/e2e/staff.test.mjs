// Staff at work, in a real browser against the real server with its demo data.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const base = process.env.TSUNAGI_URL;
const password = process.env.TSUNAGI_DEMO_PASSWORD;
let browser;

before(async () => {
  assert.ok(base && password, "TSUNAGI_URL and TSUNAGI_DEMO_PASSWORD are set by `cargo xtask test`");
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});

after(() => browser?.close());

/** A page of somebody who has signed in, in a window of a usual office PC; nothing may come from elsewhere. */
async function signedIn(email) {
  const context = await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: "ja-JP", timezoneId: "Asia/Tokyo" });
  const page = await context.newPage();
  const elsewhere = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) elsewhere.push(request.url());
  });
  await page.goto(`${base}/`);
  await page.getByRole("textbox", { name: /メールアドレス/ }).fill(email);
  await page.locator("input[type=password]").fill(password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1 }).filter({ hasNotText: "サインイン" }).waitFor();
  return { page, elsewhere, close: () => context.close() };
}

async function accessible(page) {
  await page.waitForLoadState("networkidle");
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(" ")}`), []);
}

test("a wrong password is told in words and shows nothing", async () => {
  const page = await browser.newPage();
  await page.goto(`${base}/sign-in`);
  await page.getByRole("textbox", { name: /メールアドレス/ }).fill("nobody@demo.example.jp");
  await page.locator("input[type=password]").fill("wrong wrong wrong wrong");
  await page.keyboard.press("Enter");
  await page.getByText("パスワードが違います").first().waitFor();
  await page.close();
});

for (const [name, path] of [
  ["home", "/"],
  ["platforms", "/platforms"],
  ["plans", "/plans"],
  ["KPIs", "/kpis"],
]) {
  test(`the screen of ${name} opens for an editor, without a violation and without anything from elsewhere`, async () => {
    const { page, elsewhere, close } = await signedIn("municipality-editor@demo.example.jp");
    await page.goto(`${base}${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await accessible(page);
    assert.deepEqual(elsewhere, []);
    await close();
  });
}

test("the roadmap sheet of the demo town shows its years and columns", async () => {
  const { page, close } = await signedIn("municipality-editor@demo.example.jp");
  await page.goto(`${base}/plans?fy=2022`);
  await page.getByRole("main").getByRole("link", { name: /計画/ }).first().click();
  await page.getByRole("grid").first().waitFor();
  const text = await page.getByRole("main").innerText();
  for (const expected of ["進捗の目安", "社会福祉協議会", "総合評価"]) assert.ok(text.includes(expected), expected);
  await accessible(page);
  await close();
});

test("a KPI page shows chart and table", async () => {
  const { page, close } = await signedIn("municipality-editor@demo.example.jp");
  await page.goto(`${base}/kpis`);
  await page.getByRole("main").getByRole("table").getByRole("link").first().click();
  await page.getByRole("table").first().waitFor();
  await accessible(page);
  await close();
});

test("a viewer is not offered the administration of accounts", async () => {
  const { page, close } = await signedIn("municipality-viewer@demo.example.jp");
  await page.goto(`${base}/admin/users`);
  await page.getByText("権限がありません").first().waitFor();
  await close();
});
