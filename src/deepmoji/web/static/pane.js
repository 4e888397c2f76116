// One text and what the model says of it. Everything that was typed or comes from a model is set
// as textContent: it can be no markup.

import { attention, disagreements, factor, occlusion, percent, pieces } from "./words.js";

const FIVE = 5;
const EMOJI = /\p{Extended_Pictographic}|♡/u;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// Hearts and the like have a plain form too; this asks for the coloured one.
const glyph = (label) => (/^[\u2600-\u27bf]$/u.test(label) ? `${label}\ufe0f` : label);

export class Pane {
  constructor(index, onInput) {
    const template = document.getElementById("pane");
    this.root = template.content.cloneNode(true).querySelector(".pane");
    this.find = (selector) => this.root.querySelector(selector);
    this.box = this.find("textarea");
    this.box.id = `text-${index}`;
    this.find(".label").htmlFor = this.box.id;
    this.box.addEventListener("input", onInput);
    this.find(".all").addEventListener("toggle", () => this.#drawGrid());
    this.answer = null;
    this.rows = [];
  }

  get text() {
    return this.box.value.toWellFormed?.() ?? this.box.value;
  }

  set text(value) {
    this.box.value = value;
  }

  /** Says where this pane stands among how many. */
  title(index, count) {
    const title = count === 1 ? "Your text" : index === 0 ? "First text" : "Second text";
    this.find(".label").textContent = title;
    this.root.setAttribute("aria-label", title);
  }

  /** Shows an answer, bars in proportion to `scale`; what is kept of an older one is dimmed. */
  show(answer, { view, scale, isKept }) {
    this.pieces = pieces(answer.words);
    // Offsets count characters as the server does, not UTF-16 units.
    this.characters = Array.from(answer.text);
    this.names = answer.names;
    this.view = view;
    this.scale = scale;
    this.isKept = isKept;
    this.#drawTop();
    this.#drawWords();
    this.#drawNote();
    this.#drawGrid();
    this.#drawNumbers();
  }

  /** Shows that there is nothing to read. */
  clear() {
    this.answer = null;
    this.rows = [];
    for (const part of [".top", ".shaded", ".grid", "tbody"]) this.find(part).replaceChildren();
    this.find(".note").hidden = true;
    this.find(".all").hidden = this.find(".numbers").hidden = true;
  }

  /** Dims what is shown while a newer text is being read. */
  stale(isStale) {
    this.find(".shaded").classList.toggle("stale", isStale);
  }

  /** The answer in a sentence, for who listens. */
  spoken() {
    if (!this.answer) return "";
    const said = this.answer.top.slice(0, FIVE).map(
      ({ label, probability }) => `${this.names.get(label) ?? label} ${percent(probability)}`,
    );
    const strongest = [...this.answer.words].sort((a, b) => b.weight - a.weight).slice(0, 2);
    const words = strongest.map((word) => word.text).join(", ");
    return `${said.join(", ")}.${words ? ` Most attention: ${words}.` : ""}`;
  }

  #drawTop() {
    const list = this.find(".top");
    const shown = this.answer.top.slice(0, FIVE);
    while (this.rows.length < shown.length) this.rows.push(row());
    this.rows.length = shown.length;
    shown.forEach(({ label, probability }, index) => {
      const drawn = this.rows[index];
      const isEmoji = EMOJI.test(label);
      drawn.line.classList.toggle("plain", !isEmoji);
      drawn.glyph.textContent = isEmoji ? glyph(label) : "";
      drawn.name.textContent = this.names.get(label) ?? label;
      drawn.share.textContent = percent(probability, probability < 0.0995 ? 1 : 0);
      drawn.bar.style.setProperty("--share", String((100 * probability) / this.scale));
    });
    list.replaceChildren(...this.rows.map((drawn) => drawn.line));
  }

