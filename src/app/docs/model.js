// The OpenAPI 3.1 document -> what the page shows of it. Details of a resource are read when it is
// picked: an API can have thousands.

const OPERATIONS = { get: "GET", post: "POST", patch: "PATCH", put: "PUT", delete: "DELETE" };

function resolve(doc, value) {
  for (let depth = 0; value && typeof value.$ref === "string" && depth < 8; depth++) {
    let target = doc;
    for (const part of value.$ref.replace(/^#\//, "").split("/")) {
      target = target?.[decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")];
    }
    value = target;
  }
  return value;
}

// [{id, kind: "table" | "function", name, path, item}], in the order of the document. The id stands
// in the page's address.
export function readResources(doc) {
  const found = [];
  for (const [path, item] of Object.entries(doc.paths ?? {})) {
    if (path === "/") continue;
    const isFunction = path.startsWith("/rpc/");
    const name = decodeURIComponent(path.slice(isFunction ? 5 : 1));
    found.push({ id: path.slice(1), kind: isFunction ? "function" : "table", name, path, item });
  }
  return found;
}

// -- types ---------------------------------------------------------------------------------------

const SQL_NAMES = {
  int32: "integer",
  int64: "bigint",
  float: "real",
  double: "double precision",
  "date-time": "timestamptz",
  number: "numeric",
  object: "json",
};

function plainType(schema) {
  return Array.isArray(schema?.type) ? schema.type.find((type) => type !== "null") : schema?.type;
}

export function typeText(schema) {
  const type = plainType(schema);
  if (!type) return "json";
  if (type === "array") return `${typeText(schema.items)}[]`;
  if (schema.format) return SQL_NAMES[schema.format] ?? schema.format;
  if (type === "string") return schema.maxLength ? `varchar(${schema.maxLength})` : "text";
  return SQL_NAMES[type] ?? type;
}

// What operators fit: number, text, boolean, json (and whatever contains something), other.
export function typeGroup(schema) {
  const type = plainType(schema);
  if (type === "integer" || type === "number") return "number";
  if (type === "boolean") return "boolean";
  if (!type || type === "object" || type === "array" || /range|vector/.test(schema.format ?? "")) return "json";
  return type === "string" && !schema.format && !schema.enum ? "text" : "other";
}

// -- columns and arguments -----------------------------------------------------------------------

// Takes apart what the server adds to a comment.
function readNotes(description) {
  const notes = { comment: "", key: false, reference: null };
  const comment = [];
  for (const part of (description ?? "").split("\n\n")) {
    const reference = /^Foreign key to `(.+)\.([^.]+)`\.$/s.exec(part);
    if (part === "Primary key.") notes.key = true;
    else if (reference) notes.reference = { table: reference[1], column: reference[2] };
    else comment.push(part);
  }
  notes.comment = comment.join("\n\n").trim();
  return notes;
}

function readColumn(name, schema, required) {
  return {
    name,
    schema,
    required,
    type: typeText(schema),
    group: typeGroup(schema),
    labels: (schema.enum ?? schema.items?.enum ?? []).filter((label) => label !== null),
    generated: schema.readOnly === true,
    default: schema.default,
    ...readNotes(schema.description),
  };
}

function readColumns(schema) {
  const required = new Set(schema?.required ?? []);
  return Object.entries(schema?.properties ?? {}).map(([name, column]) => readColumn(name, column, required.has(name)));
}

function rowSchema(doc, operation) {
  const response = resolve(doc, operation?.responses?.["200"]);
  const content = response?.content ?? {};
  const schema = resolve(doc, content["application/json"]?.schema);
  return { rows: resolve(doc, schema?.items ?? schema), media: Object.keys(content) };
}

function bodySchema(doc, operation) {
  const body = resolve(doc, operation.requestBody);
  if (!body) return null;
  const type = Object.keys(body.content)[0];
  let schema = body.content[type]?.schema;
  schema = resolve(doc, schema?.oneOf?.[0] ?? schema) ?? {};
  return { type, schema };
}

function preferences(doc, operation) {
  const parameters = (operation.parameters ?? []).map((parameter) => resolve(doc, parameter));
  return parameters.find((parameter) => parameter?.name === "Prefer")?.schema.items.enum ?? [];
}

// The names of the query parameters.
function takes(doc, operation) {
  const inQuery = (parameter) => parameter?.in === "query";
  const parameters = (operation.parameters ?? []).map((parameter) => resolve(doc, parameter));
  return new Set(parameters.filter(inQuery).map((parameter) => parameter.name));
}

function readMethod(doc, name, operation) {
  return {
    method: OPERATIONS[name],
    summary: operation.summary ?? "",
    body: bodySchema(doc, operation),
    preferences: preferences(doc, operation),
    takes: takes(doc, operation),
    ...rowSchema(doc, operation),
  };
}

// The arguments of a function, whichever way it is called.
function readArguments(doc, item) {
  const body = item.post && bodySchema(doc, item.post);
  if (!body || body.type !== "application/json" || !body.schema.properties) return [];
  const required = new Set(body.schema.required ?? []);
  return Object.entries(body.schema.properties).map(([name, schema]) => readColumn(name, schema, required.has(name)));
}

export function describeResource(doc, resource) {
  const { item } = resource;
  const names = Object.keys(OPERATIONS).filter((name) => item[name]);
  const methods = names.map((name) => readMethod(doc, name, item[name]));
  const first = item[names[0]];
  const rows = methods[0].rows;
  return {
    ...resource,
    methods,
    summary: resource.kind === "function" ? (first.summary ?? "") : "",
    comment: first.description ?? "",
    columns: readColumns(rows?.properties ? rows : null),
    arguments: resource.kind === "function" ? readArguments(doc, item) : [],
  };
}

// What can be embedded in rows of a table, as `select` says it: the tables that its foreign keys name, and those whose
// foreign keys name it. Of a very large API only the former.
const MANY_TABLES = 300;

export function embeddable(doc, resources, details) {
  const found = [];
  const add = (table, columns) => {
    for (const column of columns)
      found.push(columns.length > 1 ? `${column.name}:${table}!${column.name}(*)` : `${table}(*)`);
  };
  const targets = new Set(details.columns.map((column) => column.reference?.table).filter(Boolean));
  for (const table of targets) {
    if (table !== details.name)
      add(
        table,
        details.columns.filter((column) => column.reference?.table === table),
      );
  }
  if (resources.length > MANY_TABLES) return found;
  for (const { kind, name, item } of resources) {
    if (kind !== "table" || name === details.name || targets.has(name)) continue;
    const { rows } = rowSchema(doc, item.get);
    add(
      name,
      readColumns(rows).filter((column) => column.reference?.table === details.name),
    );
  }
  return found;
}

// The methods and the first line of the comment.
export function outline({ kind, item }) {
  const names = Object.keys(OPERATIONS).filter((name) => item[name]);
  const first = item[names[0]] ?? {};
  const text = kind === "function" ? first.summary || first.description : first.description;
  return { methods: names.map((name) => OPERATIONS[name]), line: (text ?? "").split("\n")[0] };
}

// -- examples ------------------------------------------------------------------------------------

const EXAMPLES = {
  date: "2026-01-31",
  "date-time": "2026-01-31T12:00:00Z",
  uuid: "00000000-0000-4000-8000-000000000000",
  "timestamp without time zone": "2026-01-31T12:00:00",
  "time without time zone": "12:00:00",
  interval: "1 day",
  inet: "192.0.2.1",
  int4range: "[1,10)",
  int8range: "[1,10)",
  numrange: "[1,10)",
  daterange: "[2026-01-01,2026-02-01)",
};

function exampleValue(schema) {
  const type = plainType(schema);
  if (schema.default !== undefined) return schema.default;
  const labels = (schema.enum ?? []).filter((label) => label !== null);
  if (labels.length > 0) return labels[0];
  if (type === "integer" || type === "number") return 1;
  if (type === "boolean") return true;
  if (type === "array") return [];
  if (!type || type === "object") return {};
  return EXAMPLES[schema.format] ?? "text";
}

// What a body can look like: what is required, or else what can be given; of an update one column.
export function exampleBody(method, columns) {
  const { schema, type } = method.body;
  if (type !== "application/json") return "";
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0) return "{}";
  const isKey = (name) => columns.some((column) => column.name === name && column.key);
  const required = new Set(schema.required ?? []);
  let chosen = properties.filter(([name]) => required.has(name) || (method.method === "PUT" && isKey(name)));
  if (method.method === "PATCH") chosen = properties.filter(([name]) => !isKey(name)).slice(0, 1);
  if (chosen.length === 0) chosen = properties.filter(([name]) => !isKey(name)).slice(0, 4);
  if (chosen.length === 0) chosen = properties.slice(0, 4);
  return JSON.stringify(Object.fromEntries(chosen.map(([name, value]) => [name, exampleValue(value)])), null, 2);
}
