/** What `TlbModel.invalidate` and `flush` take away, by hand. */
import { describe, expect, test } from "vitest";
import type { PageSize } from "../../src/tlb/config.ts";
import { TlbModel } from "../../src/tlb/model.ts";
import { type Parts, smallProcessor } from "./small-processor.ts";

const GIB = 2 ** 30;
const structureCaches = { pml4: 4, pdpt: 4, pd: 4, pcids: 2 };

class Subject {
  readonly model: TlbModel;
  readonly #pageSize: PageSize;

  constructor(pageSize: PageSize, array: object = {}, processor: Parts["processor"] = {}) {
    const parts = { first: { entries: 8, ways: 8, ...array }, second: array, processor };
    this.model = new TlbModel(smallProcessor(parts), { policies: [pageSize] });
    this.#pageSize = pageSize;
  }

  /** Which of these are walked to. */
  walked(addresses: readonly number[]): number[] {
    return addresses.filter((address) => {
      const { walks } = this.model.counts(this.#pageSize);
      this.model.refer(address, "load", this.#pageSize);
      return this.model.counts(this.#pageSize).walks > walks;
    });
  }
}

describe("an invalidation of some bytes", () => {
  const pages = [0, 1, 2, 3, 4, 5].map((page) => page * 4096);
  const [, one, two, three] = pages;

  test.each<[what: string, address: number, nrBytes: number, gone: number[]]>([
    ["one byte", one + 5, 1, [one]],
    ["the last byte of a page and the first of the next", two - 1, 2, [one, two]],
    ["two whole pages", two, 8192, [two, three]],
    ["all addresses", 0, 2 ** 48, pages],
  ])("takes the pages that have any of them: %s", (_, address, nrBytes, gone) => {
    const subject = new Subject("4K");
    subject.walked(pages);
    subject.model.invalidate(address, nrBytes);
    expect(subject.walked(pages)).toEqual(gone);
  });

  test("takes an entry of coalesced pages as a whole", () => {
    const subject = new Subject("4K", { coalescedPages: 4 });
    subject.walked(pages);
    subject.model.invalidate(three, 1);
    expect(subject.walked(pages)).toEqual([0]);
    expect(subject.walked(pages.toReversed())).toEqual([]);
  });

  test("takes a large page, and of one that is kept in pieces, those with the bytes", () => {
    const pieces = [0, 1, 2, 3].map((piece) => piece * 2 ** 21);
    const whole = new Subject("1G");
    whole.walked(pieces);
    whole.model.invalidate(pieces[2] + 4096, 1);
    expect(whole.walked(pieces)).toEqual([0]);
    const inPieces = new Subject("1G", { keptAs: { "1G": "2M" } });
    inPieces.walked(pieces);
    inPieces.model.invalidate(pieces[2] - 1, 2);
    expect(inPieces.walked(pieces)).toEqual([pieces[1], pieces[2]]);
  });

  test("takes pages out of each of the banks they are dealt out to", () => {
    const bank = { entries: 4, ways: 4, hitCycles: 7 };
    const secondLevel = ["a", "b", "c", "d"].map((name) => ({ ...bank, name }));
    const subject = new Subject("4K", { entries: 1, ways: 1 }, { secondLevel });
    subject.walked(pages);
    expect(subject.walked(pages)).toEqual([]);
    subject.model.invalidate(0, 2 * 8192);
    expect(subject.walked(pages)).toEqual([0, one, two, three]);
  });

  test("takes all that structure caches have", () => {
    const subject = new Subject("4K", {}, { structureCaches });
    subject.walked([0, GIB]);
    subject.model.invalidate(5 * GIB, 1);
    subject.walked([4096, GIB + 4096]);
    expect(subject.model.counts("4K").entryLoads).toEqual([4, 4, 4, 2]);
  });
});

describe("is of the current PCID", () => {
  const invalidate = (model: TlbModel) => model.invalidate(0, 4096);
  const flush = (model: TlbModel) => model.flush();

  test.each([
    ["an invalidation", invalidate, [0]],
    ["a flush", flush, [0, GIB]],
  ] as const)("%s", (_, drop, gone) => {
    const subject = new Subject("4K", { pcids: 2 }, { structureCaches });
    subject.walked([0, GIB]);
    subject.model.switchTo(1);
    subject.walked([0, GIB]);
    subject.model.switchTo(0);
    // Nothing was referred to since the switch.
    drop(subject.model);
    subject.model.switchTo(1);
    expect(subject.walked([0, GIB])).toEqual([]);
    subject.model.switchTo(0);
    expect(subject.walked([0, GIB])).toEqual(gone);
    const before = subject.model.counts("4K").entryLoads;
    subject.walked([2 ** 21]);
    const after = subject.model.counts("4K").entryLoads;
    expect(after.map((n, i) => n - before[i])).toEqual([1, 1, 0, 0]);
  });
});
