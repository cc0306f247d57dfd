/** The kernel's trees against models that look at everything, over random operations. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PAGE_2M, PAGE_4K } from "../../src/address.ts";
import { AddressSpace } from "../../src/kernel/address-space.ts";
import { Inode } from "../../src/kernel/hugetlbfs.ts";
import { createKernel } from "../../src/kernel/kernel.ts";
import { OrderedTree, type TreeNode } from "../../src/kernel/ordered-tree.ts";
import { RegionMap } from "../../src/kernel/region-map.ts";
import { ReverseMap } from "../../src/kernel/reverse-map.ts";
import { VM_GROWSDOWN } from "../../src/kernel/vm-flags.ts";
import { type Vma, offsetOf } from "../../src/kernel/vma.ts";
import { ArraySpace, type Range } from "./array-models.ts";

/** An operation and three numbers that it reads as it needs. */
type Step = readonly [kind: number, a: number, b: number, c: number];

const steps = (nrKinds: number, maxLength: number): fc.Arbitrary<Step[]> => {
  const number = fc.nat({ max: 2 ** 20 });
  return fc.array(fc.tuple(fc.nat({ max: nrKinds - 1 }), number, number, number), {
    maxLength,
    size: "max",
  });
};

function vmaOf(range: Range, inode?: Inode, offset = range.start): Vma {
  return {
    ...range,
    protection: { read: true, write: true, execute: false },
    isShared: false,
    inode,
    offset,
    isOwner: false,
    reservation: undefined,
    isUnmapped: false,
    policy: undefined,
    anonVma: undefined,
    userfaultfd: undefined,
  };
}

describe("the mappings of an address space", () => {
  const NR_PAGES = 4096;
  const page = (number: number): number => (1 + (number % NR_PAGES)) * PAGE_4K;

  /** One step in both; most of them map a few pages. */
  function perform(space: AddressSpace, model: ArraySpace, [kind, a, b, c]: Step): void {
    const start = page(a);
    if (kind < 6) {
      const end = start + (1 + (b % 16)) * PAGE_4K;
      expect(space.isFree(start, end)).toBe(model.overlapping(start, end).length === 0);
      if (!space.isFree(start, end)) return;
      const range = { start, end, flags: c % 5 === 0 ? VM_GROWSDOWN : 0 };
      const vma = vmaOf(range);
      space.insert(vma);
      space.merge(vma);
      model.map(range);
    } else if (kind === 6) {
      const end = start + (1 + (b % 64)) * PAGE_4K;
      space.splitAt(start);
      space.splitAt(end);
      for (const vma of space.overlapping(start, end)) space.delete(vma);
      model.unmap(start, end);
    } else {
      const vma = space.firstEndingAfter(start);
      if (!vma) return;
      // What grows leaves a page free, so that nothing merges.
      const lower = vma.start - (1 + (b % 4)) * PAGE_4K;
      const upper = vma.end + (1 + (c % 4)) * PAGE_4K;
      const from = space.isFree(lower - PAGE_4K, vma.start) ? lower : vma.start;
      const shrunk = vma.start + PAGE_4K;
      const to = space.isFree(vma.end, upper + PAGE_4K) ? upper : shrunk;
      model.resize(vma, from, to);
      space.setRange(vma, from, to);
      expect(vma.offset).toBe(from);
    }
  }

  function compareQuestions(space: AddressSpace, model: ArraySpace, [, a, b, c]: Step): void {
    const [address, low, high] = [page(a), page(b), page(c)];
    expect(space.find(address)?.start).toBe(model.overlapping(address, address + 1)[0]?.start);
    expect(space.firstEndingAfter(address)?.start).toBe(
      model.ranges.find(({ end }) => end > address)?.start,
    );
    expect(space.lastEndingBy(address)?.start).toBe(
      model.ranges.findLast(({ end }) => end <= address)?.start,
    );
    expect(space.overlapping(low, high).map(({ start }) => start)).toEqual(
      model.overlapping(low, high).map(({ start }) => start),
    );
    const length = (1 + (a % 700)) * PAGE_4K;
    for (const nrBytes of [PAGE_4K, length]) {
      for (const alignment of [PAGE_4K, PAGE_2M]) {
        const asked = [nrBytes, alignment, low, high] as const;
        expect(space.findHighest(...asked)).toBe(model.findHighest(...asked));
        expect(space.findLowest(...asked)).toBe(model.findLowest(...asked));
      }
    }
  }

  test("are those of the array, and so are its holes", { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(steps(8, 400), (list) => {
        const space = new AddressSpace(0, 0, 1, true);
        const model = new ArraySpace();
        for (const step of list) {
          perform(space, model, step);
          compareQuestions(space, model, step);
        }
        expect(space.vmas.map(({ start, end, flags }) => ({ start, end, flags }))).toEqual(
          model.ranges,
        );
      }),
      { numRuns: 100, seed: 7 },
    );
  });
});

