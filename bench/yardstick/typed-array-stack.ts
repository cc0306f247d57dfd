/**
 * LRU stack distances in TypeScript on typed arrays: what `assembly/model/stack-distances.ts` does,
 * for loads alone, with the counts of live slots in a Fenwick tree.
 */

const SLOTS_A_PAGE = 2;
const SLOTS_MIN = 4096;
const LOW_FACTOR = 0x9e3779b1;
const HIGH_FACTOR = 0x85ebca6b;

export class TypedArrayStack {
  /** References by distance, from 1 on; the last: those of `depth` or more. */
  readonly #histogram: Float64Array;
  readonly #depth: number;
  /** By slot. */
  readonly #pages: Float64Array;
  readonly #isLive: Uint8Array;
  /** Of live slots; node i holds the sum of those above i − its lowest bit, up to i. */
  readonly #tree: Int32Array;
  /** Slots by page; 0: free. */
  readonly #table: Int32Array;
  #tableBits = 0;
  #nrLive = 0;
  #nextSlot = 1;
  #endSlot = 0;
  #recent = -1;

  constructor(depth: number) {
    const nrSlots = nrSlotsFor(depth);
    this.#depth = depth;
    this.#histogram = new Float64Array(depth);
    this.#pages = new Float64Array(nrSlots);
    this.#isLive = new Uint8Array(nrSlots);
    this.#tree = new Int32Array(nrSlots);
    this.#table = new Int32Array(2 * nrSlots);
    this.#restart(0);
  }

  /** References (src/trace/reference.ts), each as two halves, the lower first. */
  replay(halves: Uint32Array): void {
    for (let i = 0; i < halves.length / 2; i++) {
      const page = (halves[2 * i + 1] & 0xffff) * 2 ** 20 + (halves[2 * i] >>> 12);
      if (page === this.#recent) continue;
      this.#recent = page;
      if (this.#nextSlot === this.#endSlot) this.#renumber();
      this.#histogram[this.#refer(page) - 1]++;
    }
  }

  /** Of TLBs of 1 to `depth` entries. */
  misses(): readonly number[] {
    let sum = 0;
    const fromLast = [...this.#histogram].toReversed().map((count) => (sum += count));
    return fromLast.toReversed();
  }

  /** Its distance; `depth`: it is that far or more, or not known. */
  #refer(page: number): number {
    const at = this.#find(page);
    const slot = this.#table[at];
    let distance = this.#depth;
    if (slot !== 0) {
      distance = Math.min(distance, this.#nrLive - this.#rank(slot));
      this.#isLive[slot] = 0;
      this.#add(slot, -1);
      this.#nrLive--;
    }
    this.#table[at] = this.#nextSlot;
    this.#pages[this.#nextSlot] = page;
    this.#isLive[this.#nextSlot] = 1;
    this.#add(this.#nextSlot++, 1);
    this.#nrLive++;
    return distance;
  }

  #find(page: number): number {
    const mask = 2 ** this.#tableBits - 1;
    const high = Math.imul(page / 2 ** 32, HIGH_FACTOR);
    let at = Math.imul((page | 0) ^ high, LOW_FACTOR) >>> (32 - this.#tableBits);
    for (let slot = this.#table[at]; slot !== 0; slot = this.#table[at]) {
      if (this.#pages[slot] === page) break;
      at = (at + 1) & mask;
    }
    return at;
  }

  #rank(slot: number): number {
    let sum = 0;
    for (let i = slot; i > 0; i &= i - 1) sum += this.#tree[i];
    return sum;
  }

  #add(slot: number, change: number): void {
    for (let i = slot; i < this.#endSlot; i += i & -i) this.#tree[i] += change;
  }

  #restart(nrPages: number): void {
    this.#isLive.fill(0, 0, this.#nextSlot);
    this.#endSlot = nrSlotsFor(nrPages);
    this.#tableBits = Math.log2(this.#endSlot) + 1;
    this.#tree.fill(0, 0, this.#endSlot);
    this.#table.fill(0, 0, 2 * this.#endSlot);
    this.#nrLive = 0;
    this.#nextSlot = 1;
  }

  #renumber(): void {
    let nrForgotten = Math.max(0, this.#nrLive - this.#depth);
    const kept: number[] = [];
    for (let slot = 1; slot < this.#nextSlot; slot++) {
      if (this.#isLive[slot] && nrForgotten-- <= 0) kept.push(this.#pages[slot]);
    }
    this.#restart(kept.length);
    for (const page of kept) this.#refer(page);
  }
}

/** A power of two. */
function nrSlotsFor(nrPages: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(SLOTS_MIN, nrPages * SLOTS_A_PAGE)));
}
