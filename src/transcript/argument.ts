/**
 * One argument: a token and what the grammar says it may be, to a checked value.
 */
import { InputError, type Place } from "../errors.ts";
import type { MapFlag, Protection } from "./driver.ts";
import { MAP_FLAGS, MOST_NODES, type Kind } from "./grammar.ts";
import {
  isName,
  parseAddress,
  parseBytes,
  parseInteger,
  parseOffset,
  tryParseNumber,
} from "./numbers.ts";
import type { Argument } from "./script.ts";
import { quote, suggestion } from "./text.ts";

const SIZE = /^[0-9]+[kKmMgG]$/;

/** Names that mean something as the first word of a line. */
const RESERVED_ACTORS: readonly string[] = ["host", "machine"];

/** The value of a token. Throws `InputError` at `place` if it is none of this kind. */
export function parseArgument(text: string, kind: Kind, place: Place): Argument {
  switch (kind.kind) {
    case "name":
      if (!isName(text)) throw new InputError(place, `${quote(text)} is not a name`);
      return { kind: "word", word: text };
    case "actor":
    case "child":
      return { kind: "word", word: parseProcessName(text, place) };
    case "path":
      if (!text.startsWith("/")) {
        throw new InputError(place, `${quote(text)} is not a path: it must start with /`);
      }
      return { kind: "word", word: text };
    case "text":
      return { kind: "word", word: text };
    case "nodes":
      return { kind: "number", number: parseNodes(text, place) };
    case "address":
      return { kind: "address", address: parseAddress(text, place) };
    case "bytes":
      return { kind: "number", number: parseBytes(text, place) };
    case "offset":
      return { kind: "number", number: parseOffset(text, place) };
    case "size":
      return { kind: "number", number: parseSize(text, place) };
    case "number":
      return { kind: "number", number: Number(parseInteger(text, place, kind.min, kind.max)) };
    case "value":
      return { kind: "value", value: parseInteger(text, place, kind.min, kind.max) };
    case "protection":
      return { kind: "protection", protection: parseProtection(text, place) };
    case "flags":
      return { kind: "flags", ...parseMapFlags(text, place) };
    case "word":
      checkWord(text, kind.words, kind.what, place);
      return { kind: "word", word: text };
    case "words":
      checkWords(text, kind.words, kind.what, place);
      return { kind: "word", word: text };
  }
}

/** Whether a token can be the SIZE of a pool: `2M`, `1G`. */
export function isSize(text: string): boolean {
  return SIZE.test(text);
}

export function parseProcessName(text: string, place: Place): string {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(text)) {
    throw new InputError(place, `${quote(text)} cannot be the name of a process`);
  }
  if (RESERVED_ACTORS.includes(text)) {
    throw new InputError(place, `${quote(text)} is reserved: it cannot be the name of a process`);
  }
  return text;
}

function parseSize(text: string, place: Place): number {
  const size = SIZE.test(text) ? tryParseNumber(text) : undefined;
  if (size === undefined) {
    throw new InputError(place, `${quote(text)} is not a page size, such as 2M or 1G`);
  }
  // mmap takes the size as a power of two: nothing else can be asked for.
  if (size === 0n || (size & (size - 1n)) !== 0n) {
    throw new InputError(place, `${quote(text)} is not a power of two`);
  }
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new InputError(place, `${quote(text)} is out of range`);
  }
  return Number(size);
}

/** `0`, `0,1`, or `none`: a mask, bit n for node n. */
function parseNodes(text: string, place: Place): number {
  if (text === "none") return 0;
  let mask = 0;
  for (const { word, place: at } of splitWords(text, place)) {
    const node = Number(parseInteger(word, at, 0n, MOST_NODES - 1n));
    if (mask & (1 << node)) throw new InputError(at, `node ${node} is given twice`);
    mask |= 1 << node;
  }
  return mask;
}

function parseProtection(text: string, place: Place): Protection {
  const letters = text === "none" ? "" : text;
  const isKnown = /^[rwx]*$/.test(letters) && new Set(letters).size === letters.length;
  if (!isKnown || text === "") {
    throw new InputError(place, `${quote(text)} is not a protection: letters of r w x, or none`);
  }
  return {
    read: letters.includes("r"),
    write: letters.includes("w"),
    execute: letters.includes("x"),
  };
}

function parseMapFlags(text: string, place: Place) {
  const flags = new Set<MapFlag>();
  let hugeSize: number | undefined;
  for (const { word, place: at } of splitWords(text, place)) {
    const flag = MAP_FLAGS.find((known) => known === word);
    if (flag !== undefined) {
      if (flags.has(flag)) throw new InputError(at, `flag ${quote(flag)} is given twice`);
      flags.add(flag);
    } else if (word.startsWith("huge=")) {
      if (flags.has("huge")) throw new InputError(at, 'flag "huge" is given twice');
      flags.add("huge");
      const size = word.slice("huge=".length);
      hugeSize = parseSize(size, { ...at, column: at.column + "huge=".length });
    } else {
      throw new InputError(at, `unknown flag ${quote(word)}${suggestion(word, MAP_FLAGS)}`);
    }
  }
  return { flags, hugeSize };
}

function checkWord(text: string, words: readonly string[], what: string, place: Place): void {
  if (words.includes(text)) return;
  const known = words.length <= 6 ? `; one of ${words.join(" ")}` : "";
  const hint = suggestion(text, words) || known;
  throw new InputError(place, `unknown ${what} ${quote(text)}${hint}`);
}

function checkWords(text: string, words: readonly string[], what: string, place: Place): void {
  const seen = new Set<string>();
  for (const { word, place: at } of splitWords(text, place)) {
    const key = word.replace(/=.*$/s, "=");
    checkWord(key, words, what, at);
    if (key === word && key.endsWith("=")) {
      throw new InputError(at, `${what} ${quote(key)} has no value`);
    }
    if (seen.has(key)) throw new InputError(at, `${what} ${quote(key)} is given twice`);
    seen.add(key);
  }
}

/** The words of a list joined by commas, each with its place. */
function splitWords(text: string, place: Place): { word: string; place: Place }[] {
  let column = place.column;
  return text.split(",").map((word) => {
    const at = { ...place, column };
    column += word.length + 1;
    return { word, place: at };
  });
}
