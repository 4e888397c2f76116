// What a link carries, all of it in the fragment: browsers do not send that to any server.

const VIEWS = ["attention", "occlusion"];

export function read(fragment) {
  const found = new URLSearchParams(fragment.replace(/^#/, ""));
  const text = found.get("text");
  if (text === null) return null;
  const view = found.get("view");
  return {
    texts: found.has("beside") ? [text, found.get("beside")] : [text],
    view: VIEWS.includes(view) ? view : VIEWS[0],
    model: found.get("model"),
  };
}

export function write({ texts, view, model }) {
  const parts = new URLSearchParams({ text: texts[0] });
  if (texts.length > 1) parts.set("beside", texts[1]);
  if (view !== VIEWS[0]) parts.set("view", view);
  if (model) parts.set("model", model);
  return `${location.origin}${location.pathname}#${parts}`;
}
