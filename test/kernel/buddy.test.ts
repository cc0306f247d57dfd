/** The buddy allocator against a list of who holds what. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { PAGE_4K } from "../../src/address.ts";
import { Buddy } from "../../src/kernel/buddy.ts";

const NR_FRAMES = 1024;
const START = 3 * PAGE_4K;
const END = NR_FRAMES * PAGE_4K;

test("no frame is given twice, and none is lost", () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 5 }), fc.nat()), {
    maxLength: 500,
    size: "max",
  });
  fc.assert(
    fc.property(steps, (list) => {
      const buddy = new Buddy(START, END);
      const held: { readonly block: number; readonly order: number }[] = [];
      const owned = new Set<number>();
      const framesOf = (block: number, order: number) =>
        Array.from({ length: 2 ** order }, (_, i) => block + i * PAGE_4K);
      const free = (index: number): void => {
        const [{ block, order }] = held.splice(index, 1);
        buddy.free(block, order);
        for (const frame of framesOf(block, order)) owned.delete(frame);
      };
      for (const [allocates, order, which] of list) {
        const block = allocates ? buddy.allocate(order) : undefined;
        if (block !== undefined) {
          expect(block % (PAGE_4K * 2 ** order)).toBe(0);
          expect(block).toBeGreaterThanOrEqual(START);
          for (const frame of framesOf(block, order)) {
            expect(frame < END && !owned.has(frame)).toBe(true);
            owned.add(frame);
          }
          held.push({ block, order });
        } else if (held.length > 0) {
          free(which % held.length);
        }
        expect(buddy.freeBytes).toBe(END - START - owned.size * PAGE_4K);
      }
      while (held.length > 0) free(0);
      // All has merged: the largest block that fits is there again.
      expect(buddy.allocate(9)).toBe(512 * PAGE_4K);
    }),
    { numRuns: 100, seed: 3 },
  );
});
