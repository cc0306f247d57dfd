/**
 * Random accesses with what programs do: few pages again and again, neighbours, far ones, PCIDs.
 */
import type { Random } from "../../src/fuzz/random.ts";
import {
  PAGE_SHIFT,
  REFERENCE_KINDS,
  type PageSize,
  type ReferenceKind,
} from "../../src/tlb/config.ts";

export interface Access {
  readonly address: bigint;
  readonly kind: ReferenceKind;
  readonly nrBytes: number;
  /** A switch before it. */
  readonly pcid?: number;
}

const TOP = 2n ** 48n;

export function randomTrace(random: Random, length = 600): Access[] {
  const shift = random.pick([12, 12, 21, 30, 39]);
  const nrPages = random.pick([3, 10, 40, 200]);
  const switches = random.chance(30) ? 3 : 0;
  const base = random.chance(20) ? TOP - 2n ** 13n : BigInt(random.below(2 ** 20)) << 20n;
  let page = 0;
  return Array.from({ length }, (): Access => {
    if (random.chance(60)) page = random.chance(20) ? page + 1 : random.below(nrPages);
    const offset = random.chance(15) ? 4096 - random.between(1, 15) : random.below(4096 - 16);
    const address = (base + (BigInt(page) << BigInt(shift)) + BigInt(offset)) % TOP;
    return {
      address,
      kind: random.pick(REFERENCE_KINDS),
      nrBytes: random.between(1, 16),
      ...(random.chance(switches) && { pcid: random.below(5) }),
    };
  });
}

/** An address in each page that the access touches. */
export function pagesOf({ address, nrBytes }: Access, pageSize: PageSize): bigint[] {
  const last = (address + BigInt(nrBytes - 1)) % TOP;
  const shift = BigInt(PAGE_SHIFT[pageSize]);
  return address >> shift === last >> shift ? [address] : [address, last];
}
