// The page: reads where the API is, then its description as the role of the token, and shows what is picked.
// The token is in a variable and an input, nowhere else.

import { answerPanel } from "./answer.js";
import { errorCard, fill, h, plural } from "./dom.js";
import { requestForm } from "./form.js";
import { describeResource, embeddable, outline, readResources } from "./model.js";
import { claimsOf, send } from "./request.js";

const LIST_STEP = 150;
const OUTLINE = 200; // rows
const DOCUMENT_TYPE = "application/openapi+json;version=3.1";

const at = (id) => document.getElementById(id);
const state = { info: null, schema: "", token: "", doc: null, resources: [], loading: 0, form: null };

// -- what the address says -----------------------------------------------------------------------

// #schema/name, #schema/rpc/name
function addressOf(schema, id) {
  return `#${encodeURIComponent(schema)}/${id}`;
}

function readAddress() {
  const match = /^#([^/]+)\/(.+)$/.exec(location.hash);
  try {
    return match ? { schema: decodeURIComponent(match[1]), id: match[2], name: decodeURIComponent(match[2]) } : null;
  } catch {
    return null;
  }
}

// -- the list ------------------------------------------------------------------------------------

function listItem(resource) {
  const current = resource.id === readAddress()?.id;
  return h(
    "li",
    {},
    h("a", { href: addressOf(state.schema, resource.id), "aria-current": current ? "page" : null }, resource.name),
  );
}

// A list that grows while it is scrolled through.
function growingList(resources) {
  const list = h("ul");
  let shown = 0;
  const more = h("li", { class: "more" });
  const grow = () => {
    more.remove();
    list.append(...resources.slice(shown, shown + LIST_STEP).map(listItem));
    shown += LIST_STEP;
    if (shown >= resources.length) return observer.disconnect();
    fill(
      more,
      h(
        "button",
        { type: "button", class: "quiet", onclick: grow },
        `${plural(resources.length - shown, "more", "more")}`,
      ),
    );
    return list.append(more);
  };
  const observer = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) grow();
  });
  grow();
  if (shown < resources.length) observer.observe(more);
  return list;
}

