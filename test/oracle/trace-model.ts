/** What a trace does to a processor whose pages a policy gives, slowly: one page after another. */
import {
  ADDRESS_BITS,
  type PageSize,
  type Processor,
  type ReferenceKind,
} from "../../src/tlb/config.ts";
import type { PagePolicy } from "../../src/tlb/page-policy.ts";
import type { InstructionCounts, RegionCounts } from "../../src/tlb/tally.ts";
import { PagesModel } from "./page-policy.ts";
import { PAGE_BYTES } from "./tlb-array.ts";
import { TlbModel } from "./tlb-model.ts";

export interface Access {
  /** Bits 0 to 47 count, of `instruction` too. */
  readonly address: bigint;
  readonly kind: ReferenceKind;
  readonly nrBytes: number;
  /** Which one makes it; without, the last one fetched, if there is one. */
  readonly instruction?: bigint;
}

interface Tally {
  walks: number;
  walkCycles: number;
}

export class TraceModel {
  readonly tlbs: TlbModel;
  pcid = 0;
  readonly #pages: PagesModel;
  readonly #regions = new Map<number, Tally & { readonly touched: Set<number> }>();
  readonly #instructions = new Map<number, Tally>();
  #time = 0;
  #fetched = 0;

  constructor(processor: Processor, policy: PagePolicy) {
    this.tlbs = new TlbModel(processor);
    this.#pages = new PagesModel(policy);
  }

  access({ address, kind, nrBytes, instruction }: Access): void {
    let at = truncate(address);
    if (kind === "fetch") this.#fetched = at;
    const by =
      kind === "fetch" || instruction === undefined ? this.#fetched : truncate(instruction);
    for (let left = nrBytes; left > 0;) {
      const { pageSize, hasCollapsed } = this.#pages.refer(at, this.#time);
      if (hasCollapsed) this.#drop2M(at);
      this.#refer(at, kind, pageSize, by);
      const rest = PAGE_BYTES[pageSize] - (at % PAGE_BYTES[pageSize]);
      left -= rest;
      at = (at + rest) % 2 ** ADDRESS_BITS;
    }
    this.#time++;
  }

  /** The current PCID is resident from now on, without a reference. */
  enter(): void {
    this.tlbs.enter(this.pcid);
  }

  /** Of the current PCID, what translates any of these bytes leaves. */
  invalidate(address: bigint, nrBytes: number): void {
    const from = truncate(address);
    this.tlbs.invalidate(from, from + nrBytes, this.pcid);
  }

  flush(): void {
    this.tlbs.flush(this.pcid);
  }

  /** Those that were walked to, by address. */
  get regions(): RegionCounts[] {
    return [...this.#regions]
      .toSorted(([a], [b]) => a - b)
      .map(([region, { walks, walkCycles, touched }]) => {
        return {
          address: region * PAGE_BYTES["2M"],
          walks,
          walkCycles,
          touchedPages: touched.size,
        };
      });
  }

  /** Those that made walks, by address. */
  get instructions(): InstructionCounts[] {
    return [...this.#instructions]
      .toSorted(([a], [b]) => a - b)
      .map(([address, { walks, walkCycles }]) => ({ address, walks, walkCycles }));
  }

  #refer(at: number, kind: ReferenceKind, pageSize: PageSize, by: number): void {
    const walkCycles = this.tlbs.refer({ address: at, kind, pageSize, pcid: this.pcid });
    if (walkCycles === undefined) return;
    const region = Math.floor(at / PAGE_BYTES["2M"]);
    const ofRegion = this.#regions.get(region) ?? { walks: 0, walkCycles: 0, touched: new Set() };
    this.#regions.set(region, ofRegion);
    if (pageSize === "4K") ofRegion.touched.add(Math.floor(at / PAGE_BYTES["4K"]));
    const ofInstruction = this.#instructions.get(by) ?? { walks: 0, walkCycles: 0 };
    this.#instructions.set(by, ofInstruction);
    for (const tally of [ofRegion, ofInstruction]) {
      tally.walks++;
      tally.walkCycles += walkCycles;
    }
  }

  /** A region becomes one page. */
  #drop2M(at: number): void {
    const from = at - (at % PAGE_BYTES["2M"]);
    this.tlbs.invalidate(from, from + PAGE_BYTES["2M"]);
  }
}

function truncate(address: bigint): number {
  return Number(BigInt.asUintN(ADDRESS_BITS, address));
}
