// A request: what the form says -> method, path, headers and body; and the ways to pass it on.

const MAX_READ = 8 * 1000 * 1000; // bytes of an answer

// Readable where the server takes it so.
function encode(text) {
  return encodeURIComponent(text).replace(/%(2C|3A|28|29|2A|24|40|2F)/g, (code) => decodeURIComponent(code));
}

// In a list of columns a name that is no plain word stands in quotes.
export function columnName(name) {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `"${name.replace(/(["\\])/g, "\\$1")}"`;
}

export function filterText(operator, value) {
  if (/(^|\.)in$/.test(operator) && !value.startsWith("(")) return `${operator}.(${value})`;
  return `${operator}.${value}`;
}

// pairs: [name, value]; more: a query string as it was typed.
export function queryText(pairs, more) {
  const parts = pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`);
  for (const part of more.replace(/^\?/, "").split("&")) {
    if (part.trim() !== "") parts.push(encodeURI(part.trim()).replaceAll("%25", "%").replaceAll("#", "%23"));
  }
  return parts.length > 0 ? `?${parts.join("&")}` : "";
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// The command; show: with the token hidden.
export function curlText(base, request, show) {
  const parts = ["curl"];
  if (request.method !== "GET" && !(request.method === "POST" && request.body !== null))
    parts[0] += ` -X ${request.method}`;
  parts[0] += ` ${quoted(base + request.path)}`;
  for (const [name, value] of Object.entries(request.headers)) {
    const secret = show && name === "Authorization";
    parts.push(`-H ${quoted(`${name}: ${secret ? "Bearer ••••••" : value}`)}`);
  }
  if (request.body !== null) parts.push(`--data-binary ${quoted(request.body)}`);
  return parts.join(" \\\n  ");
}

// Reads at most MAX_READ bytes; the rest is not waited for.
async function readBody(response) {
  const pieces = [];
  let size = 0;
  const reader = response.body?.getReader();
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    size += value.length;
    if (size >= MAX_READ) {
      await reader.cancel();
      break;
    }
  }
  return { blob: new Blob(pieces), size, cut: size >= MAX_READ };
}

export async function send(base, request, signal) {
  const begun = performance.now();
  const response = await fetch(base + request.path, {
    method: request.method,
    headers: request.headers,
    body: request.body ?? undefined,
    cache: "no-store",
    credentials: "omit",
    signal,
  });
  const { blob, size, cut } = await readBody(response);
  return {
    status: response.status,
    phrase: response.statusText,
    headers: [...response.headers],
    type: response.headers.get("Content-Type") ?? "",
    milliseconds: performance.now() - begun,
    blob,
    text: await blob.text(),
    size,
    cut,
  };
}

export async function askSql(request) {
  const response = await fetch(new URL("sql", import.meta.url), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      method: request.method,
      path: request.path,
      headers: request.headers,
      body: request.body ?? "",
    }),
  });
  if (!response.ok) throw new Error((await response.text()) || `status ${response.status}`);
  return response.json();
}

// The claims of a token, without a look at its signature; null: it is none.
export function claimsOf(token) {
  try {
    const bytes = Uint8Array.from(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")), (c) =>
      c.charCodeAt(0),
    );
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
