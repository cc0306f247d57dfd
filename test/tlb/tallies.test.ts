/** Walks by region and by instruction, and references by kind and page size, by hand. */
import { describe, expect, test } from "vitest";
import { CONTROL_SIZE } from "../../src/trace/reference.ts";
import type { PageSize } from "../../src/tlb/config.ts";
import { TlbModel } from "../../src/tlb/model.ts";
import { WordBuffer } from "../../src/trace/word-buffer.ts";
import type { Access } from "../oracle/trace-model.ts";
import { append } from "./both-models.ts";
import { type Parts, smallProcessor } from "./small-processor.ts";

const REGION = 2 ** 21;
const GIB = 2 ** 30;
/** A walk of a page of 4K loads four entries, all from memory. */
const PLAIN = {
  structureCaches: { pml4: 0, pdpt: 0, pd: 0 },
  walkCost: { caches: [], memoryCycles: 100 },
};

function createModel(policy: PageSize, parts?: Parts): TlbModel {
  const processor = smallProcessor({ ...parts, processor: { ...PLAIN, ...parts?.processor } });
  return new TlbModel(processor, { policies: [policy], hasRegions: true, hasInstructions: true });
}

function replay(model: TlbModel, accesses: readonly Access[]): void {
  const buffer = new WordBuffer();
  for (const access of accesses) append(buffer, access);
  model.replayWords(buffer.words);
}

function load(address: number | bigint, rest: Partial<Access> = {}): Access {
  return { address: BigInt(address), kind: "load", nrBytes: 1, ...rest };
}

function fetch(address: number | bigint): Access {
  return load(address, { kind: "fetch" });
}

describe("by region", () => {
  test("walks, their cycles, and pages of 4K", () => {
    const model = createModel("4K");
    // Six entries hold all pages but the first one, which is walked to twice.
    replay(
      model,
      [0, 1, 2, 3, 4, 5, 6, 0].map((page) => load(page * 4096)),
    );
    replay(model, [load(5 * REGION + 4096, { nrBytes: 3 * 4096 })]);
    expect(model.regions("4K")).toEqual([
      { address: 0, walks: 8, walkCycles: 3200, touchedPages: 7 },
      { address: 5 * REGION, walks: 3, walkCycles: 1200, touchedPages: 3 },
    ]);
  });

  test("all 512 pages of 4K", () => {
    const model = createModel("4K");
    replay(model, [
      load(REGION, { nrBytes: REGION / 2 }),
      load(1.5 * REGION, { nrBytes: REGION / 2 }),
    ]);
    expect(model.regions("4K")).toMatchObject([{ walks: 512, touchedPages: 512 }]);
  });

  test("larger pages have no touched ones, and one of 1G counts where it is referred to", () => {
    const ofSize = (policy: PageSize) => {
      const model = createModel(policy);
      replay(model, [load(3 * REGION + 5000), load(4 * REGION)]);
      return model.regions(policy);
    };
    expect(ofSize("2M")).toEqual([
      { address: 3 * REGION, walks: 1, walkCycles: 300, touchedPages: 0 },
      { address: 4 * REGION, walks: 1, walkCycles: 300, touchedPages: 0 },
    ]);
    expect(ofSize("1G")).toEqual([
      { address: 3 * REGION, walks: 1, walkCycles: 200, touchedPages: 0 },
    ]);
  });

  test("an access over the last of the 48 bits goes on at the first region", () => {
    const model = createModel("4K");
    replay(model, [load(2 ** 48 - 1, { nrBytes: 2 })]);
    expect(model.regions("4K")?.map(({ address }) => address)).toEqual([0, 2 ** 48 - REGION]);
  });

  test("walks ahead are none", () => {
    const model = createModel("4K", { processor: { nextPagePrefetch: true } });
    replay(model, [load(REGION - 4096)]);
    expect(model.counts("4K")).toMatchObject({ walks: 1, prefetches: 1, walkCycles: 800 });
    expect(model.regions("4K")).toEqual([
      { address: 0, walks: 1, walkCycles: 400, touchedPages: 1 },
    ]);
    expect(model.instructions("4K")).toEqual([{ address: 0, walks: 1, walkCycles: 400 }]);
  });

  test("many, in a table that grows", () => {
    const model = createModel("2M");
    const addresses = Array.from({ length: 5000 }, (_, n) => n * 3 * REGION);
    for (let at = 0; at < addresses.length; at += 1000) {
      replay(
        model,
        addresses.slice(at, at + 1000).map((address) => load(address)),
      );
    }
    expect(model.regions("2M")).toEqual(
      addresses.map((address) => ({ address, walks: 1, walkCycles: 300, touchedPages: 0 })),
    );
  });
});

