/** Programs all of whose words are as likely at any time. */
import { KIND_READ, KIND_WRITE } from "../../assembly/layout.ts";
import { DATA_BASE, ROUNDS, defineProgram } from "./program.ts";
import { Xoshiro128 } from "./xoshiro.ts";

export const random = defineProgram(
  { name: "random", title: "loads of 8 bytes, uniformly random" },
  function* (sink, { bytes, seed }) {
    const random = Xoshiro128.fromSeed(seed);
    const nrWords = Math.floor(bytes / 8);
    for (;;) {
      for (let i = 0; i < ROUNDS; i++) {
        sink.refer(DATA_BASE + random.below(nrWords) * 8, KIND_READ, 8);
      }
      yield;
    }
  },
);

/**
 * RandomAccess of the HPC Challenge: `table[r] ^= r`. Here r is uniformly random; there it comes
 * from 128 shift registers in turn, and the table's words are a power of two.
 */
export const gups = defineProgram(
  { name: "gups", title: "HPCC RandomAccess: a random word is loaded, changed and stored" },
  function* (sink, { bytes, seed }) {
    const random = Xoshiro128.fromSeed(seed);
    const nrWords = Math.floor(bytes / 8);
    for (;;) {
      for (let i = 0; i < ROUNDS; i++) {
        const address = DATA_BASE + random.below(nrWords) * 8;
        sink.refer(address, KIND_READ, 8);
        sink.refer(address, KIND_WRITE, 8);
      }
      yield;
    }
  },
);
