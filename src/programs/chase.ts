/**
 * Pointer chasing: a linked list of all cache lines, in random order, its end linked to its start.
 */
import { KIND_READ } from "../../assembly/layout.ts";
import { Permutation } from "./permutation.ts";
import { DATA_BASE, defineProgram, rangesBelow } from "./program.ts";
import { Xoshiro128 } from "./xoshiro.ts";

const LINE_BYTES = 64;

/** The pointer is the first word of a line; the rest of it is not looked at. */
export const chase = defineProgram(
  { name: "chase", title: "pointer chasing along a random cycle through all cache lines" },
  function* (sink, { bytes, seed }) {
    const nrLines = Math.floor(bytes / LINE_BYTES);
    const order = new Permutation(nrLines, Xoshiro128.fromSeed(seed));
    for (;;) {
      for (const [from, end] of rangesBelow(nrLines)) {
        for (let i = from; i < end; i++) {
          sink.refer(DATA_BASE + order.at(i) * LINE_BYTES, KIND_READ, 8);
        }
        yield;
      }
    }
  },
);
