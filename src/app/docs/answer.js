// The answer: status, rows, body, headers; beside them the command and the SQL of the request.

import { bytesText, copyButton, errorCard, fill, h, plural } from "./dom.js";
import { curlText } from "./request.js";
import { showSql } from "./sql.js";

const ROWS_AT_ONCE = 100;
const MAX_COLUMNS = 60;
const MAX_CELL = 300; // characters
const MAX_TEXT = 200000;

// -- values --------------------------------------------------------------------------------------

// A number as it was written: JavaScript would change large and long ones.
class Exact {
  constructor(source) {
    this.source = source;
  }
  toJSON() {
    return JSON.rawJSON ? JSON.rawJSON(this.source) : Number(this.source);
  }
}

function parseJson(text) {
  return JSON.parse(text, (key, value, context) =>
    typeof value === "number" && context?.source && context.source !== String(value)
      ? new Exact(context.source)
      : value,
  );
}

const isNumber = (value) => typeof value === "number" || value instanceof Exact;

function cellText(value) {
  if (value instanceof Exact) return value.source;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > MAX_CELL ? `${text.slice(0, MAX_CELL)}…` : text;
}

function cell(value, numeric) {
  if (value === null || value === undefined) {
    return h("td", { class: numeric ? "number" : null }, h("span", { class: "null" }, value === null ? "null" : ""));
  }
  return h("td", { class: isNumber(value) ? "number" : typeof value === "object" ? "json" : null }, cellText(value));
}

// -- rows ----------------------------------------------------------------------------------------

function columnsOf(rows) {
  const names = new Set();
  for (const row of rows.slice(0, 1000)) for (const name of Object.keys(row)) names.add(name);
  return [...names];
}

// By its first value.
function isNumeric(name, rows) {
  return isNumber(rows.find((row) => row[name] !== null && row[name] !== undefined)?.[name]);
}

function headCell(name, numeric, context) {
  const direction = context.orderOf(name);
  const kind = numeric ? "number" : null;
  if (direction === undefined) return h("th", { scope: "col", class: kind }, name);
  const sort = { asc: "ascending", desc: "descending" }[direction] ?? "none";
  const mark = { asc: " ↑", desc: " ↓" }[direction] ?? "";
  return h(
    "th",
    { scope: "col", class: kind, "aria-sort": sort },
    h(
      "button",
      { type: "button", class: "sort", title: `Order by ${name}`, onclick: () => context.orderBy(name) },
      name,
      h("span", { "aria-hidden": "true" }, mark),
    ),
  );
}

function rowsTable(rows, context) {
  const all = columnsOf(rows);
  const columns = all.slice(0, MAX_COLUMNS);
  const numeric = columns.map((name) => isNumeric(name, rows));
  const body = h("tbody");
  const note = h("p", { class: "note" });
  let shown = 0;
  const showMore = () => {
    for (const row of rows.slice(shown, shown + ROWS_AT_ONCE))
      body.append(
        h(
          "tr",
          {},
          columns.map((name, i) => cell(row[name], numeric[i])),
        ),
      );
    shown = Math.min(rows.length, shown + ROWS_AT_ONCE);
    const notes = [];
    if (shown < rows.length) notes.push(`The first ${shown} of ${plural(rows.length, "row")} are shown. `);
    if (columns.length < all.length) notes.push(`The first ${columns.length} of ${all.length} columns are shown. `);
    fill(
      note,
      notes,
      shown < rows.length && h("button", { type: "button", class: "quiet", onclick: showMore }, "Show more"),
    );
    note.hidden = notes.length === 0;
  };
  showMore();
  const head = h(
    "tr",
    {},
    columns.map((name, i) => headCell(name, numeric[i], context)),
  );
  const table = h("table", { class: "rows" }, h("thead", {}, head), body);
  return [h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Rows" }, table), note];
}

const isRow = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Exact);

function textBlock(text, label) {
  const cut = text.length > MAX_TEXT;
  return [
    h("pre", { tabindex: "0", role: "region", "aria-label": label }, cut ? text.slice(0, MAX_TEXT) : text),
    cut &&
      h(
        "p",
        { class: "note" },
        `The first ${MAX_TEXT.toLocaleString("en")} of ${plural(text.length, "character")} are shown.`,
      ),
  ];
}

// -- one answer ----------------------------------------------------------------------------------

function resultOf(answer, context) {
  const type = answer.type.split(";")[0].trim();
  if (answer.size === 0) return h("p", { class: "notice" }, "The answer has no body.");
  if (type.startsWith("image/") && !answer.cut) {
    const url = URL.createObjectURL(new Blob([answer.blob], { type }));
    return h("img", { src: url, alt: "The image that was answered", onload: () => URL.revokeObjectURL(url) });
  }
  if (answer.cut) {
    return [
      h(
        "p",
        { class: "note" },
        `Only the first ${bytesText(answer.size)} were read. Ask for fewer rows to see a table.`,
      ),
      textBlock(answer.text, "Result"),
    ];
  }
  if (!type.endsWith("json")) return textBlock(answer.text, "Result");
  let value;
  try {
    value = parseJson(answer.text);
  } catch {
    return textBlock(answer.text, "Result");
  }
  if (answer.status >= 400 && isRow(value)) return errorCard(answer.status, value);
  if (Array.isArray(value) && value.length === 0) return h("p", { class: "notice" }, "No rows.");
  if (Array.isArray(value) && value.every(isRow)) return rowsTable(value, context);
  if (isRow(value)) return rowsTable([value], context);
  return textBlock(answer.text, "Result");
}

