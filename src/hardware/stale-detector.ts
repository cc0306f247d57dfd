/**
 * The stale-translation detector: before each single access, what the TLB or a structure cache
 * would serve is compared with what the tables say. A use of a translation that software should
 * have invalidated is reported. Rights that the tables have only extended are no error: the
 * processor walks again where a cached right is missing (SDM Vol. 3A §4.10.2.3).
 */
import { RIGHTS_U, RIGHTS_W, RIGHTS_X, TRANSLATION_LEVEL } from "../../assembly/layout.ts";
import type { Core } from "../core.ts";
import type { AccessKind } from "./access-kind.ts";
import type { Cpu } from "./cpu.ts";
import { type WalkStep, traceWalk } from "./inspect.ts";
import { linearAddress } from "./linear-address.ts";
import type { Ram } from "./ram.ts";

export interface StaleUse {
  readonly address: bigint;
  /** Index of the CPU. */
  readonly cpu: number;
  readonly cache: "TLB" | "structure cache";
  /** What has changed: `unmapped`, another frame, another page size, or rights taken away. */
  readonly change: string;
  /** The entries that the address goes through now. */
  readonly walk: readonly WalkStep[];
  /** Number of the access that uses it, and of the one that was last seen to be right; from 1. */
  readonly access: number;
  readonly lastRight: number;
}

const ADDRESS_MASK = 0x000f_ffff_ffff_f000n;
const RIGHTS = [
  [RIGHTS_W, "write"],
  [RIGHTS_U, "user"],
  [RIGHTS_X, "execute"],
] as const;

export class StaleDetector {
  readonly #core: Core;
  readonly #ram: Ram;
  readonly #report: (use: StaleUse) => void;
  /** By CPU and page: the last access at which what was cached was right. */
  readonly #lastRight = new Map<string, number>();
  #nrAccesses = 0;

  constructor(core: Core, ram: Ram, report: (use: StaleUse) => void) {
    this.#core = core;
    this.#ram = ram;
    this.#report = report;
  }

  /** Called before an access of `cpu`. */
  before(cpu: Cpu, pointer: number | bigint, kind: AccessKind): void {
    this.#nrAccesses++;
    const topLevel = (cpu.cr4 >> 12n) & 1n ? 5 : 4;
    const address = linearAddress(cpu, pointer, kind);
    const root = Number(cpu.cr3 & ADDRESS_MASK);
    const walk = traceWalk(this.#ram, root, address, topLevel);
    const key = `${cpu.index} ${address >> 12n}`;
    const use = this.#staleTlb(cpu, address, walk) ?? this.#staleStructure(cpu, address, walk);
    if (!use) {
      this.#lastRight.set(key, this.#nrAccesses);
      return;
    }
    this.#report({
      address: BigInt.asUintN(64, address),
      cpu: cpu.index,
      ...use,
      walk,
      access: this.#nrAccesses,
      lastRight: this.#lastRight.get(key) ?? 0,
    });
  }

  #staleTlb(
    cpu: Cpu,
    address: bigint,
    walk: readonly WalkStep[],
  ): { readonly cache: "TLB"; readonly change: string } | undefined {
    const cached = BigInt.asUintN(64, this.#core.exports.peek64(cpu.linearAddress, address));
    if (cached === 0n) return undefined;
    const found = (change: string) => ({ cache: "TLB", change }) as const;
    const leaf = walk[walk.length - 1];
    if (!(leaf.entry & 1n)) return found("unmapped");
    const level = Number((cached >> BigInt(TRANSLATION_LEVEL)) & 7n);
    if (level !== leaf.level) return found(`a page of level ${level} is one of ${leaf.level}`);
    const mask = ADDRESS_MASK & ~((1n << BigInt(12 + 9 * (level - 1))) - 1n);
    const frame = leaf.entry & mask;
    if ((cached & mask) !== frame) {
      return found(`frame 0x${(cached & mask).toString(16)} is 0x${frame.toString(16)}`);
    }
    const rights = combinedRights(walk);
    const lost = RIGHTS.filter(([bit]) => Number(cached) & bit && !(rights & bit));
    return lost.length > 0
      ? found(`no right to ${lost.map(([, name]) => name).join(", ")}`)
      : undefined;
  }

  #staleStructure(
    cpu: Cpu,
    address: bigint,
    walk: readonly WalkStep[],
  ): { readonly cache: "structure cache"; readonly change: string } | undefined {
    const { exports } = this.#core;
    // What the TLB serves asks no structure cache.
    if (exports.peek64(cpu.linearAddress, address) !== 0n) return undefined;
    const level = exports.peekStructure64(cpu.linearAddress, address);
    if (level === 0) return undefined;
    const step = walk.find((entry) => entry.level === level);
    const table = exports.peekedTable();
    const isSame = step && step.entry & 1n && Number(step.entry & ADDRESS_MASK) === table;
    if (isSame) return undefined;
    const now = step && step.entry & 1n ? `0x${(step.entry & ADDRESS_MASK).toString(16)}` : "none";
    return {
      cache: "structure cache",
      change: `the level-${level} entry's table 0x${table.toString(16)} is ${now}`,
    };
  }
}

/** W, U and X of all levels; the walk ends in a present leaf. */
function combinedRights(walk: readonly WalkStep[]): number {
  const all = (bit: bigint): boolean => walk.every(({ entry }) => ((entry >> bit) & 1n) === 1n);
  const isNoExecute = walk.some(({ entry }) => entry >> 63n === 1n);
  return (all(1n) ? RIGHTS_W : 0) | (all(2n) ? RIGHTS_U : 0) | (isNoExecute ? 0 : RIGHTS_X);
}
