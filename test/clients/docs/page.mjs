// A browser on the API explorer. Whatever goes wrong in a page fails its test: errors of scripts, messages of the
// console, violations of the content security policy.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

export const base = `http://127.0.0.1:${process.env.DEMO_PORT}`;
export const docs = `http://127.0.0.1:${process.env.DEMO_ADMIN_PORT}/docs`;
export const manager = process.env.MANAGER;

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM, args: flags });
}

// Runs `work` with a page of its own. before: called with the page before it is loaded; expected: what the browser may
// say in the console; options: those of a browser context.
export async function withPage(browser, work, { before, expected = /status of 4/, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30000);
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !expected.test(message.text())) problems.push(message.text());
  });
  await page.exposeFunction("reportViolation", (text) => problems.push(text));
  await page.addInitScript(() =>
    addEventListener("securitypolicyviolation", (event) =>
      window.reportViolation(`${event.violatedDirective} forbids ${event.blockedURI}`),
    ),
  );
  await before?.(page);
  await page.goto(docs);
  await page.waitForFunction(() => document.querySelector("#list a, main .error, main .notice + *, main header"));
  await work(page);
  assert.deepEqual(problems, []);
  await context.close();
}

export async function pick(page, name) {
  if (await page.locator("#toggle").isVisible()) await page.click("#toggle");
  await page.fill("#filter", name);
  await page.locator("#list").getByRole("link", { name, exact: true }).click();
  await page.locator("main").getByRole("heading", { name, exact: true }).waitFor();
}

export async function send(page) {
  await page.click(".go");
  await page.waitForSelector(".pill");
}

export async function useToken(page, token) {
  await page.fill("#token", token);
  await page.press("#token", "Enter");
  await page.waitForSelector("#role.known");
  await page.waitForSelector('#list a:text-is("work_orders")', { state: "attached" });
}

export const texts = (page, selector) => page.locator(selector).allInnerTexts();

// A description of the API that is made up.
export function document(tables, comment = "") {
  const paths = {};
  for (const name of tables) {
    paths[`/${encodeURIComponent(name)}`] = {
      get: {
        operationId: name,
        description: comment,
        parameters: [
          { name: "select", in: "query" },
          { name: "limit", in: "query" },
        ],
        responses: {
          200: {
            content: {
              "application/json": {
                schema: {
                  type: "array",
                  items: {
                    type: "object",
                    properties: { id: { type: "integer", format: "int64", description: comment } },
                  },
                },
              },
            },
          },
        },
      },
    };
  }
  return { openapi: "3.1.0", info: { title: "Made up", description: comment, version: "1" }, paths };
}

export async function answerWith(page, address, body, type = "application/json") {
  const headers = { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*" };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  await page.route(address, (route) => route.fulfill({ body: text, contentType: type, headers }));
}
