// A real browser against the real server with its demo data, as staff use it.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

export const base = process.env.TSUNAGI_URL;
const demoPassword = process.env.TSUNAGI_DEMO_PASSWORD;

export const EDITOR = "municipality-editor@demo.example.jp";
export const ADMIN = "municipality-admin@demo.example.jp";
export const VIEWER = "municipality-viewer@demo.example.jp";
export const COUNCIL = "council-editor@demo.example.jp";

let browser;
let sessions = new Map();

before(async () => {
  assert.ok(base && demoPassword, "TSUNAGI_URL and TSUNAGI_DEMO_PASSWORD are set by `cargo xtask test`");
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});

after(() => browser?.close());

/** A window of a usual office PC; whatever it asks for elsewhere is remembered. */
async function newWindow() {
  const context = await browser.newContext({
    viewport: { width: 1366, height: 768 }, locale: "ja-JP", timezoneId: "Asia/Tokyo", permissions: ["clipboard-read", "clipboard-write"],
  });
  context.setDefaultTimeout(15_000);
  context.elsewhere = [];
  context.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) context.elsewhere.push(request.url());
  });
  return context;
}

/** Signs in by keyboard in a window of its own. */
export async function signIn(email, password = demoPassword) {
  const context = await newWindow();
  const page = await context.newPage();
  await page.goto(`${base}/`);
  await page.getByRole("textbox", { name: /メールアドレス/ }).fill(email);
  await page.locator("input[type=password]").fill(password);
  await page.keyboard.press("Enter");
  return page;
}

/** A new tab of somebody who has signed in, at this address. */
export async function open(email, path) {
  if (!sessions.has(email)) {
    const page = await signIn(email);
    await page.getByRole("heading", { level: 1, name: "ホーム" }).waitFor();
    sessions.set(email, page.context());
    await page.close();
  }
  const page = await sessions.get(email).newPage();
  // Leaving with something unsaved asks first; here the answer is always yes.
  page.on("dialog", (dialog) => dialog.accept());
  await page.goto(`${base}${path}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

/** The first record of a list whose name contains `text`. */
export async function openFirst(email, list, text) {
  const page = await open(email, list);
  await page.getByRole("main").getByRole("table").getByRole("link", { name: text }).first().click();
  await page.waitForURL((url) => url.pathname.split("/").length > 2);
  await page.getByRole("main").getByRole("heading", { level: 1, name: text }).waitFor();
  return page;
}

export async function accessible(page) {
  await page.waitForLoadState("networkidle");
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(" ")}`), []);
}

/** Texts that no earlier run has written. */
export const fresh = (words) => `${words}${Date.now().toString(36)}`;
