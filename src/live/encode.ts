/**
 * Operations of a process as the words of a request: C's constants are known here and nowhere
 * else. Bits are those of x86-64 Linux.
 */
import { OptionError } from "../errors.ts";
import type {
  FallocateMode,
  MapFlag,
  OpenFlag,
  ProcessOperation,
  Protection,
} from "../transcript/driver.ts";

type Words = readonly (string | number | bigint)[];

/** As many as the agent has room for. */
const MOST_NAMES = 1024;

/** Numbers for a script's names; and what the kernel calls its segments. */
export class Names {
  readonly #numbers = new Map<string, number>();
  readonly #segments = new Map<string, number>();

  number(name: string): number {
    const number = this.#numbers.get(name) ?? this.#numbers.size;
    if (number === MOST_NAMES)
      throw new OptionError("names", `more than ${MOST_NAMES} in a script`);
    this.#numbers.set(name, number);
    return number;
  }

  bindSegment(name: string, id: number): void {
    this.#segments.set(name, id);
  }

  /** -1, which no segment has, before there is one. */
  segment(name: string): number {
    return this.#segments.get(name) ?? -1;
  }
}

const MAP_BITS: Readonly<Record<MapFlag, number>> = {
  shared: 0x1,
  private: 0x2,
  shared_validate: 0x3,
  fixed: 0x10,
  anon: 0x20,
  "32bit": 0x40,
  growsdown: 0x100,
  locked: 0x2000,
  noreserve: 0x4000,
  populate: 0x8000,
  nonblock: 0x10000,
  stack: 0x20000,
  huge: 0x40000,
  fixed_noreplace: 0x100000,
};

const MREMAP_BITS = { maymove: 1, fixed: 2, dontunmap: 4 };

const ADVICES: Readonly<Record<string, number>> = {
  random: 1,
  sequential: 2,
  willneed: 3,
  dontneed: 4,
  free: 8,
  remove: 9,
  dontfork: 10,
  dofork: 11,
  mergeable: 12,
  hugepage: 14,
  nohugepage: 15,
  dontdump: 16,
  dodump: 17,
  wipeonfork: 18,
  keeponfork: 19,
  cold: 20,
  pageout: 21,
  populate_read: 22,
  populate_write: 23,
  dontneed_locked: 24,
  collapse: 25,
  hwpoison: 100,
  soft_offline: 101,
  guard_install: 102,
};

const MSYNC_BITS = { async: 1, inval: 2, sync: 4 };
const MLOCKALL_BITS = { current: 1, future: 2, onfault: 4 };
const RESOURCES = { fsize: 1, data: 2, memlock: 8, as: 9 };
const POLICIES = { default: 0, preferred: 1, bind: 2, interleave: 3, local: 4, preferred_many: 5 };
const SHM = { hugetlb: 0o4000, noreserve: 0o10000, mode: 0o600, rdonly: 0o10000, rnd: 0o20000 };
const OPEN_BITS: Readonly<Record<OpenFlag, number>> = {
  rdonly: 0,
  creat: 0o100,
  trunc: 0o1000,
  tmpfile: 0o20200000,
};
const O_RDWR = 2;
const FALLOCATE_BITS: Readonly<Record<FallocateMode, number>> = {
  alloc: 0,
  keep: 1,
  punchonly: 2,
  punch: 3,
  collapse: 8,
  zero: 16,
};
const MFD = { sealable: 2, hugetlb: 4 };
const UFFD_REGISTER_BITS = { missing: 1, wp: 2, minor: 4 };
const UFFD_COPY_WP = 2;
const UFFD_CONTINUE_WP = 2;
const UFFD_WRITEPROTECT = 1;

function protectionBits({ read, write, execute }: Protection): number {
  return (read ? 1 : 0) + (write ? 2 : 0) + (execute ? 4 : 0);
}

function union<W extends string>(words: Iterable<W>, bits: Readonly<Record<W, number>>): number {
  let all = 0;
  for (const word of words) all |= bits[word];
  return all;
}

/** The size of a huge page where flags have it: its logarithm, from bit 26 on. */
function hugeSizeBits(hugeSize: number | undefined): number {
  return hugeSize === undefined ? 0 : Math.log2(hugeSize) * 2 ** 26;
}

function shmgetBits(operation: Extract<ProcessOperation, { op: "shmget" }>): number {
  const huge = operation.isHuge ? SHM.hugetlb + hugeSizeBits(operation.hugeSize) : 0;
  return SHM.mode + huge + (operation.isNoreserve ? SHM.noreserve : 0);
}

