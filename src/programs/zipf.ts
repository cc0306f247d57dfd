/** A key-value store in memory, some of whose keys are asked for far more often than others. */
import { KIND_READ } from "../../assembly/layout.ts";
import { Permutation } from "./permutation.ts";
import { DATA_BASE, ROUNDS, defineProgram } from "./program.ts";
import { Xoshiro128 } from "./xoshiro.ts";
import { ZipfSampler } from "./zipf-sampler.ts";

const VALUE_BYTES = 1024;
const BUCKET_BYTES = 8;
const LOAD_BYTES = 16;

/**
 * The values, 1 KiB each, and behind them a hash table of a pointer a key. A look-up loads its
 * key's bucket and then the whole value, 16 bytes a load. Where a key's bucket and value lie has
 * nothing to do with how popular it is. Left out: collisions, the keys' own bytes, and where the
 * value is copied to.
 */
export const zipf = defineProgram(
  { name: "zipf", title: "key-value look-ups, Zipf-distributed (0.99), of values of 1 KiB" },
  function* (sink, { bytes, seed }) {
    const random = Xoshiro128.fromSeed(seed);
    const nrKeys = Math.floor(bytes / (VALUE_BYTES + BUCKET_BYTES));
    const table = DATA_BASE + nrKeys * VALUE_BYTES;
    const bucketOf = new Permutation(nrKeys, random);
    const valueOf = new Permutation(nrKeys, random);
    const ranks = new ZipfSampler(nrKeys, random);
    for (;;) {
      for (let i = 0; i < ROUNDS; i += VALUE_BYTES / LOAD_BYTES) {
        const key = ranks.next() - 1;
        sink.refer(table + bucketOf.at(key) * BUCKET_BYTES, KIND_READ, BUCKET_BYTES);
        const value = DATA_BASE + valueOf.at(key) * VALUE_BYTES;
        for (let offset = 0; offset < VALUE_BYTES; offset += LOAD_BYTES) {
          sink.refer(value + offset, KIND_READ, LOAD_BYTES);
        }
      }
      yield;
    }
  },
);
