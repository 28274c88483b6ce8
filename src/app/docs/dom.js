// Making elements. Whatever comes from a server becomes text: nothing here parses HTML.

// h("button", {type: "button", onclick: f}, "Send"): properties that begin with "on" are listeners,
// false and null leave an attribute out, true sets it without a value.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

// A labelled control; the label is above it.
export function field(label, control, hint) {
  return h("label", { class: "field" }, h("span", {}, label), control, hint && h("small", {}, hint));
}

export function check(label, control) {
  return h("label", { class: "check" }, control, h("span", {}, label));
}

export function options(values, chosen) {
  return values.map(([value, label]) => h("option", { value, selected: value === chosen }, label ?? value));
}

// Copies what text() gives and says so.
export function copyButton(text, label = "Copy") {
  const button = h("button", { type: "button", class: "quiet" }, label);
  button.addEventListener("click", async () => {
    let done = "Copied";
    try {
      await copy(text());
    } catch {
      done = "Could not copy";
    }
    button.textContent = done;
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}

// The clipboard is for secure pages only; an admin server on another machine is none.
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = h("textarea", { class: "away", "aria-hidden": "true", tabindex: "-1", value: text });
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  if (!copied) throw new Error("not copied");
}

export function plural(n, one, many = `${one}s`) {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

export function bytesText(n) {
  if (n < 1000) return plural(n, "byte");
  if (n < 1e6) return `${(n / 1e3).toFixed(1)} kB`;
  return `${(n / 1e6).toFixed(1)} MB`;
}

function errorText(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

// error: what the API answers when something is wrong.
export function errorCard(status, error) {
  const parts = [
    ["Code", error.code],
    ["Details", error.details],
    ["Hint", error.hint],
  ];
  const shown = parts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h(
    "section",
    { class: "error", "aria-label": "Error" },
    h("h3", {}, error.message ?? `Status ${status}`),
    h(
      "dl",
      { class: "facts" },
      shown.map(([name, value]) => [h("dt", {}, name), h("dd", {}, errorText(value))]),
    ),
  );
}
