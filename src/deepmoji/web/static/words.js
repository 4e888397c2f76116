// Which words are shaded, how strongly, and where attention and leaving out disagree.

// Below this change of a logarithm (a tenth of the probability) no word does anything much.
const LEAST = 0.1;
const APART = 0.6;

/**
 * The words as pieces of the text. One character can be read as several words (a letter and the
 * accents on it): they are one piece, with all their attention and the largest of their changes.
 */
export function pieces(words) {
  const made = [];
  for (const word of words) {
    const last = made.at(-1);
    if (!last || word.start >= last.end) {
      made.push({ ...word });
      continue;
    }
    last.end = Math.max(last.end, word.end);
    last.weight += word.weight;
    if (Math.abs(word.occlusion) > Math.abs(last.occlusion)) last.occlusion = word.occlusion;
  }
  return made;
}

/** For each word 0 to 1: its attention, relative to the highest of the text. */
export function attention(words) {
  const highest = Math.max(...words.map((word) => word.weight), 1e-9);
  return words.map((word) => word.weight / highest);
}

/** For each word -1 to 1: what leaving it out changes, relative to the largest change. */
export function occlusion(words) {
  const largest = Math.max(...words.map((word) => Math.abs(word.occlusion ?? 0)), LEAST);
  return words.map((word) => (word.occlusion ?? 0) / largest);
}

/** For each word whether the two views are far apart. A single word cannot compete for attention. */
export function disagreements(words) {
  if (words.length < 2 || words.some((word) => word.occlusion === undefined)) {
    return words.map(() => false);
  }
  const looked = attention(words);
  const changed = occlusion(words);
  return words.map((_, index) => Math.abs(looked[index] - changed[index]) >= APART);
}

export function percent(share, digits = 0) {
  return `${(100 * share).toFixed(digits)} %`;
}

export function factor(word) {
  return word.occlusion === undefined ? "" : `× ${Math.exp(-word.occlusion).toFixed(2)}`;
}