function rowCount(answer) {
  const range = answer.headers.find(([name]) => name.toLowerCase() === "content-range")?.[1];
  const match = /^(\d+)-(\d+)\/(\d+|\*)$/.exec(range ?? "");
  if (!match) return range?.startsWith("*/") && range !== "*/*" ? `no rows of ${range.slice(2)}` : null;
  const [, first, last, total] = match;
  const rows = `rows ${Number(first) + 1} to ${Number(last) + 1}`;
  return total === "*" ? rows : `${rows} of ${Number(total).toLocaleString("en")}`;
}

function statusLine(answer) {
  const good = answer.status < 400;
  const time =
    answer.milliseconds < 10 ? answer.milliseconds.toFixed(1) : Math.round(answer.milliseconds).toLocaleString("en");
  const facts = [rowCount(answer), `${time} ms`, bytesText(answer.size)].filter(Boolean);
  return [
    h("span", { class: good ? "pill good" : "pill bad" }, `${answer.status} ${answer.phrase}`.trim()),
    facts.map((fact) => h("span", { class: "fact" }, fact)),
  ];
}

function headerTable(headers) {
  const rows = headers.map(([name, value]) =>
    h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, h("code", {}, value))),
  );
  return [
    h("table", { class: "pairs" }, h("tbody", {}, rows)),
    h("p", { class: "note" }, "A browser shows a page of another origin only some headers."),
  ];
}

// -- the panel -----------------------------------------------------------------------------------

const TABS = [
  ["result", "Result"],
  ["body", "Body"],
  ["headers", "Headers"],
  ["sql", "SQL"],
  ["curl", "curl"],
];

function makeTabs(onPick) {
  const panels = {};
  const buttons = {};
  const pick = (name, focus) => {
    for (const [key] of TABS) {
      const chosen = key === name;
      buttons[key].setAttribute("aria-selected", String(chosen));
      buttons[key].tabIndex = chosen ? 0 : -1;
      panels[key].hidden = !chosen;
    }
    if (focus) buttons[name].focus();
    onPick(name);
  };
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = TABS.findIndex(([key]) => buttons[key] === event.target);
    pick(TABS[(at + step + TABS.length) % TABS.length][0], true);
  };
  for (const [key, label] of TABS) {
    buttons[key] = h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${key}`,
        "aria-controls": `panel-${key}`,
        onclick: () => pick(key),
        onkeydown: move,
      },
      label,
    );
    panels[key] = h("div", { role: "tabpanel", id: `panel-${key}`, "aria-labelledby": `tab-${key}` });
  }
  const list = h("div", { role: "tablist", "aria-label": "Answer and request" }, Object.values(buttons));
  return { list, panels, pick };
}

// context: base, sqlAllowed, orderOf(column), orderBy(column).
export function answerPanel(context) {
  let request = null;
  let tab = "result";
  let later = 0;
  const showRequest = () => {
    if (!request) return;
    if (tab === "curl") {
      fill(
        panels.curl,
        h(
          "div",
          { class: "row" },
          h("h3", {}, "Command"),
          copyButton(() => curlText(context.base, request, false)),
        ),
        h("pre", { tabindex: "0", role: "region", "aria-label": "Command" }, curlText(context.base, request, true)),
        request.headers.Authorization && h("p", { class: "note" }, "The copy has the token in it."),
      );
    }
    if (tab === "sql") {
      clearTimeout(later);
      later = setTimeout(() => showSql(panels.sql, request, context.sqlAllowed), 150);
    }
  };
  const { list, panels, pick } = makeTabs((name) => {
    tab = name;
    showRequest();
  });
  const status = h("p", { class: "status", role: "status" });
  fill(panels.result, h("p", { class: "notice" }, "Send the request to see its answer here."));
  const forgetAnswer = () => {
    for (const key of ["body", "headers"]) fill(panels[key], h("p", { class: "notice" }, "There is no answer."));
  };
  forgetAnswer();
  pick("result");

  const element = h("section", { class: "answer", "aria-label": "Answer" }, status, list, Object.values(panels));
  // Where it stands below the form.
  const bringIntoView = () => {
    if (element.getBoundingClientRect().top > innerHeight - 200) element.scrollIntoView({ block: "start" });
  };

  return {
    element,
    requestChanged(now) {
      request = now;
      showRequest();
    },
    busy() {
      fill(status, h("span", { class: "fact" }, "Waiting for the answer"));
    },
    show(answer) {
      fill(status, statusLine(answer));
      fill(panels.result, resultOf(answer, context));
      fill(
        panels.body,
        h(
          "div",
          { class: "row" },
          h("h3", {}, answer.type || "No content type"),
          copyButton(() => answer.text),
        ),
        textBlock(answer.text, "Body"),
      );
      fill(panels.headers, headerTable(answer.headers));
      bringIntoView();
      if (tab === "curl" || (tab === "sql" && answer.status >= 400)) pick("result");
    },
    fail(message) {
      forgetAnswer();
      fill(status, h("span", { class: "pill bad" }, "No answer"));
      fill(panels.result, h("section", { class: "error", "aria-label": "Error" }, h("p", {}, message)));
      bringIntoView();
      pick("result");
    },
  };
}
