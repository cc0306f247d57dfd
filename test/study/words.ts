/** Traces as words, made for tests. */
import { Random } from "../../src/fuzz/random.ts";
import { WordBuffer } from "../../src/trace/word-buffer.ts";
import { appendStep } from "../tlb/both-models.ts";
import { randomTrace, type Step } from "../tlb/random-trace.ts";

/** Wide accesses, instructions, invalidations and flushes among them; no PCIDs. */
export function randomWords(seed: number, length: number): BigUint64Array {
  return wordsOf(randomTrace(new Random(seed), length));
}

export function wordsOf(steps: readonly Step[]): BigUint64Array {
  const buffer = new WordBuffer(new Uint32Array(2 * (3 * steps.length + 128)));
  for (const step of steps) if (step.does !== "switch") appendStep(buffer, step);
  return buffer.words;
}

/** A load of a byte at each address. */
export function loadsAt(...addresses: readonly number[]): BigUint64Array {
  return wordsOf(
    addresses.map((address) => {
      return { does: "access", kind: "load", address: BigInt(address), nrBytes: 1 };
    }),
  );
}
