// The columns of a table, with what is chosen of them, and the arguments of a function.

import { fill, h, options } from "./dom.js";

const COLUMNS_AT_ONCE = 50;
const RESERVED = new Set([
  "select",
  "order",
  "limit",
  "offset",
  "and",
  "or",
  "not.and",
  "not.or",
  "on_conflict",
  "columns",
]);

const COMPARE = ["eq", "neq", "gt", "gte", "lt", "lte", "in", "not.in", "is", "not.is", "isdistinct"];
const TEXT = ["like", "ilike", "match", "imatch", "fts", "plfts", "phfts", "wfts"];
const CONTAIN = ["cs", "cd", "ov", "sl", "sr", "nxl", "nxr", "adj"];
const OPERATORS = {
  number: COMPARE,
  boolean: ["is", "not.is", "eq", "neq", "in"],
  text: [...COMPARE, ...TEXT],
  json: ["eq", "neq", "is", "not.is", ...CONTAIN, "fts", "plfts"],
  other: [...COMPARE, ...TEXT, ...CONTAIN],
};

const badge = (text, title) => h("span", { class: "badge", title }, text);

// The name of a type, without the schema that is shown anyway; it may be broken at underscores.
function breakable(type, schema) {
  const name = type.startsWith(`${schema}.`) ? type.slice(schema.length + 1) : type;
  return name.split(/(?<=[_.])/).flatMap((part, i) => (i > 0 ? [h("wbr"), part] : [part]));
}

function nameCell(column, context) {
  const badges = [
    column.key && badge("key", "Part of the primary key"),
    column.required && !column.key && badge("not null", "Always there"),
    column.generated && badge("generated", "The database alone writes it"),
    column.default !== undefined && badge(`= ${JSON.stringify(column.default)}`, "Default"),
    column.reference &&
      h(
        "a",
        { class: "badge", href: context.linkTo(column.reference.table), title: "Foreign key" },
        `→ ${column.reference.table}.${column.reference.column}`,
      ),
  ];
  const labels =
    column.labels.length > 0 &&
    h("p", { class: "labels" }, column.labels.slice(0, 30).join(" · "), column.labels.length > 30 && " …");
  return [
    h("code", {}, column.name),
    h("span", { class: "badges" }, badges),
    column.comment && h("p", {}, column.comment),
    labels,
  ];
}

// -- columns -------------------------------------------------------------------------------------

// What is chosen of the columns stays when the method changes.
export function columnState(details) {
  const entries = details.columns.map((column) => [
    column.name,
    {
      shown: true,
      operator: OPERATORS[column.group][0],
      value: "",
    },
  ]);
  return new Map(entries);
}

function filterCell(column, state, changed) {
  const operator = h(
    "select",
    {
      "aria-label": `Operator for ${column.name}`,
      onchange: (event) => {
        state.operator = event.target.value;
        changed();
      },
    },
    options(
      OPERATORS[column.group].map((name) => [name]),
      state.operator,
    ),
  );
  const value = h("input", {
    "aria-label": `Value for ${column.name}`,
    value: state.value,
    autocomplete: "off",
    spellcheck: "false",
    list: column.labels.length > 0 ? `labels-${column.name}` : null,
    oninput: (event) => {
      state.value = event.target.value;
      changed();
    },
  });
  const labels =
    column.labels.length > 0 &&
    h("datalist", { id: `labels-${column.name}` }, options(column.labels.map((label) => [label])));
  return h("td", { class: "filter" }, h("div", {}, operator, value), labels);
}

export function columnTable(details, states, use, context) {
  const body = h("tbody");
  const draw = (columns) =>
    columns.map((column) => {
      const state = states.get(column.name);
      const shown = h("input", {
        type: "checkbox",
        checked: state.shown,
        "aria-label": `Return ${column.name}`,
        onchange: (event) => {
          state.shown = event.target.checked;
          context.changed();
        },
      });
      return h(
        "tr",
        {},
        use.select && h("td", { class: "pick" }, shown),
        h("th", { scope: "row" }, nameCell(column, context)),
        h("td", { class: "type" }, breakable(column.type, context.schema)),
        use.filters &&
          (RESERVED.has(column.name) || use.taken.has(column.name)
            ? h("td", { class: "filter" })
            : filterCell(column, state, context.changed)),
      );
    });
  const redraw = (n) => fill(body, draw(details.columns.slice(0, n)));
  redraw(COLUMNS_AT_ONCE);
  const all = h("input", {
    type: "checkbox",
    "aria-label": "Return all columns",
    checked: [...states.values()].every((state) => state.shown),
    onchange: (event) => {
      for (const state of states.values()) state.shown = event.target.checked;
      redraw(body.children.length);
      context.changed();
    },
  });
  const rest =
    details.columns.length > COLUMNS_AT_ONCE &&
    h(
      "button",
      {
        type: "button",
        class: "quiet",
        onclick: (event) => {
          event.target.remove();
          redraw(details.columns.length);
        },
      },
      `Show all ${details.columns.length} columns`,
    );
  return [
    h(
      "table",
      { class: "columns" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          use.select && h("th", { class: "pick" }, all),
          h("th", { scope: "col" }, "Column"),
          h("th", { scope: "col" }, "Type"),
          use.filters && h("th", { scope: "col" }, "Filter"),
        ),
      ),
      body,
    ),
    rest,
  ];
}

// -- arguments -----------------------------------------------------------------------------------

function argumentControl(argument, values, changed) {
  const set = (event) => {
    values.set(argument.name, event.target.value);
    changed();
  };
  const value = values.get(argument.name) ?? "";
  const attributes = {
    "aria-label": `Argument ${argument.name}`,
    value,
    oninput: set,
    autocomplete: "off",
    spellcheck: "false",
  };
  const choices = argument.group === "boolean" ? ["true", "false"] : argument.schema.enum ? argument.labels : null;
  if (!choices) return h("input", attributes);
  return h(
    "select",
    { "aria-label": `Argument ${argument.name}`, onchange: set },
    options([["", "–"], ...choices.map((name) => [name])], value),
  );
}

export function argumentTable(details, values, context) {
  const rows = details.arguments.map((argument) =>
    h(
      "tr",
      {},
      h(
        "th",
        { scope: "row" },
        h("code", {}, argument.name),
        h("span", { class: "badges" }, argument.required && badge("required", "It has no default")),
      ),
      h("td", { class: "type" }, breakable(argument.type, context.schema)),
      h("td", { class: "filter" }, h("div", {}, argumentControl(argument, values, context.changed))),
    ),
  );
  const head = ["Argument", "Type", "Value"].map((name) => h("th", { scope: "col" }, name));
  return h("table", { class: "columns" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows));
}

// Numbers stay as they were typed: JavaScript would round large ones.
function jsonOf(argument, text) {
  const types = [argument.schema.type ?? []].flat();
  if (types.includes("string")) return JSON.stringify(text);
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

export function argumentBody(details, values) {
  const members = [];
  for (const argument of details.arguments) {
    const text = values.get(argument.name) ?? "";
    if (text === "" && !argument.required) continue;
    members.push(`${JSON.stringify(argument.name)}: ${jsonOf(argument, text)}`);
  }
  return `{${members.join(", ")}}`;
}
