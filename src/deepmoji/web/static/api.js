// The server: one question at a time, the newest wins, and a full queue is tried again.

const KEY = "deepmoji-key";

const store = openStore();
let key = store?.getItem(KEY) ?? "";

// A browser that keeps nothing for sites throws here; then a key lasts until the page is left.
function openStore() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

export class Refused extends Error {
  constructor(status, message, wait) {
    super(message);
    this.status = status;
    this.wait = wait;
  }
}

export function useKey(given) {
  key = given;
  store?.setItem(KEY, given);
}

export const hasKey = () => key !== "";

export async function ask(path, body, signal) {
  const headers = { Accept: "application/json" };
  if (key) headers["X-API-Key"] = key;
  const options = { headers, signal, credentials: "omit", cache: "no-store" };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    options.method = "POST";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "The server does not answer.");
  }
  const answer = await response.json().catch(() => null);
  signal?.throwIfAborted(); // half an answer to an older question is no failure
  if (response.ok && answer !== null) return answer;
  const message = answer?.error?.message ?? `The server answers with ${response.status}.`;
  throw new Refused(response.status, sentence(message), Number(response.headers.get("Retry-After")));
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

const rest = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("newer", "AbortError"));
    });
  });

/** Asks the newest question only: whatever was asked before is dropped, in whatever order it comes. */
export class Newest {
  #current = new AbortController();

  async ask(path, body, after) {
    this.#current.abort();
    const mine = (this.#current = new AbortController());
    await rest(after, mine.signal);
    for (let tries = 0; ; tries++) {
      try {
        const answer = await ask(path, body, mine.signal);
        mine.signal.throwIfAborted();
        return answer;
      } catch (error) {
        if (error.status !== 503 || tries >= 5) throw error;
        await rest(1000 * (error.wait || 1), mine.signal);
      }
    }
  }

  drop() {
    this.#current.abort();
  }
}
