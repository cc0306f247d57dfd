/** LRU stack distances: time a reference, beside the same algorithm on typed arrays. */
import { StackDistances } from "../src/tlb/stack-distances.ts";
import { BATCH, VIRTUAL_BASE, createRandom } from "./addresses.ts";
import { type Case, type Effort, WrongResult, measure } from "./measure.ts";
import { type Report, atMost, formatRatio, formatTiming, timingOf } from "./report.ts";
import { TypedArrayStack } from "./yardstick/typed-array-stack.ts";

interface Pattern {
  readonly name: string;
  /** 4K pages that loads are random over. */
  readonly nrPages: number;
  /** Nanoseconds a reference. */
  readonly goal: number;
}

const PATTERNS: readonly Pattern[] = [
  { name: "random over 1,000 pages", nrPages: 1000, goal: 40 },
  { name: "random over 1,000,000 pages", nrPages: 1_000_000, goal: 90 },
];
const MAX_ENTRIES = 65536;
/** Before the pattern comes again: far more references than entries. */
const NR_BATCHES = 32;

interface Subject {
  readonly name: string;
  replay(words: BigUint64Array): void;
  /** Of TLBs of 1 to MAX_ENTRIES. */
  misses(): readonly number[];
}

export async function benchStackDistances(effort: Effort): Promise<Report> {
  for (const pattern of PATTERNS) compareMisses(pattern);
  const cases = PATTERNS.flatMap((pattern) => {
    return subjects().map((subject) => caseOf(pattern, subject));
  });
  const timings = await measure("stack distances", cases, effort);
  const rows = PATTERNS.map((pattern) => {
    const [wasm, typedArrays] = subjects().map(({ name }) => {
      return timingOf(timings, nameOf(pattern, name));
    });
    return { pattern, wasm, typedArrays };
  });
  return {
    title: `Stack distances (loads, 4K pages, TLBs of 1 to ${MAX_ENTRIES} entries)`,
    notes: ["ns a reference, best (median)"],
    columns: ["wasm", "typed arrays", "to wasm"],
    rows: rows.map(({ pattern, wasm, typedArrays }) => [
      pattern.name,
      formatTiming(wasm),
      formatTiming(typedArrays),
      formatRatio(typedArrays, wasm),
    ]),
    goals: rows.map(({ pattern, wasm }) => {
      return atMost(`stack distances, ${pattern.name}`, wasm.best, pattern.goal, " ns");
    }),
  };
}

function nameOf({ name }: Pattern, subject: string): string {
  return `${name}, ${subject}`;
}

function subjects(): readonly Subject[] {
  return [wasmSubject(), typedArraySubject()];
}

function wasmSubject(): Subject {
  const distances = new StackDistances({ pageSizes: ["4K"], maxEntries: MAX_ENTRIES });
  return {
    name: "wasm",
    replay: (words) => distances.replayWords(words),
    misses() {
      const curve = distances.curve("4K", "data");
      return Array.from({ length: MAX_ENTRIES }, (_, i) => curve.misses(i + 1));
    },
  };
}

function typedArraySubject(): Subject {
  const stack = new TypedArrayStack(MAX_ENTRIES);
  return {
    name: "typed arrays",
    replay: ({ buffer, byteOffset, length }) => {
      stack.replay(new Uint32Array(buffer, byteOffset, 2 * length));
    },
    misses: () => stack.misses(),
  };
}

/** Batches of loads. */
function batchesOf({ nrPages }: Pattern): readonly BigUint64Array[] {
  const random = createRandom();
  return Array.from({ length: NR_BATCHES }, () => {
    return BigUint64Array.from({ length: BATCH }, () => {
      return BigInt(VIRTUAL_BASE + (random() % nrPages) * 4096);
    });
  });
}

function caseOf(pattern: Pattern, subject: Subject): Case {
  const batches = batchesOf(pattern);
  let nrRuns = 0;
  return {
    name: nameOf(pattern, subject.name),
    items: BATCH,
    run: () => subject.replay(batches[nrRuns++ % NR_BATCHES]),
    check() {
      const [misses] = subject.misses();
      const references = nrRuns * BATCH;
      // Two in turn to one page are rare.
      if (!(misses > references * 0.99 && misses <= references)) {
        throw new WrongResult(`${subject.name}: ${misses} misses of one entry`);
      }
    },
  };
}

/** Both must have computed the same. */
function compareMisses(pattern: Pattern): void {
  const [ours, theirs] = subjects().map((subject) => {
    for (const batch of batchesOf(pattern)) subject.replay(batch);
    return subject.misses();
  });
  const differs = ours.findIndex((misses, i) => misses !== theirs[i]);
  if (differs === -1) return;
  throw new WrongResult(
    `${pattern.name}, ${differs + 1} entries: ${ours[differs]} misses, and ${theirs[differs]}`,
  );
}
