// The page: what is typed, what is chosen, and when the server is asked.

import { ask, hasKey, Newest, useKey } from "./api.js";
import { read, write } from "./link.js";
import { Pane } from "./pane.js";

const TYPING = 60; // milliseconds of rest before a text is read …
const RESTING = 350; // … and more before it is read once for each of its words
const SPEAKING = 900; // … and before a screen reader is told

const at = (id) => document.getElementById(id);
const state = { view: "attention", model: null, panes: [], untouched: true, notice: "" };
const quick = new Newest();
const thorough = new Newest();
let models = [];
let page;
let speaking;

const model = () => models.find((each) => each.name === state.model) ?? models.find((each) => each.default);

function changed() {
  state.untouched = false;
  state.notice = "";
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  at("linked").hidden = true;
  update();
}

async function update() {
  const filled = state.panes.filter((pane) => pane.text.trim() !== "");
  for (const pane of state.panes) if (!filled.includes(pane)) pane.clear();
  clearTimeout(speaking);
  quick.drop();
  thorough.drop();
  if (filled.length === 0) return tell("");
  for (const pane of filled) pane.stale(true);
  const texts = filled.map((pane) => pane.text);
  const asked = model();
  const body = { texts, top: asked.labels.length, model: asked.name };
  try {
    show(filled, asked, texts, await quick.ask("v1/predict", body, TYPING));
    speaking = setTimeout(speak, SPEAKING, filled);
    const rest = RESTING - TYPING;
    const explain = { ...body, explain: "occlusion" };
    show(filled, asked, texts, await thorough.ask("v1/predict", explain, rest));
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error.status === 401) return askForKey(hasKey());
    for (const { answer } of filled) if (answer) answer.before = [];
    draw();
    tell(error.message);
  }
}

function show(panes, asked, texts, { predictions }) {
  tell("");
  const names = new Map(asked.labels.map(({ label, name }) => [label, name]));
  panes.forEach((pane, index) => {
    const answer = { ...predictions[index], text: texts[index], model: asked.name, names };
    const before = pane.answer;
    const isAlike = before?.model === answer.model && before.top[0].label === answer.top[0].label;
    pane.answer = { ...answer, before: isAlike ? kept(before) : [] };
  });
  draw();
}

const isExplained = ({ words }) => words[0]?.occlusion !== undefined || words.length === 0;

// Until the words are left out one by one, they keep what they had, dimmed, instead of flickering.
function kept(answer) {
  return isExplained(answer) ? answer.words : answer.before;
}

function withKept({ words, before }) {
  return words.map((word, index) =>
    before[index]?.text === word.text ? { occlusion: before[index].occlusion, ...word } : word,
  );
}

// What is shown is of another text or model, or not all of it is there.
function isStale({ answer, text }) {
  const isOther = answer.text !== text || answer.model !== model().name;
  return isOther || (state.view === "occlusion" && !isExplained(answer));
}

function draw() {
  const answered = state.panes.filter((pane) => pane.answer);
  const scale = Math.max(...answered.map((pane) => pane.answer.top[0].probability), 1e-9);
  for (const pane of answered) {
    const isKept = !isExplained(pane.answer);
    const shown = { ...pane.answer, words: withKept(pane.answer) };
    pane.show(shown, { view: state.view, scale, isKept });
    pane.stale(isStale(pane));
  }
}

function speak(panes) {
  at("status").textContent = panes.map((pane) => pane.spoken()).join(" Second text: ");
}

function tell(message) {
  at("error").textContent = message || state.notice;
  at("error").hidden = at("error").textContent === "";
}

function setTexts(texts) {
  while (state.panes.length < texts.length) {
    const pane = new Pane(state.panes.length, changed);
    pane.clear();
    state.panes.push(pane);
    at("panes").append(pane.root);
  }
  while (state.panes.length > texts.length) state.panes.pop().root.remove();
  state.panes.forEach((pane, index) => {
    pane.text = texts[index];
    pane.title(index, texts.length);
  });
  document.body.classList.toggle("comparing", texts.length > 1);
  at("compare").setAttribute("aria-pressed", String(texts.length > 1));
}

function compare() {
  const [first] = state.panes;
  if (state.panes.length > 1) setTexts([first.text]);
  else if (state.untouched || first.text.trim() === "") setTexts(page.pair);
  else setTexts([first.text, ""]);
  const isUntouched = state.untouched;
  changed();
  state.untouched = isUntouched;
  if (state.panes.length > 1) state.panes[1].box.focus();
}

function setView(view) {
  state.view = view;
  for (const radio of document.querySelectorAll("input[name=view]")) radio.checked = radio.value === view;
  at("legend-attention").hidden = view !== "attention";
  at("legend-occlusion").hidden = view !== "occlusion";
}

async function share() {
  const texts = state.panes.map((pane) => pane.text);
  const link = write({ texts, view: state.view, model: models.length > 1 ? model().name : null });
  history.replaceState(null, "", link);
  at("link").value = link;
  at("linked").hidden = false;
  const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
  clearTimeout(speaking); // or the answer would talk over it
  at("status").textContent = copied ? "The link is copied." : "Here is the link.";
  if (!copied) at("link").select();
  at("share").textContent = copied ? "Copied" : "Copy link";
  setTimeout(() => (at("share").textContent = "Copy link"), 2000);
}

function follow() {
  const linked = read(location.hash);
  if (!linked || models.length === 0) return false; // open() follows when it has the models
  state.untouched = false;
  setView(linked.view);
  const isThere = models.some((each) => each.name === linked.model);
  if (isThere) state.model = linked.model;
  const missing = linked.model && !isThere;
  state.notice = missing ? `There is no model ${linked.model} here; ${model().name} reads it.` : "";
  at("model").value = model().name;
  setTexts(linked.texts);
  update();
  return true;
}

function example(texts, label) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.addEventListener("click", () => {
    setTexts(texts);
    changed();
    state.untouched = true;
  });
  item.append(button);
  return item;
}

function askForKey(wasWrong) {
  at("key-error").hidden = !wasWrong;
  if (!at("key-dialog").open) at("key-dialog").showModal();
}

async function open() {
  at("key-dialog").close();
  tell("");
  try {
    page ??= await ask("page.json");
    models = (await ask("v1/models")).models;
  } catch (error) {
    if (error.status === 401) return askForKey(at("key").value !== "");
    return tell(error.message);
  }
  at("model").replaceChildren(
    ...models.map((each) => {
      const option = document.createElement("option");
      option.value = option.textContent = each.name;
      return option;
    }),
  );
  at("model").value = model().name;
  at("model-field").hidden = models.length < 2;
  at("toolbar").inert = false; // until here there was nothing that its buttons could ask
  at("examples").replaceChildren(
    example(page.pair, page.pair.join(" · ")),
    ...page.sentences.map((text) => example([text], text)),
  );
  if (follow()) return;
  if (state.panes.length === 0) setTexts([page.sentences[1]]);
  update();
  // Where there is a keyboard: what is typed takes the place of the example.
  if (matchMedia("(pointer: fine)").matches) state.panes[0].box.select();
}

for (const radio of document.querySelectorAll("input[name=view]")) {
  radio.addEventListener("change", () => {
    setView(radio.value);
    draw();
  });
}
at("compare").addEventListener("click", compare);
at("share").addEventListener("click", share);
at("link").addEventListener("focus", () => at("link").select());
at("model").addEventListener("change", () => {
  state.model = at("model").value;
  changed();
});
at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(at("key").value);
  open();
});
at("key-dialog").addEventListener("cancel", (event) => event.preventDefault());
addEventListener("hashchange", follow);
open();
