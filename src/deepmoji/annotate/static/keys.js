// Answers by key: what has data-key is clicked by that key, in data-arrows the arrows move.
// Everything works without this file.
"use strict";
(() => {
  const form = document.querySelector("form[data-keys]");
  const typing = "textarea, select, input:not([type=checkbox])";
  let sent = false;

  // A second key before the next text is there was meant for that text, not for this one.
  form?.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  addEventListener("pageshow", () => { sent = false; });
  document.querySelector("[data-hint]")?.removeAttribute("hidden");
  document.querySelector("[data-select]")?.addEventListener("focus", (event) => event.target.select());

  function move(key, from) {
    const buttons = [...document.querySelectorAll("[data-arrows] button")];
    if (!buttons.length) return false;
    const columns = buttons.filter((each) => each.offsetTop === buttons[0].offsetTop).length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
    if (!step) return false;
    const place = buttons.indexOf(from);
    const next = place < 0 ? 0 : place + step;
    buttons[next]?.focus();
    return true;
  }

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && event.key !== "Tab") return;
    if (sent || event.target.matches(typing)) return;
    if (move(event.key, event.target)) return event.preventDefault();
    if (event.key === "Enter" && event.target.matches("a, button")) return;
    const found = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!found) return;
    event.preventDefault();
    found.click();
  });
})();
