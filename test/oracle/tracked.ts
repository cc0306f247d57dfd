/** The entries that take part in a sequence: placed, saved and compared as a set. */
import { loadEntry } from "./scene.ts";

export class TrackedEntries {
  /** Physical addresses. */
  readonly addresses: readonly number[];
  /** The numbers of the words that are the entries' low halves. */
  readonly #low: readonly number[];

  constructor(addresses: readonly number[]) {
    this.addresses = addresses;
    this.#low = addresses.map((at) => at / 4);
  }

  /** Both halves of every entry, in order; an absent one is zero. */
  image(entries: ReadonlyMap<number, bigint>): Uint32Array {
    return Uint32Array.from(
      this.addresses.flatMap((at) => {
        const entry = entries.get(at) ?? 0n;
        return [Number(BigInt.asUintN(32, entry)), Number(entry >> 32n)];
      }),
    );
  }

  place(words: Uint32Array, image: Uint32Array): void {
    const low = this.#low;
    for (let i = 0; i < low.length; i++) {
      words[low[i]] = image[2 * i];
      words[low[i] + 1] = image[2 * i + 1];
    }
  }

  clear(words: Uint32Array): void {
    for (const low of this.#low) words.fill(0, low, low + 2);
  }

  /** The low halves: an access changes no other. */
  save(words: Uint32Array): Uint32Array {
    const low = this.#low;
    const saved = new Uint32Array(low.length);
    for (let i = 0; i < low.length; i++) saved[i] = words[low[i]];
    return saved;
  }

  restore(words: Uint32Array, saved: Uint32Array): void {
    const low = this.#low;
    for (let i = 0; i < low.length; i++) words[low[i]] = saved[i];
  }

  /** Whether `words` has these low halves, and the high halves of `others`. */
  holds(words: Uint32Array, saved: Uint32Array, others: Uint32Array): boolean {
    const low = this.#low;
    for (let i = 0; i < low.length; i++) {
      if (words[low[i]] !== saved[i] || words[low[i] + 1] !== others[low[i] + 1]) return false;
    }
    return true;
  }

  /** The entries that are not zero, by address. */
  load(words: Uint32Array): [at: number, entry: bigint][] {
    return this.addresses
      .map((at): [number, bigint] => [at, loadEntry(words, at)])
      .filter(([, entry]) => entry !== 0n);
  }
}
