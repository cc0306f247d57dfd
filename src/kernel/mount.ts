/** Mounts of hugetlbfs (fs/hugetlbfs/inode.c: hugetlbfs_parse_param(), hugetlbfs_fill_super()). */
import { PAGE_2M } from "../address.ts";
import type { Permissions } from "./credentials.ts";
import type { Errno } from "./errno.ts";
import type { Hstate } from "./hstate.ts";
import { Inode } from "./hugetlbfs.ts";
import { memparse } from "./memparse.ts";
import type { KernelState } from "./state.ts";
import { Subpool } from "./subpool.ts";

/** What statfs says, -1 where there is no limit. */
export interface Statfs {
  readonly blockBytes: number;
  readonly nrBlocks: number;
  readonly nrFree: number;
  readonly nrFiles: number;
  readonly nrFilesFree: number;
}

interface MountOptions {
  readonly hstate: Hstate;
  /** Pages. */
  readonly max?: number;
  readonly min?: number;
  readonly nrInodes?: number;
  /** Of the root. */
  readonly permissions: Permissions;
}

export class Mount {
  readonly path: string;
  readonly hstate: Hstate;
  readonly subpool: Subpool | undefined;
  /** Of its root. */
  readonly permissions: Permissions;
  /** Its files by name; there are no directories but the root. */
  readonly files = new Map<string, Inode>();
  readonly #inodesMax: number | undefined;
  /** The root is one. */
  #nrInodes = 1;

  constructor(path: string, options: MountOptions, subpool: Subpool | undefined) {
    this.path = path;
    this.hstate = options.hstate;
    this.permissions = options.permissions;
    this.subpool = subpool;
    this.#inodesMax = options.nrInodes;
  }

  /** hugetlbfs_get_inode(): a file without a name; undefined: as many as may be (ENOSPC). */
  tryCreateInode(): Inode | undefined {
    if (this.#inodesMax !== undefined && this.#nrInodes >= this.#inodesMax) return undefined;
    this.#nrInodes++;
    const { subpool } = this;
    return new Inode(this.hstate, 0, { subpool, onDeath: () => this.#nrInodes-- });
  }

  /** Whether a file is open or mapped. */
  get isBusy(): boolean {
    const hasNameless = this.#nrInodes - 1 > this.files.size;
    return hasNameless || [...this.files.values()].some((inode) => inode.isBusy);
  }

  link(name: string, inode: Inode): void {
    inode.get();
    inode.nrLinks++;
    inode.path = `${this.path}/${name}`;
    this.files.set(name, inode);
  }

  unlink(name: string): "ok" | "ENOENT" {
    const inode = this.files.get(name);
    if (!inode) return "ENOENT";
    this.files.delete(name);
    inode.nrLinks--;
    inode.path += " (deleted)";
    inode.put();
    return "ok";
  }

  /** hugetlbfs_statfs(): without a quota, zeros. */
  get statfs(): Statfs {
    const { subpool } = this;
    const blockBytes = this.hstate.pageBytes;
    if (!subpool) return { blockBytes, nrBlocks: 0, nrFree: 0, nrFiles: 0, nrFilesFree: 0 };
    const max = subpool.max ?? -1;
    return {
      blockBytes,
      nrBlocks: max,
      nrFree: max - subpool.used,
      nrFiles: this.#inodesMax ?? -1,
      nrFilesFree: this.#inodesMax === undefined ? -1 : this.#inodesMax - this.#nrInodes,
    };
  }
}

/** The mount points, of which the newest at a path is the one to be seen. */
export class MountTable {
  readonly #mounts: Mount[] = [];

  get isAny(): boolean {
    return this.#mounts.length > 0;
  }

  /** `options` as mount(8) takes them, "pagesize=2M,size=50%". */
  mount({ hstates, profile }: KernelState, path: string, options: string): "ok" | Errno {
    const parsed = parseOptions(hstates, options);
    if (typeof parsed === "string") return parsed;
    const { hstate, max, min } = parsed;
    // Minimum size can not be greater than maximum size.
    if (max !== undefined && min !== undefined && min > max) return "EINVAL";
    // Not even the root is let in.
    if (parsed.nrInodes === 0) return "ENOMEM";
    const hasQuota = max !== undefined || min !== undefined;
    const subpool = hasQuota ? Subpool.tryCreate(hstate, profile, max, min) : undefined;
    if (hasQuota && !subpool) return "ENOMEM";
    this.#mounts.push(new Mount(path, parsed, subpool));
    return "ok";
  }

  /** Options are read, and change nothing: hugetlbfs cannot be reconfigured. */
  remount({ hstates }: KernelState, path: string, options: string): "ok" | Errno {
    if (!this.at(path)) return "ENOENT";
    const parsed = parseOptions(hstates, options);
    return typeof parsed === "string" ? parsed : "ok";
  }

  /** EBUSY while a file of it is open or mapped; its files die with it. */
  umount(path: string): "ok" | Errno {
    const mount = this.at(path);
    if (!mount) return "ENOENT";
    if (mount.isBusy) return "EBUSY";
    for (const name of mount.files.keys()) mount.unlink(name);
    this.#mounts.splice(this.#mounts.indexOf(mount), 1);
    mount.subpool?.unmount();
    return "ok";
  }

  /** The mount at this very path. */
  at(path: string): Mount | undefined {
    return this.#mounts.findLast((mount) => mount.path === path);
  }
}

/** size=, min_size=, pagesize=, nr_inodes=, mode=, uid=, gid=; "rw" is none. */
function parseOptions(hstates: ReadonlyMap<number, Hstate>, text: string): MountOptions | "EINVAL" {
  const given = new Map<string, string>();
  for (const option of text.split(",")) {
    if (option === "rw" || option === "") continue;
    const [, key, value] = /^([a-z_]+)=(.*)$/.exec(option) ?? [];
    if (key === undefined || !isSane(key, value)) return "EINVAL";
    given.set(key, value);
  }
  const pageBytes = given.has("pagesize") ? numberOf(given.get("pagesize") ?? "") : PAGE_2M;
  const hstate = hstates.get(pageBytes);
  if (!hstate) return "EINVAL";
  const [max, min] = ["size", "min_size"].map((key) => toPages(hstate, given.get(key)));
  const nrInodes = given.get("nr_inodes");
  const [uid, gid] = ["uid", "gid"].map((key) => Number(given.get(key) ?? 0));
  return {
    hstate,
    max,
    min,
    nrInodes: nrInodes === undefined ? undefined : numberOf(nrInodes),
    permissions: { uid, gid, mode: parseInt(given.get("mode") ?? "755", 8) },
  };
}

function isSane(key: string, value: string): boolean {
  if (["size", "min_size", "nr_inodes", "pagesize"].includes(key)) return /^\d/.test(value);
  if (key === "mode") return /^[0-7]+$/.test(value);
  return (key === "uid" || key === "gid") && /^\d+$/.test(value);
}

/** hugetlbfs_size_to_hpages(): a percentage is of the pool. */
function toPages(hstate: Hstate, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const { value, rest } = memparse(text);
  if (!rest.startsWith("%")) return Math.floor(Number(value) / hstate.pageBytes);
  const { total, surplus } = hstate.counters;
  return Math.floor((Number(value) * (total - surplus)) / 100);
}

function numberOf(text: string): number {
  return Number(memparse(text).value);
}
