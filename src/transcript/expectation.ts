/**
 * What follows `=>`: a result, and the counters that change.
 */
import { InputError, type Place } from "../errors.ts";
import { LARGEST_U64 } from "./numbers.ts";
import type { Expectation, ExpectedPage } from "./script.ts";
import { quote, suggestion } from "./text.ts";

const COUNTERS = ["total", "free", "rsvd", "surp"].flatMap((name) => [name, `1G.${name}`]);
const PAGE = /^\[(?:-|#([0-9]{1,9}) (anon|file) (exclusive|shared))\]$/;

/** Reads what follows `=>`; `place` is that of the text's first character. */
export function parseExpectation(text: string, place: Place, isPagemap: boolean): Expectation {
  const at = (index: number): Place => ({ ...place, column: place.column + index });
  const semicolon = text.indexOf(";");
  const resultText = semicolon < 0 ? text : text.slice(0, semicolon);
  const result = collapse(resultText);
  if (result === "") {
    throw new InputError(at(-2), 'the line is cut off: no result after "=>"');
  }
  const start = at(resultText.search(/\S/));
  const pages = isPagemap && result.startsWith("[") ? parsePages(resultText, place) : undefined;
  if (!isPagemap && result.startsWith("[")) {
    throw new InputError(start, "a list of pages is the result of pagemap only");
  }
  const counters =
    semicolon < 0 ? undefined : parseCounters(text.slice(semicolon + 1), at(semicolon + 1));
  return { text: collapse(text), result, pages, counters };
}

function parsePages(text: string, place: Place): ExpectedPage[] {
  return [...text.matchAll(/\[[^\][]*\]?|[^\s[]+/g)].map((match) => {
    const page = PAGE.exec(collapse(match[0]));
    if (page === null) {
      const at = { ...place, column: place.column + match.index };
      throw new InputError(at, `${quote(match[0])} is not a page: [-] or [#1 anon exclusive]`);
    }
    const [, label, backing, sharing] = page;
    if (label === undefined) return undefined;
    return {
      label: Number(label),
      backing: backing === "anon" ? "anon" : "file",
      sharing: sharing === "shared" ? "shared" : "exclusive",
    };
  });
}

function parseCounters(text: string, place: Place): ReadonlyMap<string, bigint> {
  const counters = new Map<string, bigint>();
  for (const match of text.matchAll(/\S+/g)) {
    const at = (index: number): Place => ({ ...place, column: place.column + match.index + index });
    const [, name, equals, value] = /^([^=]*)(=?)(.*)$/s.exec(match[0]) ?? [];
    if (!COUNTERS.includes(name)) {
      throw new InputError(at(0), `unknown counter ${quote(name)}${suggestion(name, COUNTERS)}`);
    }
    if (equals === "") throw new InputError(at(0), `counter ${quote(name)} has no value`);
    if (counters.has(name)) throw new InputError(at(0), `counter ${quote(name)} is given twice`);
    if (!/^[0-9]{1,20}$/.test(value) || BigInt(value) > LARGEST_U64) {
      const reason = `${quote(value)} is not a counter's value: 0 to ${LARGEST_U64}`;
      throw new InputError(at(name.length + 1), reason);
    }
    counters.set(name, BigInt(value));
  }
  return counters;
}

function collapse(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}
