/**
 * Random traces with what programs do: few pages again and again, neighbours, far ones, wide
 * accesses, PCIDs; and what kernels do in between.
 */
import type { Random } from "../../src/fuzz/random.ts";
import { REFERENCE_KINDS } from "../../src/tlb/config.ts";
import { LARGEST_PLAIN_SIZE, LARGEST_SIZE } from "../../src/trace/reference.ts";
import type { Access } from "../oracle/trace-model.ts";

export type Step =
  | ({ readonly does: "access" } & Access)
  | { readonly does: "switch"; readonly pcid: number }
  | ({ readonly does: "invalidate"; readonly address: bigint; readonly nrBytes: number } & Told)
  | ({ readonly does: "flush" } & Told);

interface Told {
  /** By a word of the trace; else by a call. */
  readonly isWord?: boolean;
}

const TOP = 2n ** 48n;

export function randomTrace(random: Random, length = 600): Step[] {
  const nextAddress = randomAddresses(random);
  const ofSome = (percentOfTraces: number, percent: number) =>
    random.chance(percentOfTraces) ? percent : 0;
  const percents = {
    wide: ofSome(30, 10),
    instruction: ofSome(30, 30),
    switch: ofSome(30, 3),
    invalidate: ofSome(30, 4),
    flush: ofSome(20, 1),
  };
  return Array.from({ length }, (): Step => {
    if (random.chance(percents.switch)) return { does: "switch", pcid: random.below(5) };
    if (random.chance(percents.flush)) return { does: "flush", isWord: random.chance(50) };
    const address = nextAddress();
    if (random.chance(percents.invalidate)) {
      const nrBytes = random.pick([1, 4096, 2 ** 14, 2 ** 21, 2 ** 31]);
      return {
        does: "invalidate",
        address,
        nrBytes: Math.min(nrBytes, Number(TOP - address)),
        isWord: random.chance(50),
      };
    }
    const isWide = random.chance(percents.wide);
    const most = isWide
      ? random.chance(2)
        ? LARGEST_SIZE
        : random.pick([100, 10_000])
      : LARGEST_PLAIN_SIZE;
    return {
      does: "access",
      address: random.chance(1) ? address | (0x1ffn << 48n) : address,
      kind: random.pick(REFERENCE_KINDS),
      nrBytes: random.between(1, most),
      ...(random.chance(percents.instruction) && { instruction: BigInt(random.below(9)) << 46n }),
    };
  });
}

/** Pages of 4K: neighbours, or dealt out to few of a larger size, or all of these. */
function randomAddresses(random: Random): () => bigint {
  const shifts = random.pick([[12], [12], [21], [30], [39], [12, 21], [12, 21, 30]]);
  const nrPages = random.pick([3, 10, 40, 200, 700]);
  const base = random.chance(20) ? TOP - 2n ** 13n : BigInt(random.below(2 ** 20)) << 20n;
  let page = 0n;
  const randomPage = () => {
    return shifts.reduce(
      (sum, shift) => sum + (BigInt(random.below(nrPages)) << BigInt(shift)),
      0n,
    );
  };
  return () => {
    if (random.chance(60)) {
      page = random.chance(20) ? page + (1n << BigInt(shifts[0])) : randomPage();
    }
    const offset = random.chance(15) ? 4096 - random.between(1, 15) : random.below(4096 - 16);
    return (base + page + BigInt(offset)) % TOP;
  };
}
