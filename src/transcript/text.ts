/**
 * Text of unknown origin: bytes to text, and text to something that may stand in a message.
 */
import { InputError, type Place } from "../errors.ts";

const LONGEST_QUOTE = 40;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The text of a transcript's bytes. Throws `InputError` at the first byte that is not text. */
export function decodeTranscript(bytes: Uint8Array, file: string): string {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  // Only what was not UTF-8 comes back as other bytes.
  const again = new TextEncoder().encode(text);
  const wrong = again.findIndex((byte, i) => byte !== bytes[i]);
  if (wrong < 0) return text.startsWith("\uFEFF") ? text.slice(1) : text;
  const before = new TextDecoder().decode(again.subarray(0, wrong));
  throw new InputError(placeAt(before, before.length, file), "not a text file: not UTF-8");
}

/** The place of the character at `index`. */
export function placeAt(text: string, index: number, file: string): Place {
  const before = text.slice(0, index).split("\n");
  return { file, line: before.length, column: before[before.length - 1].length + 1 };
}

/** The text with every control character escaped, so that it cannot leave its line. */
export function onOneLine(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** The text in quotes, shortened and escaped, for a message. */
export function quote(text: string): string {
  const short = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
  return `"${onOneLine(short)}"`;
}

/** ` (did you mean "x"?)` when one of the words is close to what was written, else "". */
export function suggestion(written: string, words: readonly string[]): string {
  const allowed = written.length <= 4 ? 1 : 2;
  let best: string | undefined;
  let bestDistance = allowed + 1;
  for (const word of words) {
    if (Math.abs(word.length - written.length) > allowed) continue;
    const distance = editDistance(written, word);
    if (distance < bestDistance) [best, bestDistance] = [word, distance];
  }
  return best === undefined ? "" : ` (did you mean "${best}"?)`;
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one to the other. */
function editDistance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1];
      row[j] = Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (isSame ? 0 : 1));
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (isSwap) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[from.length][to.length];
}

/** `1 line`, `2 lines`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`;
}
