/** The PCIDs that arrays have entries of (`config.ts`). */
export class Residents {
  readonly #pcids: number[] = [];
  readonly #most: number;

  constructor(pcids: number) {
    this.#most = Math.max(1, pcids);
  }

  /** References of `pcid` follow. Returns the one whose entries are dropped for it. */
  enter(pcid: number): number | undefined {
    const at = this.#pcids.indexOf(pcid);
    if (at !== -1) this.#pcids.splice(at, 1);
    this.#pcids.push(pcid);
    return this.#pcids.length > this.#most ? this.#pcids.shift() : undefined;
  }
}
