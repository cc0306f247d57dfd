/** A hash join of two relations, without partitioning. */
import { KIND_READ, KIND_WRITE } from "../../assembly/layout.ts";
import { Permutation } from "./permutation.ts";
import { DATA_BASE, defineProgram, rangesBelow } from "./program.ts";
import { Xoshiro128 } from "./xoshiro.ts";

/** Of a key and a value, in the relations and in the table. */
const TUPLE_BYTES = 16;
const KEY_BYTES = 8;
/**
 * For each tuple of the build side: slots of the table, which is half full, and tuples to probe.
 */
const SLOTS = 2;
const PROBES = 4;

/**
 * Build side, table and probe side lie one behind the other. The build reads its tuples in order,
 * and for each the key in a slot, which is free, and writes the tuple there. The probe reads its
 * tuples in order, each with a uniformly random key of the build side, and that key's slot. Four
 * probes a tuple are TPC-H's line items an order. Left out: collisions, and what is done with the
 * result.
 */
export const hashJoin = defineProgram(
  { name: "hash-join", title: "a hash table is built from one relation and probed by another" },
  function* (sink, { bytes, seed }) {
    const random = Xoshiro128.fromSeed(seed);
    const nrTuples = Math.floor(bytes / (TUPLE_BYTES * (1 + SLOTS + PROBES)));
    const slotOf = new Permutation(nrTuples * SLOTS, random);
    const table = DATA_BASE + nrTuples * TUPLE_BYTES;
    const probed = table + nrTuples * SLOTS * TUPLE_BYTES;
    for (;;) {
      for (const [from, end] of rangesBelow(nrTuples)) {
        for (let i = from; i < end; i++) {
          const slot = table + slotOf.at(i) * TUPLE_BYTES;
          sink.refer(DATA_BASE + i * TUPLE_BYTES, KIND_READ, TUPLE_BYTES);
          sink.refer(slot, KIND_READ, KEY_BYTES);
          sink.refer(slot, KIND_WRITE, TUPLE_BYTES);
        }
        yield;
      }
      for (const [from, end] of rangesBelow(nrTuples * PROBES)) {
        for (let i = from; i < end; i++) {
          const slot = table + slotOf.at(random.below(nrTuples)) * TUPLE_BYTES;
          sink.refer(probed + i * TUPLE_BYTES, KIND_READ, TUPLE_BYTES);
          sink.refer(slot, KIND_READ, TUPLE_BYTES);
        }
        yield;
      }
    }
  },
);
