// What a request runs in the database: one transaction, laid out for reading.

import { copyButton, errorCard, fill, h, plural } from "./dom.js";
import { askSql } from "./request.js";

const KEYWORDS = new Set(
  (
    "all and as asc between by case cast coalesce conflict cross delete desc distinct do else end exists explain false " +
    "first from full group having in inner insert into is isnull join last lateral left like limit merge not nothing null " +
    "nulls offset on or order outer over returning right select set then true union update using values when where with"
  ).split(" "),
);
const CLAUSES = new Set(
  "from where group having order limit offset left inner cross returning values set on union using".split(" "),
);

const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\d+|[A-Za-z_][A-Za-z0-9_]*|\s+|[()]|[^\sA-Za-z_"'$()]+|\$/g;

// Clauses begin lines, two spaces further in for each open parenthesis. Short ones in parentheses stay where they are.
export function layOutSql(text) {
  const tokens = text.match(TOKEN) ?? [];
  const nodes = [];
  const breaks = [true]; // for each open parenthesis: is it long enough to break lines?
  let before = "";
  tokens.forEach((token, i) => {
    const word = token.toLowerCase();
    if (token === "(") breaks.push(lengthOfGroup(tokens, i) > 70 && breaks.at(-1));
    if (token === ")" && breaks.length > 1) breaks.pop();
    const starts = CLAUSES.has(word) && before !== "" && before !== "distinct" && before !== "(" && before !== "within";
    if (
      starts &&
      breaks.at(-1) &&
      !(word === "on" && before === "distinct") &&
      !(word === "from" && before === "distinct")
    ) {
      if (nodes.at(-1) === " ") nodes.pop();
      nodes.push(`\n${"  ".repeat(breaks.length - 1)}`);
    }
    if (/^\s+$/.test(token)) nodes.push(" ");
    else if (KEYWORDS.has(word)) nodes.push(h("b", {}, token));
    else if (token[0] === "$") nodes.push(h("var", {}, token));
    else if (token[0] === "'") nodes.push(h("q", {}, token));
    else nodes.push(token);
    if (!/^\s+$/.test(token)) before = word;
  });
  return nodes;
}

function lengthOfGroup(tokens, from) {
  let depth = 0;
  let length = 0;
  for (let i = from; i < tokens.length && length <= 70; i++) {
    if (tokens[i] === "(") depth++;
    if (tokens[i] === ")" && --depth === 0) break;
    length += tokens[i].length;
  }
  return length;
}

function facts(plan) {
  const entries = [
    ["Role", plan.role || "that of the session"],
    ["Transaction", `${plan.access_mode}, ${plan.isolation}${plan.rollback ? ", rolled back at its end" : ""}`],
  ];
  return h(
    "dl",
    { class: "facts" },
    entries.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
  );
}

function parameterList(params) {
  if (params.length === 0) return null;
  const rows = params.map((value, i) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, `$${i + 1}`),
      h("td", {}, value === null ? h("span", { class: "null" }, "null") : h("code", {}, value.slice(0, 2000))),
    ),
  );
  return h("table", { class: "pairs" }, h("caption", {}, "Parameters"), h("tbody", {}, rows));
}

function settingList(plan) {
  const settings = [...Object.entries(plan.role_settings), ...Object.entries(plan.settings)];
  if (settings.length === 0) return null;
  const hide = (text) => text.replace(/"(authorization)":\s*"(?:[^"\\]|\\.)*"/gi, '"$1": "••••••"');
  const rows = settings.map(([name, value]) =>
    h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, h("code", {}, hide(value)))),
  );
  return h(
    "details",
    { class: "settings" },
    h("summary", {}, plural(settings.length, "setting")),
    h("table", { class: "pairs" }, h("tbody", {}, rows)),
  );
}

function statementView(statement, label) {
  return h(
    "section",
    { class: "statement" },
    h(
      "div",
      { class: "row" },
      h("h3", {}, label),
      copyButton(() => statement.sql),
    ),
    h("pre", { class: "sql", tabindex: "0", role: "region", "aria-label": label }, layOutSql(statement.sql)),
    parameterList(statement.params),
  );
}

function planView(plan) {
  const many = plan.statements.length > 1;
  return [
    facts(plan),
    plan.pre_request && statementView({ sql: plan.pre_request, params: [] }, "First"),
    plan.statements.map((statement, i) => statementView(statement, many ? `Statement ${i + 1}` : "Statement")),
    settingList(plan),
  ];
}

// Shows the SQL of a request in `panel`. Answers that come late are passed over.
export async function showSql(panel, request, allowed) {
  if (!allowed) {
    fill(
      panel,
      h(
        "p",
        { class: "notice" },
        "The setting ",
        h("code", {}, "pgrst.db_plan_enabled = on"),
        " lets this page show the SQL that a request runs.",
      ),
    );
    return;
  }
  panel.current = request;
  let content;
  try {
    const plan = await askSql(request);
    content = plan.statements
      ? planView(plan)
      : plan.error
        ? errorCard(plan.status, plan.error)
        : h("p", { class: "notice" }, "This request runs no SQL.");
  } catch (error) {
    content = h("p", { class: "notice bad" }, `The SQL could not be asked for: ${error.message}`);
  }
  if (panel.current === request) fill(panel, content);
}
