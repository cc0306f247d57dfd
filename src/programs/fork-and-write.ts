/**
 * A process that has touched all its memory, forks, and then writes: copy-on-write as its TLB sees
 * it.
 */
import { KIND_WRITE } from "../../assembly/layout.ts";
import { PAGE_SHIFT } from "../tlb/config.ts";
import { Permutation } from "./permutation.ts";
import { DATA_BASE, ROUNDS, defineProgram, rangesBelow } from "./program.ts";
import { Xoshiro128 } from "./xoshiro.ts";

/**
 * The fork takes all rights to write away, and so all translations. Then each page is written to,
 * in random order and at a random word: the write that faults, the page's translation leaves, and
 * the write again. From then on words are written at random. Left out: the touching before, of
 * which the fork leaves nothing in the TLBs; the child; and the kernel's own references, its
 * copying of pages among them.
 */
export const forkAndWrite = defineProgram(
  {
    name: "fork-and-write",
    title: "a fork, then a first write to each page, then random writes",
    dependsOnPageSize: true,
  },
  function* (sink, { bytes, seed, pageSize }) {
    const random = Xoshiro128.fromSeed(seed);
    const pageBytes = 2 ** PAGE_SHIFT[pageSize];
    const nrWords = Math.floor(bytes / 8);
    const nrWordsOfPage = pageBytes / 8;
    const nrPages = Math.ceil(nrWords / nrWordsOfPage);
    const order = new Permutation(nrPages, random);
    sink.flush();
    for (const [from, end] of rangesBelow(nrPages)) {
      for (let i = from; i < end; i++) {
        const first = order.at(i) * nrWordsOfPage;
        const word = first + random.below(Math.min(nrWordsOfPage, nrWords - first));
        sink.refer(DATA_BASE + word * 8, KIND_WRITE, 8);
        sink.invalidate(DATA_BASE + first * 8, pageBytes);
        sink.refer(DATA_BASE + word * 8, KIND_WRITE, 8);
      }
      yield;
    }
    for (;;) {
      for (let i = 0; i < ROUNDS; i++) {
        sink.refer(DATA_BASE + random.below(nrWords) * 8, KIND_WRITE, 8);
      }
      yield;
    }
  },
);