/** Seen on a live 6.18. */
test("only a hole right below a stack keeps clear of its guard gap", () => {
  const space = new AddressSpace(0, 0, 1, true);
  const stack = 2 ** 32;
  space.insert(vmaOf({ start: stack, end: stack + PAGE_4K, flags: VM_GROWSDOWN }));
  space.insert(vmaOf({ start: stack - 8 * PAGE_4K, end: stack - 4 * PAGE_4K, flags: 0 }));
  const find = (nrPages: number) => {
    const address = space.findHighest(nrPages * PAGE_4K, PAGE_4K, PAGE_4K, stack + PAGE_4K);
    return address && (stack - address) / PAGE_4K;
  };
  expect(find(16)).toBe(8 + 16);
  expect(find(3)).toBe(256 + 3);
});

describe("the reverse map", () => {
  test("gives who maps a range of a file, by offset and age", { timeout: 60_000 }, () => {
    const hstate = createKernel({ machine: { linearBytes: 2 ** 26 } }).state.hstates.get(PAGE_2M);
    if (!hstate) throw new Error("no pool");
    const space = new AddressSpace(0, 0, 1, true);
    fc.assert(
      fc.property(steps(8, 300), (list) => {
        const map = new ReverseMap();
        const files = [new Inode(hstate, 0), new Inode(hstate, 0)];
        let model: { readonly inode: Inode; readonly vma: Vma }[] = [];
        for (const [kind, a, b, c] of list) {
          const inode = files[c % files.length];
          const chosen = model[a % Math.max(1, model.length)];
          if (kind < 5 || !chosen) {
            const end = (1 + (b % 20)) * PAGE_2M;
            const vma = vmaOf({ start: 0, end, flags: 0 }, inode, (a % 64) * PAGE_2M);
            map.add(inode, vma, space);
            model.push({ inode, vma });
          } else if (kind === 5) {
            map.delete(chosen.inode, chosen.vma);
            model = model.filter((other) => other !== chosen);
          } else {
            chosen.vma.end = (1 + (b % 20)) * PAGE_2M;
            map.resized(chosen.inode, chosen.vma);
          }
          const start = (b % 80) * PAGE_2M;
          const end = start + (a % 8) * PAGE_2M;
          const expected = model
            .filter(({ vma }) => vma.offset < end && offsetOf(vma, vma.end) > start)
            .filter((mapping) => mapping.inode === inode)
            .toSorted((x, y) => x.vma.offset - y.vma.offset);
          const found = Array.from(map.mappings(inode, start, end), ([vma]) => vma);
          expect(found.length).toBe(expected.length);
          expect(found.every((vma, i) => vma === expected[i].vma)).toBe(true);
        }
      }),
      { numRuns: 200, seed: 7 },
    );
  });
});

describe("the region map", () => {
  test("is a set of indexes", { timeout: 60_000 }, () => {
    const NR_INDEXES = 256;
    fc.assert(
      fc.property(steps(5, 300), (list) => {
        const map = new RegionMap();
        const model = Array<boolean>(NR_INDEXES).fill(false);
        for (const [kind, a, b, c] of list) {
          const from = a % NR_INDEXES;
          const to = Math.min(NR_INDEXES, from + (b % 24));
          if (kind < 3) map.add(from, to);
          else map.remove(from, to);
          model.fill(kind < 3, from, to);
          const [low, high] = [b % NR_INDEXES, c % NR_INDEXES].toSorted((x, y) => x - y);
          expect(map.count(low, high)).toBe(model.slice(low, high).filter(Boolean).length);
          expect(map.has(low)).toBe(model[low]);
        }
        expect(model.every((isIn, index) => map.has(index) === isIn)).toBe(true);
      }),
      { numRuns: 200, seed: 7 },
    );
  });
});

describe("the tree", () => {
  const NR_ITEMS = 100_000;
  const height = (node: TreeNode<number, number> | undefined): number =>
    node ? 1 + Math.max(height(node.left), height(node.right)) : 0;
  const createTree = () =>
    new OrderedTree<number, number>(
      (a, b) => a - b,
      (_, left = 0, right = 0) => left + 1 + right,
    );

  test.each([
    ["upwards", (i: number) => i],
    ["downwards", (i: number) => -i],
    ["from both ends", (i: number) => (i % 2 === 0 ? i : -i)],
  ])("stays flat when filled %s", (_, itemOf) => {
    const tree = createTree();
    for (let i = 0; i < NR_ITEMS; i++) tree.insert(itemOf(i));
    expect(tree.root?.summary).toBe(NR_ITEMS);
    expect(height(tree.root)).toBeLessThan(4 * Math.log2(NR_ITEMS));
    for (let i = 0; i < NR_ITEMS; i++) if (i % 16 !== 0) tree.delete(itemOf(i));
    expect(tree.root?.summary).toBe(NR_ITEMS / 16);
    expect(height(tree.root)).toBeLessThan(4 * Math.log2(NR_ITEMS / 16));
  });

  test("refuses to delete or refresh what it does not hold", () => {
    const tree = createTree();
    tree.insert(1);
    expect(() => tree.delete(2)).toThrow("in a tree is deleted");
    expect(() => tree.refresh(2)).toThrow("in a tree is refreshed");
  });
});