/** Mappings, accesses, processes, segments, pins, policies, and what /proc shows. */
export function encodeMemory(operation: ProcessOperation, names: Names): Words | undefined {
  const { op } = operation;
  switch (op) {
    case "mmap": {
      const { length, protection, flags, hugeSize, at = 0, offset = 0, fd } = operation;
      const bits = union(flags, MAP_BITS) + hugeSizeBits(hugeSize);
      const file = fd === undefined ? -1 : names.number(`fd ${fd}`);
      return [op, length, protectionBits(protection), bits, at, BigInt(offset), file];
    }
    case "mremap": {
      const { address, oldLength, newLength, flags, at = 0 } = operation;
      // MREMAP_FIXED and MREMAP_DONTUNMAP are refused without MREMAP_MAYMOVE.
      const mayMove = flags.has("fixed") ? MREMAP_BITS.maymove : 0;
      return [op, address, oldLength, newLength, union(flags, MREMAP_BITS) | mayMove, at];
    }
    case "mprotect": {
      const { address, length, protection } = operation;
      return [op, address, length, protectionBits(protection)];
    }
    case "madvise":
      return [op, operation.address, operation.length, ADVICES[operation.advice]];
    case "msync":
      return [op, operation.address, operation.length, MSYNC_BITS[operation.how]];
    case "munmap":
    case "mincore":
    case "mlock":
    case "mlock2":
    case "munlock":
    case "vmas":
      return [op, operation.address, operation.length];
    case "mlockall":
      return [op, union(operation.flags, MLOCKALL_BITS)];
    case "read":
    case "increment":
    case "copy_from_user":
    case "shmdt":
    case "smaps":
      return [op, operation.address];
    case "write":
    case "procmem_write":
      return [op, operation.address, operation.value];
    case "copy_to_user":
      return [op, operation.address, operation.length ?? 8];
    case "touch": {
      const { access, address, nrPages, value = 100n } = operation;
      return [op, access, address, nrPages, value];
    }
    case "pagemap":
    case "nodes":
      return [op, operation.address, operation.nrPages];
    case "setuid":
      return [op, operation.uid];
    case "rlimit":
      return [op, RESOURCES[operation.resource], operation.value];
    case "fork":
    case "wait":
      return [op, names.number(`actor ${operation.child}`)];
    case "exit":
      return [op, operation.code];
    case "signals":
      return [op, operation.action];
    case "shmget":
      return [op, operation.length, shmgetBits(operation)];
    case "shmat": {
      const { id, isReadOnly, isRounded, at = 0 } = operation;
      const bits = (isReadOnly ? SHM.rdonly : 0) + (isRounded ? SHM.rnd : 0);
      return [op, names.segment(id), bits, at];
    }
    case "shmrm":
    case "shmstat":
      return [op, names.segment(operation.id)];
    case "pin":
      return [op, names.number(`pin ${operation.pin}`), operation.address, operation.length];
    case "unpin":
      return [op, names.number(`pin ${operation.pin}`)];
    case "mbind": {
      const { address, length, mode, nodes } = operation;
      return [op, address, length, POLICIES[mode], nodes];
    }
    case "set_mempolicy":
      return [op, POLICIES[operation.mode], operation.nodes];
    case "exec":
    case "munlockall":
    case "status":
      return [op];
    default:
      return undefined;
  }
}

/** Files, memfd and pipes. */
export function encodeFile(operation: ProcessOperation, names: Names): Words | undefined {
  const fd = "fd" in operation && operation.fd ? names.number(`fd ${operation.fd}`) : 0;
  switch (operation.op) {
    case "open": {
      const { op, flags, path } = operation;
      return [op, fd, union(flags, OPEN_BITS) | (flags.has("rdonly") ? 0 : O_RDWR), path];
    }
    case "memfd": {
      const { op, isHuge, hugeSize, isSealable } = operation;
      const huge = isHuge ? MFD.hugetlb + hugeSizeBits(hugeSize) : 0;
      return [op, fd, huge + (isSealable ? MFD.sealable : 0)];
    }
    case "close":
    case "fstat":
    case "piperead":
      return [operation.op, fd];
    case "unlink":
      return [operation.op, operation.path];
    case "ftruncate":
      return [operation.op, fd, operation.length];
    case "fallocate": {
      const { op, mode, offset, length } = operation;
      return [op, fd, FALLOCATE_BITS[mode], BigInt(offset), length];
    }
    case "pread":
      return [operation.op, fd, BigInt(operation.offset)];
    case "pwrite":
      return [operation.op, fd, BigInt(operation.offset), operation.value];
    case "seals":
      return [operation.op, fd, operation.bits];
    case "vmsplice":
      return [operation.op, fd, operation.address];
    default:
      return undefined;
  }
}

/** userfaultfd: descriptor, address, length, bits, source. */
export function encodeUserfault(operation: ProcessOperation, names: Names): Words | undefined {
  const fd = "fd" in operation && operation.fd ? names.number(`fd ${operation.fd}`) : 0;
  switch (operation.op) {
    case "userfaultfd":
      return [operation.op, fd];
    case "uffd_register": {
      const { op, address, length, tracked } = operation;
      return [op, fd, address, length, union(tracked, UFFD_REGISTER_BITS)];
    }
    case "uffd_unregister":
    case "uffd_zeropage":
    case "uffd_poison":
      return [operation.op, fd, operation.address, operation.length];
    case "uffd_copy":
    case "uffd_move": {
      const { op, address, length, source, isWriteProtected } = operation;
      return [op, fd, address, length, isWriteProtected ? UFFD_COPY_WP : 0, source];
    }
    case "uffd_continue": {
      const { op, address, length, isWriteProtected } = operation;
      return [op, fd, address, length, isWriteProtected ? UFFD_CONTINUE_WP : 0];
    }
    case "uffd_wp": {
      const { op, address, length, isOn } = operation;
      return [op, fd, address, length, isOn ? UFFD_WRITEPROTECT : 0];
    }
    default:
      return undefined;
  }
}