function drawList() {
  const words = at("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = state.resources.filter((resource) => words.every((word) => resource.name.toLowerCase().includes(word)));
  const group = (kind, label) => {
    const some = found.filter((resource) => resource.kind === kind);
    return (
      some.length > 0 &&
      h(
        "section",
        {},
        h("h2", {}, label, h("span", { class: "n" }, some.length.toLocaleString("en"))),
        growingList(some),
      )
    );
  };
  fill(at("list"), group("table", "Tables and views"), group("function", "Functions"));
  const all = state.resources.length;
  at("count").textContent =
    words.length > 0 ? `${found.length.toLocaleString("en")} of ${all.toLocaleString("en")}` : "";
}

function markCurrent() {
  const hash = readAddress();
  for (const link of at("list").querySelectorAll("a")) {
    const current = hash !== null && link.getAttribute("href") === addressOf(hash.schema, hash.id);
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

// -- one resource --------------------------------------------------------------------------------

function heading(details) {
  const only = details.kind === "table" && details.methods.length === 1;
  const kind = details.kind === "function" ? "function" : only ? "read only" : "table or view";
  return h(
    "header",
    { class: "resource" },
    h("h2", { id: "resource" }, details.name),
    h("span", { class: "badge" }, kind),
    details.summary && h("p", {}, details.summary),
    details.comment.split(/\n{2,}/).map((part) => part && h("p", {}, part)),
  );
}

function noAnswer(error) {
  if (error.name === "AbortError") return "The request was cancelled.";
  return (
    `${state.info.url} does not answer this page. Is it reachable from this browser? ` +
    `If pgrst.server_cors_allowed_origins is set, it has to name ${location.origin}.`
  );
}

function showResource(resource) {
  const details = describeResource(state.doc, resource);
  let controller = null;
  const answer = answerPanel({
    base: state.info.url,
    sqlAllowed: state.info.sql,
    orderOf: (column) => form?.orderOf(column),
    orderBy: (column) => form.orderBy(column),
  });
  const form = requestForm(details, {
    schema: state.schema,
    profile: state.schema === state.info.schemas[0] ? "" : state.schema,
    token: () => state.token,
    embeddable: details.kind === "table" ? embeddable(state.doc, state.resources, details) : [],
    sqlAllowed: state.info.sql,
    linkTo: (table) => addressOf(state.schema, encodeURIComponent(table)),
    changed: (request) => answer.requestChanged(request),
    cancel: () => controller?.abort(),
    async send(request) {
      controller = new AbortController();
      form.setRunning(true);
      answer.busy();
      try {
        answer.show(await send(state.info.url, request, controller.signal));
      } catch (error) {
        answer.fail(noAnswer(error));
      }
      form.setRunning(false);
    },
  });
  state.form = form;
  document.title = `${details.name} · ${at("title").textContent}`;
  fill(at("main"), heading(details), h("div", { class: "work" }, form.element, answer.element));
}

function overview() {
  const info = state.doc.info ?? {};
  const tables = state.resources.filter((resource) => resource.kind === "table").length;
  const functions = state.resources.length - tables;
  return [
    h(
      "header",
      { class: "resource" },
      h("h2", {}, info.title ?? "API"),
      info.description && h("p", {}, info.description),
    ),
    h(
      "p",
      { class: "notice" },
      state.resources.length === 0
        ? "There is nothing that this role may use. A token of another role shows more."
        : `${plural(tables, "table or view", "tables and views")}, ${plural(functions, "function")}`,
    ),
    outlineTable(),
  ];
}

function outlineTable() {
  if (state.resources.length === 0) return null;
  const rows = state.resources.slice(0, OUTLINE).map((resource) => {
    const { methods, line } = outline(resource);
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, h("a", { href: addressOf(state.schema, resource.id) }, resource.name)),
      h(
        "td",
        { class: "verbs" },
        methods.map((method) => [h("b", { class: `verb ${method}` }, method), " "]),
      ),
      h("td", {}, line),
    );
  });
  const left = state.resources.length - rows.length;
  const head = ["Name", "Methods", "Comment"].map((name) => h("th", { scope: "col" }, name));
  return [
    h("table", { class: "outline" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)),
    left > 0 && h("p", { class: "note" }, `${plural(left, "more is", "more are")} in the list.`),
  ];
}

function showCurrent() {
  if (!state.doc) return;
  const hash = readAddress();
  markCurrent();
  state.form = null;
  const resource = hash && state.resources.find((candidate) => candidate.id === hash.id);
  if (resource) return showResource(resource);
  document.title = at("title").textContent;
  fill(at("main"), hash ? h("p", { class: "notice" }, `There is no ${hash.name} that this role may use.`) : overview());
  return undefined;
}

// -- the document --------------------------------------------------------------------------------

function showProblem(...content) {
  state.doc = null;
  state.resources = [];
  drawList();
  fill(at("main"), content);
}

async function fetchDocument() {
  const headers = { Accept: DOCUMENT_TYPE };
  if (state.token) headers.Authorization = `Bearer ${state.token}`;
  if (state.schema !== state.info.schemas[0]) headers["Accept-Profile"] = state.schema;
  return fetch(`${state.info.url}/`, { headers, cache: "no-store", credentials: "omit" });
}

async function load() {
  const turn = ++state.loading;
  let response;
  let body;
  try {
    response = await fetchDocument();
    body = await response.json();
  } catch (error) {
    if (turn === state.loading)
      showProblem(
        h(
          "section",
          { class: "error" },
          h("p", {}, response ? "What the API says at its root is no JSON." : noAnswer(error)),
        ),
      );
    return;
  }
  if (turn !== state.loading) return;
  if (!response.ok) return showProblem(errorCard(response.status, body));
  if (!String(body.openapi).startsWith("3.1")) {
    return showProblem(
      h("p", { class: "notice" }, "The API describes itself otherwise: pgrst.db_root_spec names a function."),
    );
  }
  state.doc = body;
  state.resources = readResources(body);
  at("title").textContent = body.info?.title ?? "API";
  drawList();
  showCurrent();
}

// -- the frame -----------------------------------------------------------------------------------

function takeToken() {
  const token = at("token")
    .value.trim()
    .replace(/^Bearer\s+/i, "")
    .replace(/[^\x21-\x7e]/g, "");
  if (token === state.token) return;
  state.token = token;
  const claims = claimsOf(token);
  at("role").textContent = !token ? "anonymous" : typeof claims?.role === "string" ? claims.role : "token";
  at("role").classList.toggle("known", Boolean(token));
  load();
}

function pickSchema(schema) {
  state.schema = schema;
  at("schema").value = schema;
}

function openList(open) {
  at("nav").classList.toggle("open", open);
  at("toggle").setAttribute("aria-expanded", String(open));
}

function listen() {
  at("token").addEventListener("change", takeToken);
  at("token").addEventListener("keydown", (event) => event.key === "Enter" && takeToken());
  at("schema").addEventListener("change", () => {
    pickSchema(at("schema").value);
    history.replaceState(null, "", location.pathname);
    load();
  });
  at("filter").addEventListener("input", drawList);
  at("toggle").addEventListener("click", () => openList(!at("nav").classList.contains("open")));
  at("skip").addEventListener("click", (event) => {
    event.preventDefault();
    at("main").focus();
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    openList(true);
    at("filter").focus();
  });
  window.addEventListener("hashchange", () => {
    openList(false);
    const hash = readAddress();
    if (hash && hash.schema !== state.schema && state.info.schemas.includes(hash.schema)) {
      pickSchema(hash.schema);
      return load();
    }
    showCurrent();
    scrollTo(0, 0);
    return at("main").focus({ preventScroll: true });
  });
}

async function start() {
  const response = await fetch(new URL("api.json", import.meta.url), { cache: "no-store" });
  if (!response.ok)
    return showProblem(
      h("p", { class: "notice" }, "The schema cache is not there yet. Load this page again in a moment."),
    );
  state.info = await response.json();
  if (!state.info.url) {
    return showProblem(
      h(
        "p",
        { class: "notice" },
        "Nobody can tell where the API is: the setting ",
        h("code", {}, "pgrst.openapi_server_proxy_uri"),
        " can say it.",
      ),
    );
  }
  at("url").textContent = state.info.url;
  fill(
    at("schema"),
    state.info.schemas.map((schema) => h("option", { value: schema }, schema)),
  );
  at("schema-field").hidden = state.info.schemas.length < 2;
  const hash = readAddress();
  pickSchema(hash && state.info.schemas.includes(hash.schema) ? hash.schema : state.info.schemas[0]);
  listen();
  return load();
}

start();