  #drawWords() {
    const { pieces: words, characters } = this;
    const strengths = this.view === "occlusion" ? occlusion(words) : attention(words);
    const apart = disagreements(words);
    const parts = [];
    let done = 0;
    words.forEach((word, index) => {
      parts.push(document.createTextNode(characters.slice(done, word.start).join("")));
      const kind = this.view === "attention" ? "attention" : strengths[index] < 0 ? "against" : "for";
      const shaded = element("span", `word ${kind}`, characters.slice(word.start, word.end).join(""));
      shaded.classList.toggle("disagrees", apart[index]);
      shaded.style.setProperty("--strength", (100 * Math.abs(strengths[index])).toFixed(1));
      shaded.title = [`attention ${percent(word.weight)}`, factor(word) && `without it ${factor(word)}`]
        .filter(Boolean)
        .join(" · ");
      parts.push(shaded);
      done = word.end;
    });
    parts.push(document.createTextNode(characters.slice(done).join("")));
    this.find(".shaded").replaceChildren(...parts);
  }

  #drawNote() {
    const { words, unknown_share: unknown, truncated, windows } = this.answer;
    const notes = [];
    if (words.length === 0) notes.push("No words to read: this is the answer to one unknown word.");
    else if (unknown >= 0.3) notes.push(`The model does not know ${percent(unknown)} of the words.`);
    if (truncated) notes.push(`Only the first ${words.length} words were read.`);
    if (windows) notes.push(`${words.length} words were read, in ${windows} windows.`);
    this.find(".note").textContent = notes.join(" ");
    this.find(".note").hidden = notes.length === 0;
  }

  #drawGrid() {
    const details = this.find(".all");
    if (!this.answer) return;
    details.hidden = this.answer.top.length <= FIVE;
    this.find(".all summary").textContent = `All ${this.answer.top.length}`;
    if (!details.open) return;
    const shares = new Map(this.answer.top.map((each) => [each.label, each.probability]));
    const highest = this.answer.top[0].probability || 1;
    const areEmojis = [...shares.keys()].every((label) => EMOJI.test(label));
    // In the model's own order, so that an emoji keeps its place while the text changes.
    const cells = [...this.names.keys()].map((label) => {
      const share = shares.get(label) ?? 0;
      const cell = element("li");
      const name = this.names.get(label) ?? label;
      const shown = element("span", areEmojis ? "glyph" : "", areEmojis ? glyph(label) : label);
      shown.setAttribute("aria-hidden", "true");
      cell.title = name;
      cell.style.setProperty("--share", String((100 * share) / highest));
      cell.append(shown, element("span", "hidden", `${name} `), areEmojis ? "" : " ", percent(share, 1));
      return cell;
    });
    this.find(".grid").classList.toggle("plain", !areEmojis);
    this.find(".grid").replaceChildren(...cells);
  }

  #drawNumbers() {
    const { pieces: words, characters } = this;
    const apart = disagreements(words);
    this.find(".numbers").hidden = words.length === 0;
    const first = this.answer.top[0].label;
    this.find(".without").textContent = `${glyph(first)} without it`;
    this.find("tbody").replaceChildren(
      ...words.map((word, index) => {
        const line = element("tr");
        const mark = element("td", "", apart[index] ? "≠" : "");
        if (apart[index]) mark.setAttribute("aria-label", "the two disagree");
        line.append(
          element("td", "", characters.slice(word.start, word.end).join("").trim() || "line break"),
          element("td", "", percent(word.weight)),
          element("td", this.isKept ? "stale" : "", factor(word)),
          mark,
        );
        return line;
      }),
    );
  }
}

function row() {
  const line = element("li");
  const drawn = { line, glyph: element("span", "glyph"), name: element("span", "name") };
  drawn.glyph.setAttribute("aria-hidden", "true");
  drawn.share = element("span", "share");
  drawn.bar = element("span");
  const track = element("span", "bar");
  track.setAttribute("aria-hidden", "true");
  track.append(drawn.bar);
  line.append(drawn.glyph, drawn.name, track, drawn.share);
  return drawn;
}
