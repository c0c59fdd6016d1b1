/**
 * Opens the gallery in a real browser, counts accessibility violations and requests to other
 * origins, and writes screenshots: `npm run gallery -- <folder>`. CHROMIUM names the browser.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";
import { createServer } from "vite";

const folder = process.argv[2] ?? "dist/gallery";
mkdirSync(folder, { recursive: true });
const server = await createServer({ server: { port: 0, strictPort: false } });
await server.listen();
const origin = server.resolvedUrls.local[0].replace(/\/$/, "");
const profile = mkdtempSync(join(tmpdir(), "tsunagi-gallery-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
  viewport: { width: 1366, height: 768 },
  locale: "ja-JP",
});

const faults = [];
async function check(page, name, fullPage = true) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  for (const violation of violations) {
    faults.push(`${name}: ${violation.id} ${violation.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
  }
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage });
}

try {
  const page = await context.newPage();
  page.on("request", (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith("data:")) faults.push(`request to ${request.url()}`);
  });
  page.on("pageerror", (error) => faults.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("Failed to load resource")) faults.push(`console: ${message.text()}`);
  });

  const open = async (path) => {
    await page.goto(`${origin}${path}`);
    await page.locator("h1").waitFor();
    await page.evaluate(() => document.fonts.ready);
    await page.waitForTimeout(600);
  };
  await open("/gallery?fy=2024");
  await check(page, "gallery");

  for (const [button, name] of [
    ["ダイアログ", "dialog"],
    ["確認ダイアログ", "confirm"],
    ["更新の重なり", "conflict"],
  ]) {
    await page.getByRole("button", { name: button, exact: true }).click();
    await check(page, name, false);
    await page.keyboard.press("Escape");
  }

  // The sheet by keyboard: down, edit, save, and the focus is back on the cell.
  await page.locator("[data-grid-cell]").first().focus();
  for (const key of ["ArrowRight", "ArrowRight", "ArrowDown", "F2"]) await page.keyboard.press(key);
  await page.keyboard.type("。見直した");
  await check(page, "sheet-editing", false);
  await page.keyboard.press("Control+Enter");
  await page.waitForTimeout(900);
  await check(page, "sheet-saved", false);
  const focused = await page.evaluate(() => document.activeElement?.getAttribute("data-row"));
  if (focused !== "1") faults.push(`the focus did not return to the cell (row ${focused})`);

  // 200 % zoom of a 1366x768 screen is a window of 683x384.
  await page.setViewportSize({ width: 683, height: 384 });
  await open("/gallery?fy=2024");
  await check(page, "gallery-zoom-200");
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (overflow > 0) faults.push(`the page scrolls sideways by ${overflow}px at 200 % zoom`);

  await page.setViewportSize({ width: 1366, height: 768 });
  await open("/sign-in");
  await check(page, "sign-in");
  await page.getByRole("button", { name: "サインイン" }).click();
  await check(page, "sign-in-missing");

  await page.emulateMedia({ media: "print" });
  await open("/gallery?fy=2024");
  await page.pdf({ path: join(folder, "gallery.pdf"), preferCSSPageSize: true });
} finally {
  await context.close();
  await server.close();
  rmSync(profile, { recursive: true, force: true });
}

for (const fault of faults) console.error(fault);
console.log(`gallery: ${faults.length} faults, pictures in ${folder}`);
process.exit(faults.length === 0 ? 0 : 1);