describe("by instruction", () => {
  const walksBy = (model: TlbModel) =>
    model.instructions("4K")?.map(({ address, walks }) => [address, walks]);

  test("the last one fetched; before any, 0", () => {
    const model = createModel("4K");
    replay(model, [load(GIB), fetch(4096), load(2 * GIB), load(3 * GIB), fetch(8192)]);
    replay(model, [load(4 * GIB)]);
    expect(walksBy(model)).toEqual([
      [0, 1],
      [4096, 3],
      [8192, 2],
    ]);
  });

  test("the one that CONTROL_IP names, for one reference, be it 0; but a fetch is its own", () => {
    const model = createModel("4K");
    const by = (instruction: bigint) => ({ instruction });
    replay(model, [fetch(4096), load(GIB, by(77n)), load(2 * GIB), load(3 * GIB, by(0n))]);
    replay(model, [{ ...fetch(8192), ...by(99n) }, load(4 * GIB)]);
    expect(walksBy(model)).toEqual([
      [0, 1],
      [77, 1],
      [4096, 2],
      [8192, 2],
    ]);
  });

  test("each of a run to one page, where nothing keeps it", () => {
    const kinds = ["store"];
    const model = createModel("4K", { first: { kinds }, second: { kinds } });
    const own = load(GIB, { instruction: 77n });
    replay(model, [fetch(4096), fetch(4098), fetch(4100), own, load(GIB), load(GIB)]);
    expect(walksBy(model)).toEqual([
      [77, 1],
      [4096, 1],
      [4098, 1],
      [4100, 3],
    ]);
  });

  test("bits 0 to 47 of a kernel's", () => {
    const model = createModel("4K");
    replay(model, [fetch(0xffff_ffff_8100_0001n), fetch(0xffff_ffff_8200_0002n)]);
    const instruction = 0xffff_ffff_8300_0003n;
    replay(model, [load(GIB, { instruction })]);
    expect(walksBy(model)).toEqual([
      [0xffff_8100_0001, 1],
      [0xffff_8200_0002, 1],
      [0xffff_8300_0003, 1],
    ]);
  });

  test("a reference whose page is told is that of the one before it", () => {
    const model = createModel("4K");
    replay(model, [fetch(4096), load(GIB, { instruction: 77n })]);
    model.refer(2 * GIB, "load", "4K");
    expect(walksBy(model)).toEqual([
      [77, 2],
      [4096, 1],
    ]);
  });

  test("a fetch over the end of a page is that of its first byte", () => {
    const model = createModel("4K");
    replay(model, [{ ...fetch(8190), nrBytes: 4 }, load(GIB)]);
    expect(walksBy(model)).toEqual([[8190, 3]]);
  });
});

test("by kind and page size: all accesses miss a first level that does not serve them", () => {
  const second = { kinds: ["load", "store"] };
  const model = createModel("4K", { first: { kinds: ["store"], entries: 1, ways: 1 }, second });
  replay(model, [load(0), load(0), load(4096), { ...load(0), kind: "store" }, fetch(0), fetch(0)]);
  const pageSize = "4K";
  expect(model.routes(pageSize)).toEqual([
    { kind: "fetch", pageSize, accesses: 2, firstLevelMisses: 2, walks: 2 },
    { kind: "load", pageSize, accesses: 3, firstLevelMisses: 3, walks: 2 },
    { kind: "store", pageSize, accesses: 1, firstLevelMisses: 1, walks: 0 },
  ]);
});

test("what a control says holds in the next batch", () => {
  const buffer = new WordBuffer();
  append(buffer, fetch(4096));
  while (buffer.nrWords < 16_382) append(buffer, load(4096));
  append(buffer, load(GIB, { nrBytes: 3 * 4096, instruction: 77n }));
  expect(Number(buffer.words[16_383] >> 60n)).toBe(CONTROL_SIZE);
  const model = createModel("4K");
  model.replayWords(buffer.words);
  expect(model.instructions("4K")).toMatchObject([
    { address: 77, walks: 3 },
    { address: 4096, walks: 1 },
  ]);
  expect(model.references()).toEqual({ fetch: 1, load: 16_382, store: 0 });
});
