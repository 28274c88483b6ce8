// The form that makes a request to one table or function.

import { argumentBody, argumentTable, columnState, columnTable } from "./columns.js";
import { check, field, fill, h, options, plural } from "./dom.js";
import { exampleBody } from "./model.js";
import { columnName, filterText, queryText } from "./request.js";

const VERBS = { GET: "Read", POST: "Insert", PATCH: "Update", PUT: "Upsert one", DELETE: "Delete" };
const NO_FILTERS = new Set(["select", "columns", "order", "limit", "offset", "on_conflict"]);
const CALLS = { GET: "Call by GET", POST: "Call by POST" };
// details: what model.js says; host: schema, profile, embeddable, token(), sqlAllowed, linkTo(table), changed(request), send(request),
// cancel().
export function requestForm(details, host) {
  const states = columnState(details);
  const values = new Map();
  const bodies = new Map(); // by method: what was typed stays
  let method = details.methods[0];
  let controls = {};
  let armed = false; // the warning was shown
  let running = false;

  const preview = h("code", { class: "preview" });
  const warning = h("p", { class: "warn", role: "alert", hidden: true });
  const go = h("button", { type: "submit", class: "go", "aria-keyshortcuts": "Control+Enter" }, "Send");
  const parts = h("div", { class: "parts" });
  const context = { linkTo: host.linkTo, schema: host.schema, changed };

  const text = (name) => controls[name]?.value.trim() ?? "";

  function selected() {
    if (text("select")) return text("select");
    const shown = details.columns.filter((column) => states.get(column.name).shown);
    if (shown.length === details.columns.length || shown.length === 0) return "";
    return shown.map((column) => columnName(column.name)).join(",");
  }

  function filters() {
    const pairs = [];
    if (method.method === "PUT") return keyFilters();
    if (method.method === "POST" && details.kind === "table") return pairs;
    const taken = takenNames();
    for (const column of details.columns) {
      const state = states.get(column.name);
      if (state.value !== "" && !taken.has(column.name))
        pairs.push([column.name, filterText(state.operator, state.value)]);
    }
    return pairs;
  }

  // PUT names its row by the primary key: that of the body.
  function keyFilters() {
    try {
      const row = JSON.parse(bodies.get("PUT"));
      const keys = details.columns.filter((column) => column.key && row[column.name] !== undefined);
      return keys.map((column) => [column.name, `eq.${row[column.name]}`]);
    } catch {
      return [];
    }
  }

  // Names that are arguments in a query string.
  function takenNames() {
    return new Set(
      details.kind === "function" && method.method === "GET" ? details.arguments.map((argument) => argument.name) : [],
    );
  }

  function query() {
    const pairs = [];
    if (details.kind === "function" && method.method === "GET") {
      for (const argument of details.arguments) {
        const value = values.get(argument.name) ?? "";
        if (value !== "") pairs.push([argument.name, value]);
      }
    }
    if (selected() && method.takes.has("select")) pairs.push(["select", selected()]);
    pairs.push(...filters());
    for (const name of ["order", "limit", "offset", "on_conflict"]) if (text(name)) pairs.push([name, text(name)]);
    return queryText(pairs, text("more"));
  }

  function body() {
    if (!method.body || method.method === "GET") return null;
    if (details.arguments.length > 0) return argumentBody(details, values);
    return bodies.get(method.method) ?? "";
  }

  function headers(content) {
    const out = {};
    if (host.profile) out[method.method === "GET" ? "Accept-Profile" : "Content-Profile"] = host.profile;
    if (text("accept")) out.Accept = text("accept");
    if (content !== null) out["Content-Type"] = method.body.type;
    const prefer = ["count", "return", "resolution", "missing", "tx"]
      .map((name) => controls[name])
      .map((control) => (control?.type === "checkbox" ? control.checked && control.dataset.prefer : control?.value))
      .filter(Boolean);
    if (prefer.length > 0) out.Prefer = prefer.join(", ");
    if (host.token()) out.Authorization = `Bearer ${host.token()}`;
    return out;
  }

  function request() {
    const content = body();
    return { method: method.method, path: details.path + query(), headers: headers(content), body: content };
  }

  function changed() {
    armed = false;
    warning.hidden = true;
    const now = request();
    fill(preview, h("b", { class: `verb ${now.method}` }, now.method), ` ${decodeSome(now.path)}`);
    if (!running) go.textContent = "Send";
    host.changed(now);
  }

  // All rows are meant only by those who say so twice.
  function touchesAll() {
    if (method.method !== "PATCH" && method.method !== "DELETE") return false;
    const names = text("more")
      .split("&")
      .map((part) => part.split("=")[0].trim());
    return filters().length === 0 && names.every((name) => name === "" || NO_FILTERS.has(name));
  }

  function submit(event) {
    event?.preventDefault();
    if (running) return host.cancel();
    if (touchesAll() && !armed) {
      armed = true;
      const verb = method.method === "DELETE" ? "Delete" : "Update";
      warning.hidden = false;
      warning.textContent = `There is no filter: this ${verb.toLowerCase()}s every row that the role may ${verb.toLowerCase()}.`;
      go.textContent = `${verb} all rows`;
      return undefined;
    }
    return host.send(request());
  }

  // -- controls

  function control(name, element) {
    controls[name] = element;
    element.addEventListener("input", changed);
    return element;
  }

  const input = (name, attributes) =>
    control(name, h("input", { autocomplete: "off", spellcheck: "false", ...attributes }));
  const select = (name, values_) => control(name, h("select", {}, options(values_)));
  const box = (name, prefer, checked) =>
    control(name, h("input", { type: "checkbox", "data-prefer": prefer, checked }));
  const may = (prefer) => method.preferences.includes(prefer);

  function rowFields(kept) {
    const fields = [];
    const takes = (name) => method.takes.has(name);
    const columns = details.columns.map((column) => columnName(column.name));
    if (takes("select"))
      fields.push(
        field(
          "Select",
          input("select", { placeholder: "*", value: kept.select ?? "" }),
          "Instead of the ticks below; embeds related tables: other(*)",
        ),
      );
    if (takes("order"))
      fields.push(
        field("Order", input("order", { placeholder: `${columns[0] ?? "column"}.desc`, value: kept.order ?? "" })),
      );
    if (takes("select") && host.embeddable.length > 0) fields.push(embedChips());
    if (takes("limit"))
      fields.push(field("Limit", input("limit", { type: "number", min: 0, value: kept.limit ?? "20" })));
    if (takes("offset"))
      fields.push(
        field("Offset", input("offset", { type: "number", min: 0, placeholder: "0", value: kept.offset ?? "" })),
      );
    if (takes("limit"))
      fields.push(
        field(
          "Count",
          select("count", [
            ["", "no"],
            ["count=exact", "exact"],
            ["count=planned", "planned"],
            ["count=estimated", "estimated"],
          ]),
        ),
      );
    if (takes("on_conflict")) {
      fields.push(
        field(
          "If it is there",
          select("resolution", [
            ["", "error"],
            ["resolution=merge-duplicates", "update it"],
            ["resolution=ignore-duplicates", "leave it"],
          ]),
        ),
      );
      fields.push(field("By columns", input("on_conflict", { placeholder: "the primary key" })));
    }
    const media = method.media.filter((type) => type !== "application/json").map((type) => [type]);
    if (host.sqlAllowed) media.push(["application/vnd.pgrst.plan+text", "execution plan"]);
    if (media.length > 0) fields.push(field("Format", select("accept", [["", "JSON"], ...media])));
    fields.push(
      field("More parameters", input("more", { placeholder: "or=(a.eq.1,b.is.null)", value: kept.more ?? "" })),
    );
    return h("div", { class: "fields" }, fields);
  }

  function embedChips() {
    const add = (text_) => {
      const now = controls.select.value.trim();
      if (!now.split(",").includes(text_)) controls.select.value = `${now || selected() || "*"},${text_}`;
      changed();
    };
    return h(
      "div",
      { class: "chips" },
      h("span", {}, "Embed"),
      host.embeddable
        .slice(0, 24)
        .map((text_) =>
          h(
            "button",
            { type: "button", class: "quiet", title: `Adds ${text_} to the selection`, onclick: () => add(text_) },
            text_.replace(/:.*!/, "!").replace("(*)", ""),
          ),
        ),
    );
  }

  function ticks() {
    const boxes = [];
    if (may("return=representation"))
      boxes.push(check("Return the rows", box("return", "return=representation", true)));
    if (may("missing=default") && details.kind === "table" && method.method === "POST")
      boxes.push(check("Defaults for what is missing", box("missing", "missing=default", false)));
    if (may("tx=rollback") && !(method.method === "GET"))
      boxes.push(check("Only try: roll back", box("tx", "tx=rollback", false)));
    return boxes.length > 0 && h("div", { class: "ticks" }, boxes);
  }

  function bodyField() {
    if (!method.body || method.method === "GET" || details.arguments.length > 0) return null;
    if (!bodies.has(method.method)) bodies.set(method.method, exampleBody(method, details.columns));
    const area = h("textarea", {
      rows: 7,
      spellcheck: "false",
      autocomplete: "off",
      value: bodies.get(method.method),
      "aria-label": `Body, ${method.body.type}`,
      oninput: (event) => {
        bodies.set(method.method, event.target.value);
        changed();
      },
    });
    return h("div", { class: "field" }, h("span", {}, `Body · ${method.body.type}`), area);
  }

  function draw() {
    const kept = Object.fromEntries(Object.keys(controls).map((name) => [name, controls[name].value]));
    controls = {};
    const isFunction = details.kind === "function";
    const use = {
      select: method.takes.has("select"),
      filters: isFunction ? method.takes.has("select") : method.method !== "POST" && method.method !== "PUT",
      taken: takenNames(),
    };
    const columns = details.columns.length > 0 && columnTable(details, states, use, context);
    fill(
      parts,
      details.arguments.length > 0 &&
        h("section", {}, h("h3", {}, "Arguments"), argumentTable(details, values, context)),
      bodyField(),
      rowFields(kept),
      ticks(),
      columns &&
        h(
          "details",
          { open: matchMedia("(min-width: 761px)").matches },
          h("summary", {}, isFunction ? "What it returns" : plural(details.columns.length, "column")),
          columns,
        ),
    );
    changed();
  }

  function methodPicker() {
    const names = details.kind === "function" ? CALLS : VERBS;
    const pick = (event) => {
      method = details.methods.find((candidate) => candidate.method === event.target.value);
      draw();
    };
    return h(
      "fieldset",
      { class: "methods" },
      h("legend", { class: "away" }, "Method"),
      details.methods.map((candidate) =>
        h(
          "label",
          {},
          h("input", {
            type: "radio",
            name: "method",
            value: candidate.method,
            checked: candidate === method,
            onchange: pick,
          }),
          h(
            "span",
            {},
            h("b", { class: `verb ${candidate.method}`, "aria-hidden": "true" }, candidate.method),
            " ",
            names[candidate.method],
          ),
        ),
      ),
    );
  }

  const element = h(
    "form",
    {
      class: "request",
      "aria-label": "Request",
      onsubmit: submit,
      onkeydown: (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
      },
    },
    methodPicker(),
    h("div", { class: "send" }, preview, go),
    warning,
    parts,
  );
  draw();

  return {
    element,
    changed,
    send: () => submit(),
    setRunning(now) {
      running = now;
      go.textContent = now ? "Cancel" : "Send";
    },
    // Of a column: "asc", "desc", null: neither; undefined: it cannot be ordered by.
    orderOf(column) {
      if (!controls.order || method.method !== "GET") return undefined;
      const [first] = text("order").split(",");
      const name = columnName(column);
      return first === name || first === `${name}.asc` ? "asc" : first === `${name}.desc` ? "desc" : null;
    },
    orderBy(column) {
      controls.order.value = `${columnName(column)}${this.orderOf(column) === "asc" ? ".desc" : ".asc"}`;
      changed();
      submit();
    },
  };
}

// For reading only.
function decodeSome(path) {
  return path.replace(/%20/g, " ");
}
