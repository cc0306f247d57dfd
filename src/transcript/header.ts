/**
 * The `machine KEY=VALUE…` lines at the top of a transcript.
 */
import { InputError, type Place } from "../errors.ts";
import { MOST_NODES } from "./grammar.ts";
import { parseInteger } from "./numbers.ts";
import type { MachineHeader, MachineKey } from "./script.ts";
import { quote, suggestion } from "./text.ts";

const KEYS: readonly MachineKey[] = [
  "memory",
  "kernel",
  "cpu",
  "cpus",
  "nodes",
  "hugepages",
  "hugepages_1G",
];
const PAGE_4K = 1n << 12n;
const MOST_MEMORY = 1n << 52n;
const MOST_CPUS = 4096n;
const MOST_HUGE_PAGES = 1n << 40n;

export class MachineHeaderBuilder {
  readonly #values = new Map<MachineKey, string | number>();
  readonly #places = new Map<MachineKey, Place>();

  /** Takes one `KEY=VALUE`. Throws `InputError` if it cannot be used. */
  add(text: string, place: Place): void {
    const [, word, equals, value] = /^([^=]*)(=?)(.*)$/s.exec(text) ?? [];
    const key = KEYS.find((known) => known === word);
    if (key === undefined) {
      const hint = suggestion(word, KEYS) || `; one of ${KEYS.join(" ")}`;
      throw new InputError(place, `unknown key ${quote(word)}${hint}`);
    }
    if (equals === "" || value === "") {
      throw new InputError(place, `machine key ${quote(key)} has no value`);
    }
    if (this.#places.has(key)) {
      throw new InputError(place, `machine key ${quote(key)} is given twice`);
    }
    const valuePlace = { ...place, column: place.column + key.length + 1 };
    this.#places.set(key, valuePlace);
    this.#values.set(key, parseValue(key, value, valuePlace));
  }

  build(): MachineHeader {
    return {
      memoryBytes: this.#number("memory"),
      kernel: this.#word("kernel"),
      cpu: this.#word("cpu"),
      nrCpus: this.#number("cpus"),
      nrNodes: this.#number("nodes"),
      nrHugePages: this.#number("hugepages"),
      nrHugePages1G: this.#number("hugepages_1G"),
      places: this.#places,
    };
  }

  #number(key: MachineKey): number | undefined {
    const value = this.#values.get(key);
    return typeof value === "number" ? value : undefined;
  }

  #word(key: MachineKey): string | undefined {
    const value = this.#values.get(key);
    return typeof value === "string" ? value : undefined;
  }
}

function parseValue(key: MachineKey, text: string, place: Place): string | number {
  switch (key) {
    case "memory": {
      const bytes = parseInteger(text, place, PAGE_4K, MOST_MEMORY);
      if (bytes % PAGE_4K !== 0n) {
        throw new InputError(place, `${quote(text)} is not a multiple of 4K`);
      }
      return Number(bytes);
    }
    case "cpus":
      return Number(parseInteger(text, place, 1n, MOST_CPUS));
    case "nodes":
      return Number(parseInteger(text, place, 1n, MOST_NODES));
    case "hugepages":
    case "hugepages_1G":
      return Number(parseInteger(text, place, 0n, MOST_HUGE_PAGES));
    case "kernel":
    case "cpu":
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text)) {
        throw new InputError(place, `${quote(text)} is not the name of a ${key}`);
      }
      return text;
  }
}
