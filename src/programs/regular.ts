/** Programs with one step between all their references. */
import { KIND_READ } from "../../assembly/layout.ts";
import { DATA_BASE, type Algorithm, defineProgram, rangesBelow } from "./program.ts";

/**
 * Loads of 8 bytes, each `step` bytes (a multiple of 8) after the last; at the end, from the start.
 */
function loadsEvery(step: number): Algorithm {
  return function* (sink, { bytes }) {
    const nrSteps = Math.ceil((bytes - 7) / step);
    for (;;) {
      for (const [from, end] of rangesBelow(nrSteps)) {
        for (let i = from; i < end; i++) sink.refer(DATA_BASE + i * step, KIND_READ, 8);
        yield;
      }
    }
  };
}

/** A scan of an array. */
export const sequential = defineProgram(
  { name: "sequential", title: "loads of 8 bytes, one after the other" },
  loadsEvery(8),
);

/**
 * What a TLB likes least of all regular steps: each on a page of its own, in another cache line.
 */
export const stride = defineProgram(
  { name: "stride", title: "a load each 4096 + 64 bytes" },
  loadsEvery(4096 + 64),
);
