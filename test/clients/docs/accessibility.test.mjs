// Who can use the explorer: contrast, names, keyboard, narrow windows. Leaves pictures.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { launch, manager, pick, send, useToken, withPage } from "./page.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

async function violations(page) {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() => window.axe.run());
  return found.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join("; ")}`);
}

async function look(page, name) {
  await page.mouse.move(0, 0);
  await page.screenshot({ path: `${name}.png` });
  assert.deepEqual(await violations(page), [], name);
}

for (const [name, options] of [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["narrow", { colorScheme: "light", viewport: { width: 400, height: 860 } }],
  ["narrow-dark", { colorScheme: "dark", viewport: { width: 400, height: 860 } }],
]) {
  test(`no violations: ${name}`, () =>
    withPage(
      browser,
      async (page) => {
        await look(page, `${name}-start`);
        await useToken(page, manager);
        await pick(page, "machines");
        await send(page);
        await look(page, `${name}-rows`);
        await page.click('role=tab[name="SQL"]');
        await page.waitForSelector(".sql");
        await look(page, `${name}-sql`);
        await page.click('role=tab[name="curl"]');
        await page.check('input[value="PATCH"]', { force: true });
        await page.click(".go");
        await page.waitForSelector(".warn:visible");
        await look(page, `${name}-update`);
        await pick(page, "sites");
        await page.fill('label:has-text("Limit") input', "5");
        await page.fill('label:has-text("More parameters") input', "nope=eq.1");
        await send(page);
        await look(page, `${name}-error`);
        await pick(page, "sensor_statistics");
        await look(page, `${name}-function`);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, "nothing is wider than the window");
      },
      options,
    ));
}

test("by keyboard alone", () =>
  withPage(browser, async (page) => {
    const focused = () =>
      page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.id);
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "skip");
    await page.keyboard.press("/");
    assert.match(await focused(), /^Find/);
    await page.keyboard.type("sites");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForSelector('h2:text-is("sites")');
    assert.equal(await focused(), "main");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.evaluate(() => document.activeElement.value), "POST");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Control+Enter");
    await page.waitForSelector(".rows");
    await page.focus('role=tab[name="Result"]');
    await page.keyboard.press("ArrowLeft");
    assert.equal(await focused(), "tab-curl");
    assert.ok(await page.isVisible("#panel-curl"));
  }));
