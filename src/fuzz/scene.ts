/**
 * What a random script has done so far, as far as it matters for the next line to make sense: who
 * lives, and which names there are. It is a guess: whether a line succeeded is not known.
 */
import { PAGE_2M } from "../address.ts";
import type { Random } from "./random.ts";

export interface Mapping {
  readonly name: string;
  /** Length, in pages of `unit`. */
  readonly pages: number;
  /** The suffix of its page: 2M or 1G. Memory of 4K pages is measured in 2M as well. */
  readonly unit: "h" | "g";
  readonly kind: "private" | "shared" | "small";
  /** Whether it is surrounded by nothing but what the script maps. */
  readonly isInArena: boolean;
}

export interface OpenFile {
  readonly fd: string;
  readonly isHuge: boolean;
  /** Its length in pages of 2M, as far as the script knows. */
  pages: number;
}

export interface Actor {
  readonly name: string;
  readonly mappings: Mapping[];
  readonly files: OpenFile[];
  readonly pipes: string[];
  readonly pins: string[];
  readonly userfaults: string[];
  readonly children: string[];
  /** Resources that it or an ancestor has limited. */
  readonly limits: string[];
  /** Since setuid: not root any more. */
  isUser: boolean;
  /** Since mlockall. */
  hasLockedAll: boolean;
}

export interface SceneOptions {
  /** Most pages of a mapping, a touch or a file. */
  readonly maxPages: number;
  /** Nothing that harms a kernel which is needed afterwards: no mremap of private memory. */
  readonly isSafe: boolean;
  /** Whether 1G pages are used. */
  readonly hasGigantic: boolean;
}

/** Few of each, so that they meet. */
export const MOST_ACTORS = 4;
const MOST_MAPPINGS = 4;
const MOST_FILES = 3;

/** Addresses that nothing but the script uses. */
const ARENA = 0x10_0000_0000;
const ARENA_PAGES = 12;

export class Scene {
  readonly random: Random;
  readonly options: SceneOptions;
  readonly actors: Actor[] = [];
  readonly mounts: string[] = [];
  readonly paths: string[] = [];
  readonly segments: string[] = [];
  readonly cgroups: string[] = [];
  readonly #nrNames = new Map<string, number>();

  constructor(random: Random, options: SceneOptions) {
    this.random = random;
    this.options = options;
  }

  /** `m0`, `m1`, … */
  newName(prefix: string): string {
    const n = this.#nrNames.get(prefix) ?? 0;
    this.#nrNames.set(prefix, n + 1);
    return `${prefix}${n}`;
  }

  spawn(name: string): Actor {
    const actor = {
      name,
      mappings: [],
      files: [],
      pipes: [],
      pins: [],
      userfaults: [],
      children: [],
      limits: [],
      isUser: false,
      hasLockedAll: false,
    };
    this.actors.push(actor);
    return actor;
  }

  fork(parent: Actor, name: string): void {
    const { mappings, files, pipes } = parent;
    const inherited = {
      mappings: [...mappings],
      files: files.map((file) => ({ ...file })),
      pipes: [...pipes],
      limits: [...parent.limits],
      isUser: parent.isUser,
    };
    Object.assign(this.spawn(name), inherited);
    parent.children.push(name);
  }

  end(actor: Actor): void {
    this.actors.splice(this.actors.indexOf(actor), 1);
  }

  addMapping(actor: Actor, mapping: Mapping): void {
    if (actor.mappings.length >= MOST_MAPPINGS) {
      actor.mappings.splice(this.random.below(MOST_MAPPINGS), 1);
    }
    actor.mappings.push(mapping);
  }

  addFile(actor: Actor, file: OpenFile): void {
    if (actor.files.length >= MOST_FILES) actor.files.splice(this.random.below(MOST_FILES), 1);
    actor.files.push(file);
  }

  // ---- Arguments

  /** Pages of a mapping or a file; mostly few. */
  pages(): number {
    return 1 + this.#few(this.options.maxPages);
  }

  /** Pages of a pool: mostly too few. */
  poolPages(): number {
    return this.#few(9);
  }

  /** An integer of 0 to n - 1, small ones more often. */
  #few(n: number): number {
    return Math.min(this.random.below(n), this.random.below(n));
  }

  /** A page of a mapping, `m0+1h`. */
  pageOf(mapping: Mapping): string {
    const page = this.random.below(mapping.pages);
    return page === 0 ? mapping.name : `${mapping.name}+${page}${mapping.unit}`;
  }

  page(actor: Actor): string | undefined {
    const mapping = this.random.tryPick(actor.mappings);
    return mapping && this.pageOf(mapping);
  }

  /** Where an access goes: mostly a page's first bytes. */
  address(actor: Actor): string | undefined {
    const page = this.page(actor);
    if (page === undefined || !this.random.chance(10)) return page;
    return `${page}+${this.random.pick(["8", "1p", "100", "2097144"])}`;
  }

  /**
   * `ADDR LEN` in a mapping; now and then unaligned, empty or beyond it where that harms nobody.
   */
  range(actor: Actor): string | undefined {
    const mapping = this.random.tryPick(actor.mappings);
    return mapping && this.rangeOf(mapping);
  }

  rangeOf(mapping: Mapping): string {
    const { random } = this;
    const { name, pages, unit, isInArena } = mapping;
    const from = random.chance(60) ? 0 : random.below(pages);
    const rest = pages - from + (isInArena && random.chance(15) ? 1 : 0);
    const nr = random.chance(50) ? rest : random.between(1, rest);
    const start = from === 0 ? name : `${name}+${from}${unit}`;
    if (random.chance(4)) return `${start}+1p ${nr > 1 ? `${nr - 1}${unit}` : "1p"}`;
    if (random.chance(4)) return `${start} ${random.pick(["0", "1p", "1h+1p", "4097"])}`;
    return `${start} ${nr}${unit}`;
  }

  /** An address, aligned to 2M, that no kernel chooses by itself. */
  arenaAddress(): string {
    const address = ARENA + this.random.below(ARENA_PAGES) * PAGE_2M;
    return `0x${address.toString(16)}`;
  }

  value(): number {
    return this.random.between(1, 99);
  }
}
