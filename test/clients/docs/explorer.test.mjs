// What the explorer does.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answerWith, base, docs, document, launch, manager, pick, send, texts, useToken, withPage } from "./page.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("rows of a table", () =>
  withPage(browser, async (page) => {
    await pick(page, "machines");
    await send(page);
    assert.match(await page.innerText(".pill"), /^200/);
    assert.equal(await page.locator(".rows tbody tr").count(), 20);
    assert.deepEqual((await texts(page, ".rows thead th")).slice(0, 2), ["id", "line_id"]);
    assert.match(await page.innerText(".status"), /rows 1 to 20/);
    await page.click('role=tab[name="Body"]');
    assert.match(await page.innerText("#panel-body pre"), /^\[\{"id":1,/);
    await page.click('role=tab[name="Headers"]');
    assert.match(await page.innerText("#panel-headers"), /content-range\s+0-19\/\*/i);
  }));

test("columns, filters, order, count", () =>
  withPage(browser, async (page) => {
    await pick(page, "machines");
    await page.uncheck('[aria-label="Return all columns"]');
    await page.check('[aria-label="Return id"]');
    await page.check('[aria-label="Return name"]');
    await page.selectOption('[aria-label="Operator for kind"]', "in");
    await page.fill('[aria-label="Value for kind"]', "oven,press");
    await page.fill('label:has-text("Limit") input', "3");
    await page.selectOption('label:has-text("Count") select', { label: "exact" });
    assert.equal(await page.innerText(".preview"), "GET /machines?select=id,name&kind=in.(oven,press)&limit=3");
    await send(page);
    assert.deepEqual(await texts(page, ".rows thead th"), ["id", "name"]);
    assert.match(await page.innerText(".status"), /rows 1 to 3 of \d+/);
    const first = await page.innerText(".rows td");
    await page.click(".rows th >> text=id");
    await page.waitForSelector('.rows th[aria-sort="ascending"]');
    await page.click(".rows th >> text=id");
    await page.waitForSelector('.rows th[aria-sort="descending"]');
    assert.notEqual(await page.innerText(".rows td"), first);
  }));

test("related rows", () =>
  withPage(browser, async (page) => {
    await pick(page, "machines");
    await page.click('.chips button:text-is("lines")');
    await page.click('.chips button:text-is("sensors")');
    assert.equal(await page.inputValue('label:has-text("Select") input'), "*,lines(*),sensors(*)");
    await page.fill('label:has-text("Select") input', "name,lines(name)");
    await send(page);
    assert.deepEqual(await texts(page, ".rows thead th"), ["name", "lines"]);
    assert.match((await texts(page, ".rows td.json"))[0], /^\{"name":"Line/);
  }));

test("an error", () =>
  withPage(browser, async (page) => {
    await pick(page, "sites");
    await page.fill('[aria-label="Value for id"]', "one");
    await send(page);
    assert.match(await page.innerText(".pill"), /^400/);
    assert.match(await page.innerText(".error"), /invalid input syntax for type integer: "one"/);
    assert.match(await page.innerText(".error"), /Code\s+22P02/);
  }));

test("the SQL and the command", () =>
  withPage(browser, async (page) => {
    await pick(page, "machines");
    await page.fill('[aria-label="Value for name"]', "it's");
    await page.click('role=tab[name="SQL"]');
    await page.waitForSelector(".sql");
    assert.match(await page.innerText("#panel-sql"), /Role\s+demo_anon/);
    assert.match(await page.innerText(".sql"), /^SELECT .*\nFROM "api"."machines"\nWHERE .*"name" = \$1/);
    assert.match(await page.innerText("#panel-sql .pairs"), /\$1\s+it's/);
    await page.fill('[aria-label="Value for name"]', "another");
    await page.waitForSelector('#panel-sql code:text-is("another")');
    await page.fill('[aria-label="Value for name"]', "it's");
    await page.click('role=tab[name="curl"]');
    assert.equal(await page.innerText("#panel-curl pre"), `curl '${base}/machines?name=eq.it'\\''s&limit=20'`);
  }));

test("the SQL where it is not allowed", () =>
  withPage(
    browser,
    async (page) => {
      await pick(page, "machines");
      await page.click('role=tab[name="SQL"]');
      await page.waitForSelector('#panel-sql :text("pgrst.db_plan_enabled = on")');
    },
    { before: (page) => answerWith(page, "**/docs/api.json", { url: base, schemas: ["api"], sql: false }) },
  ));

test("a token shows more, and is in memory only", () =>
  withPage(browser, async (page) => {
    assert.equal(await page.locator('#list a:text-is("work_orders")').count(), 0);
    await useToken(page, manager);
    assert.equal(await page.innerText("#role"), "demo_manager");
    await pick(page, "work_orders");
    await send(page);
    assert.match(await page.innerText(".pill"), /^200/);
    await page.click('role=tab[name="curl"]');
    assert.match(await page.innerText("#panel-curl pre"), /Bearer ••••••/);
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state]),
    );
    assert.ok(!kept.includes(manager.slice(0, 20)), kept);
    await page.reload();
    await page.waitForSelector("main .notice");
    assert.equal(await page.inputValue("#token"), "");
    assert.equal(await page.innerText("#role"), "anonymous");
    await page.fill("#token", "x.y.z");
    await page.press("#token", "Enter");
    await page.waitForSelector("main .error");
    assert.match(await page.innerText("main .error"), /PGRST301/);
  }));

test("another schema", () =>
  withPage(browser, async (page) => {
    await page.selectOption("#schema", "reports");
    await page.waitForSelector('#list a:text-is("line_summary")');
    await pick(page, "line_summary");
    assert.match(page.url(), /#reports\/line_summary$/);
    await send(page);
    assert.match(await page.innerText(".pill"), /^200|^401/);
    await page.click('role=tab[name="curl"]');
    assert.match(await page.innerText("#panel-curl pre"), /-H 'Accept-Profile: reports'/);
    await page.goto(`${docs}#api/sites`);
    await page.waitForSelector('h2:text-is("sites")');
  }));

test("a row that is inserted and taken back", () =>
  withPage(browser, async (page) => {
    await useToken(page, manager);
    await pick(page, "work_orders");
    await page.check('input[value="POST"]', { force: true });
    assert.deepEqual(Object.keys(JSON.parse(await page.inputValue("textarea"))), ["machine_id", "title"]);
    await page.check('label:has-text("roll back") input');
    await send(page);
    assert.match(await page.innerText(".pill"), /^201/);
    assert.equal(await page.locator(".rows tbody tr").count(), 1);
  }));

test("all rows only by those who say so twice", () =>
  withPage(browser, async (page) => {
    let deleted = 0;
    await page.route(`${base}/certifications*`, (route) => {
      if (route.request().method() === "DELETE") deleted++;
      return route.continue();
    });
    await useToken(page, manager);
    await pick(page, "certifications");
    await page.check('input[value="DELETE"]', { force: true });
    await page.check('label:has-text("roll back") input');
    await page.fill('label:has-text("More parameters") input', "select=level");
    await page.click(".go");
    await page.waitForSelector('.warn:visible:has-text("every row")');
    assert.equal(deleted, 0);
    assert.equal(await page.innerText(".go"), "Delete all rows");
    await send(page);
    assert.equal(deleted, 1);
  }));

test("functions", () =>
  withPage(browser, async (page) => {
    await pick(page, "fahrenheit");
    await page.fill('[aria-label="Argument celsius"]', "21.5");
    await send(page);
    assert.equal(await page.innerText("#panel-result pre"), "70.7");
    await page.check('input[value="POST"]', { force: true });
    await page.click('role=tab[name="curl"]');
    assert.match(await page.innerText("#panel-curl pre"), /--data-binary '\{"celsius": 21.5\}'/);
    await pick(page, "machine_sign");
    await page.fill('[aria-label="Argument machine_id"]', "7");
    await page.selectOption('label:has-text("Format") select', "image/svg+xml");
    await send(page);
    await page.waitForFunction(() => document.querySelector("#panel-result img")?.naturalWidth > 0);
  }));

const hostile = '<img src=x onerror="alert(1)"><script>alert(1)</script>';
test("what comes from the server is text", () =>
  withPage(
    browser,
    async (page) => {
      await pick(page, hostile);
      assert.equal(await page.innerText("h2#resource"), hostile);
      await send(page);
      assert.equal(await page.innerText(".rows th"), hostile);
      assert.equal(await page.innerText(".rows td"), hostile);
      assert.equal(await page.locator("main img, main script").count(), 0);
    },
    {
      before: async (page) => {
        await answerWith(page, `${base}/`, document([hostile], hostile));
        await answerWith(page, `${base}/%3C*`, [{ [hostile]: hostile }]);
      },
    },
  ));

test("numbers are shown as they came", () =>
  withPage(
    browser,
    async (page) => {
      await pick(page, "numbers");
      await send(page);
      assert.deepEqual(await texts(page, ".rows td"), ["9007199254740993", "1.50", "null", '{"a":[1,2]}', "{}"]);
    },
    {
      before: async (page) => {
        await answerWith(page, `${base}/`, document(["numbers"]));
        await answerWith(page, `${base}/numbers*`, '[{"a":9007199254740993,"b":1.50,"c":null,"d":{"a":[1,2]},"e":{}}]');
      },
    },
  ));

test("thousands of tables", () =>
  withPage(
    browser,
    async (page) => {
      assert.ok((await page.locator("#list a").count()) < 1000);
      await page.fill("#filter", "4999");
      await page.waitForSelector('#list a:text-is("table_4999")');
      assert.equal(await page.innerText("#count"), "1 of 5,000");
      await page.fill("#filter", "");
      for (let i = 0; i < 3; i++) await page.locator("#list .more").scrollIntoViewIfNeeded();
      await page.waitForFunction(() => document.querySelectorAll("#list a").length > 300);
    },
    { before: (page) => answerWith(page, `${base}/`, document(Array.from({ length: 5000 }, (_, i) => `table_${i}`))) },
  ));

test("answers that are too large to show", () =>
  withPage(
    browser,
    async (page) => {
      await pick(page, "many");
      await send(page);
      assert.equal(await page.locator(".rows tbody tr").count(), 100);
      assert.match(await page.innerText("#panel-result .note"), /first 100 of 2,000 rows/);
      await page.click("#panel-result .note button");
      assert.equal(await page.locator(".rows tbody tr").count(), 200);
      await pick(page, "huge");
      await send(page);
      assert.match(await page.innerText("#panel-result .note >> nth=0"), /Only the first [89]\.\d MB were read/);
    },
    {
      before: async (page) => {
        await answerWith(page, `${base}/`, document(["many", "huge"]));
        await answerWith(
          page,
          `${base}/many*`,
          Array.from({ length: 2000 }, (_, i) => ({ id: i, text: "x".repeat(20) })),
        );
        await answerWith(page, `${base}/huge*`, `["${"x".repeat(9e6)}"]`);
      },
    },
  ));

test("an API that does not answer", () =>
  withPage(
    browser,
    async (page) => {
      assert.match(await page.innerText("main"), /does not answer this page[^]*pgrst\.server_cors_allowed_origins/);
    },
    {
      before: (page) =>
        answerWith(page, "**/docs/api.json", {
          url: docs.replace("/docs", "/nowhere"),
          schemas: ["api"],
          sql: true,
        }).then(() => page.route("**/nowhere/", (route) => route.abort())),
      expected: /net::ERR_FAILED/,
    },
  ));
