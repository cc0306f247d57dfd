/** How often each operation comes in a random script. */
import { OptionError } from "../errors.ts";
import { FILES, USERFAULTS } from "./file-lines.ts";
import { HOST } from "./host-lines.ts";
import { ACCESSES, LIFE } from "./life-lines.ts";
import { MEMORY } from "./memory-lines.ts";

export type Weights = ReadonlyMap<string, number>;

/** What is not named has weight 1. */
const COMMON: Readonly<Record<string, number>> = {
  mmap: 12,
  write: 24,
  read: 16,
  touch: 4,
  fork: 9,
  munmap: 5,
  madvise: 6,
  mprotect: 3,
  mremap: 3,
  pagemap: 4,
  exit: 2,
  kill: 2,
  wait: 2,
  nr_hugepages: 4,
  nr_overcommit_hugepages: 2,
  mount: 3,
  open: 5,
  memfd: 3,
  ftruncate: 5,
  fallocate: 5,
  shmget: 2,
  shmat: 3,
  cgroup_attach: 2,
  cgroup_set: 2,
  uffd_register: 2,
  uffd_copy: 2,
  signals: 0.5,
  exec: 0.5,
  setuid: 0.3,
  rlimit: 0.5,
  let: 0.5,
};

export const DEFAULT_WEIGHTS: Weights = new Map(
  [MEMORY, ACCESSES, LIFE, FILES, USERFAULTS, HOST]
    .flatMap((makers) => Object.keys(makers))
    .map((op) => [op, COMMON[op] ?? 1]),
);

/**
 * The weights, changed as a text says: `fork=0,mremap=9`; `all=0,write=5` starts from
 * nothing. Throws `OptionError`.
 */
export function parseWeights(text: string, defaults = DEFAULT_WEIGHTS): Weights {
  const weights = new Map(defaults);
  for (const part of text.split(",")) {
    const [, op, number] = /^(\w+)=(\d+(?:\.\d+)?)$/.exec(part) ?? [];
    if (op === undefined) throw new OptionError("weights", `"${part}" is not OPERATION=NUMBER`);
    const changed = op === "all" ? [...weights.keys()] : [op];
    for (const one of changed) {
      if (!weights.has(one)) throw new OptionError("weights", `no operation "${one}"`);
      weights.set(one, Number(number));
    }
  }
  return weights;
}
