// The roadmap sheet at work: cells, two people, a lost connection, the clipboard.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ADMIN, base, COUNCIL, EDITOR, fresh, open, openFirst } from "./browser.mjs";

let address;

async function sheet(email) {
  if (!address) {
    const first = await openFirst(EDITOR, "/plans?fy=2022", "地域福祉推進計画");
    address = new URL(first.url()).pathname;
    await first.close();
  }
  const page = await open(email, `${address}?fy=2024`);
  await page.getByRole("grid").waitFor();
  return page;
}

const year = (page, at) => page.locator("tbody", { has: page.locator(`[data-year="${at}"]`) }).locator("tr").first();
const note = (page, at) => year(page, at).locator("td").last();
const milestone = (page, at) => year(page, at).locator("td").first();

/** Writes into the cell as by keyboard; the text replaces the line that is there. */
async function write(page, cell, text) {
  await cell.focus();
  await page.keyboard.press("Enter");
  await cell.getByRole("textbox").fill(text);
  await page.keyboard.press("Control+Enter");
}

test("a line typed into a cell is stored and there after a reload", async () => {
  const page = await sheet(EDITOR);
  const text = fresh("窓口の見直しを始めた");
  await write(page, note(page, 2023), text);
  await note(page, 2023).getByText("保存しました").waitFor();
  await page.reload();
  await note(page, 2023).getByText(text).waitFor();
  await page.close();
});

test("two people change the same line: both texts, who it was, and a merge", async () => {
  const mine = await sheet(ADMIN);
  const theirs = await sheet(EDITOR);
  const [one, two] = [fresh("編集者の文"), fresh("管理者の文")];
  await write(theirs, note(theirs, 2023), one);
  await note(theirs, 2023).getByText("保存しました").waitFor();
  await write(mine, note(mine, 2023), two);
  const dialog = mine.getByRole("dialog");
  await dialog.getByText("ほかの人が更新しました").waitFor();
  for (const words of [one, two, "南部町 編集者"]) await dialog.getByText(words).first().waitFor();
  await dialog.getByRole("button", { name: "統合して保存" }).click();
  await note(mine, 2023).getByText("保存しました").waitFor();
  await theirs.reload();
  const merged = await note(theirs, 2023).innerText();
  assert.ok(merged.includes(one) && merged.includes(two), merged);
  await Promise.all([mine.close(), theirs.close()]);
});

test("what is typed without a connection survives a reload and is stored afterwards", async () => {
  const page = await sheet(EDITOR);
  const text = fresh("つながらない間に書いた");
  await page.route("**/api/v1/roadmap-items**", (route) => route.abort());
  await write(page, note(page, 2025), text);
  await note(page, 2025).getByText("保存できませんでした").waitFor();
  await page.unroute("**/api/v1/roadmap-items**");
  await page.reload();
  await note(page, 2025).getByText(text).waitFor();
  await note(page, 2025).getByRole("button", { name: "もう一度保存" }).click();
  await note(page, 2025).getByText("保存しました").waitFor();
  await page.reload();
  await note(page, 2025).getByText(text).waitFor();
  await page.close();
});

test("a table from a spreadsheet is pasted cell by cell, copied again, and taken back", async () => {
  const page = await sheet(EDITOR);
  const before = [await milestone(page, 2024).innerText(), await milestone(page, 2025).innerText()];
  const [one, two, three] = [fresh("一つ目"), fresh("二つ目"), fresh("三つ目")];
  await page.evaluate((text) => navigator.clipboard.writeText(text), `"◎${one}\n◎${two}"\r\n●${three}\r\n`);
  await milestone(page, 2024).focus();
  await page.keyboard.press("Control+V");
  await page.getByText(/貼り付けました：/).first().waitFor();
  for (const [at, text] of [[2024, one], [2024, two], [2025, three]]) await milestone(page, at).getByText(text).waitFor();

  await milestone(page, 2024).focus();
  await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Control+C");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(copied.startsWith(`"◎${one}\n◎${two}`), copied);
  assert.equal(copied.split(/\n(?=●)/)[1]?.startsWith(`●${three}`) ?? copied.includes(`●${three}`), true);

  await page.getByRole("button", { name: "貼り付けを元に戻す" }).click();
  await page.getByText("貼り付けを元に戻しました").first().waitFor();
  assert.deepEqual([await milestone(page, 2024).innerText(), await milestone(page, 2025).innerText()], before);
  await page.close();
});

test("what may not be pasted is listed with its text and the reason", async () => {
  const page = await sheet(COUNCIL);
  const text = fresh("ほかの団体の欄へ");
  await page.evaluate((words) => navigator.clipboard.writeText(words), text);
  await milestone(page, 2024).focus();
  await page.keyboard.press("Control+V");
  await page.getByText("貼り付けられませんでした").first().waitFor();
  const notice = await page.getByRole("status").filter({ hasText: text }).innerText();
  assert.match(notice, /編集できません/);
  await page.close();
});

test("the past of the sheet is shown without any way to change it, and there is a way back", async () => {
  const page = await sheet(EDITOR);
  await page.getByRole("button", { name: "過去の時点" }).click();
  const today = new Date(Date.now() + 9 * 3_600_000).toISOString().slice(0, 10);
  await page.getByRole("dialog").getByLabel(/日付/).fill(today);
  await page.getByRole("dialog").getByRole("button", { name: "表示する" }).click();
  await page.getByText("時点の記録を表示しています（編集できません）").waitFor();
  assert.equal(new URL(page.url()).searchParams.get("as_of"), today);
  await page.getByRole("grid").waitFor();
  await milestone(page, 2024).focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.getByRole("grid").getByRole("textbox").count(), 0);
  assert.equal(await page.getByRole("button", { name: "めざす姿を編集" }).count(), 0);
  await page.getByRole("button", { name: "今の記録に戻る" }).click();
  await page.getByRole("button", { name: "めざす姿を編集" }).waitFor();
  await page.goto(`${base}${address}?as_of=2000-01-01`);
  await page.getByText("この計画は表示できません").waitFor();
  await page.close();
});
