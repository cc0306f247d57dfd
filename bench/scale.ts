/**
 * How an operation's time grows with what else there is: mappings, processes, the size of a file.
 */
import { PAGE_2M, PAGE_4K } from "../src/address.ts";
import { createKernel } from "../src/kernel/kernel.ts";
import type { UserProcess } from "../src/kernel/user-process.ts";
import type { MmapRequest } from "../src/kernel/mmap.ts";
import { type Case, type Effort, WrongResult, measure } from "./measure.ts";
import { type Report, type Row, atMost, formatNumber, formatTiming, timingOf } from "./report.ts";

const RW = { read: true, write: true, execute: false };
const TIB = 2 ** 40;
const MAPPINGS = [100, 1000, 10_000, 100_000];
const PROCESSES = [1, 10, 100, 1000, 10_000];
const TOUCHED = [10, 100, 1000];
/** Faults that are timed together. */
const NR_FAULTS = 64;
const NR_WAITED = 16;
/** Growth is judged from here on: below, what does not grow hides it. */
const BASE = 100;
/** What a machine that is not quiet may add to a growth. */
const SLACK = 1.5;

interface Curve {
  readonly name: string;
  /** What n counts. */
  readonly unit: string;
  readonly points: readonly number[];
  readonly caseOf: (n: number) => Case;
  /** What the time of an operation may grow with. */
  readonly bound: "log n" | "n";
}

const CURVES: readonly Curve[] = [
  {
    name: "mmap, write and munmap",
    unit: "mappings",
    points: MAPPINGS,
    caseOf: mappingsCase,
    bound: "log n",
  },
  {
    name: "fault in a shared file",
    unit: "processes",
    points: PROCESSES,
    caseOf: faultCase,
    bound: "log n",
  },
  {
    name: "fork, exit and wait",
    unit: "processes",
    points: PROCESSES,
    caseOf: lifeCase,
    bound: "log n",
  },
  {
    name: "1 TiB file: map, touch, truncate",
    unit: "touched",
    points: TOUCHED,
    caseOf: touchCase,
    bound: "n",
  },
];

export async function benchScale(effort: Effort): Promise<Report> {
  const rows: Row[] = [];
  const goals = [];
  for (const curve of CURVES) {
    const cases = curve.points.map((n) => curve.caseOf(n));
    const timings = await measure(curve.name, cases, effort);
    const microseconds = new Map<number, number>();
    curve.points.forEach((n, i) => {
      const timing = timingOf(timings, cases[i].name);
      microseconds.set(n, timing.best / 1000);
      rows.push([
        curve.name,
        `${n.toLocaleString("en-US")} ${curve.unit}`,
        formatTiming(timing, 1000),
        n > 1 ? formatNumber(timing.best / 1000 / boundOf(curve, n)) : undefined,
      ]);
    });
    const last = curve.points[curve.points.length - 1];
    const growth = (microseconds.get(last) ?? NaN) / (microseconds.get(BASE) ?? NaN);
    const allowed = (SLACK * boundOf(curve, last)) / boundOf(curve, BASE);
    goals.push(
      atMost(`${curve.name}: growth, ${BASE} to ${last} ${curve.unit}`, growth, allowed, "×"),
    );
  }
  return {
    title: "Growth of an operation with what there is beside it",
    notes: ["µs an operation, best (median)", "and divided by log2 n, or of pages touched by n"],
    columns: ["n", "µs", "µs / bound"],
    rows,
    goals,
  };
}

function boundOf({ bound }: Curve, n: number): number {
  return bound === "n" ? n : Math.log2(n);
}

function map(process: UserProcess, request: MmapRequest): number {
  const address = process.mmap(request);
  if (typeof address !== "number") throw new WrongResult(`mmap: ${address}`);
  return address;
}

function forkOf(process: UserProcess): UserProcess {
  const child = process.fork("child");
  if (typeof child === "string") throw new WrongResult(`fork: ${child}`);
  return child;
}

/** Two pages among `n` mappings with as many holes of one page: they fit in none. */
function mappingsCase(n: number): Case {
  const kernel = createKernel({ machine: { ramBytes: 2 ** 30, linearBytes: 2 ** 27 } });
  const process = kernel.spawn("mapper");
  const first = map(process, { length: 3 * n * PAGE_4K, protection: RW });
  for (let i = 0; i < n; i++) process.munmap(first + 3 * i * PAGE_4K, PAGE_4K);
  const length = 2 * PAGE_4K;
  let address = 0;
  return {
    name: `among ${n} mappings`,
    items: 1,
    run() {
      // Of another protection, so that it does not merge.
      address = map(process, { length, protection: { ...RW, execute: true } });
      process.write(address, 1n);
      process.munmap(address, length);
    },
    check() {
      const nr = process.nrMappings(first, 3 * n * PAGE_4K);
      if (nr !== n) throw new WrongResult(`${nr} mappings, not ${n}`);
      if (address + length > first + PAGE_4K)
        throw new WrongResult("the mapping is in a hole too small");
    },
  };
}

/** A pool and a process that maps a file in it, shared with `n - 1` children. */
function family(n: number): { address: number; processes: readonly UserProcess[] } {
  const kernel = createKernel({
    machine: { ramBytes: 2 ** 31, linearBytes: 2 ** 29 },
    hugePages: new Map([[PAGE_2M, NR_FAULTS]]),
  });
  const parent = kernel.spawn("parent");
  const address = map(parent, {
    length: NR_FAULTS * PAGE_2M,
    protection: RW,
    hugePageBytes: PAGE_2M,
    isShared: true,
  });
  const processes = [parent];
  while (processes.length < n) processes.push(forkOf(parent));
  // Each has its tables from now on.
  for (const process of processes) process.read(address);
  return { address, processes };
}

/** Each fault is another process's, of a page that the file has. */
function faultCase(n: number): Case {
  const { address, processes } = family(n);
  let turn = 0;
  const faulting = (i: number): UserProcess => processes[(turn + i) % n];
  const pageOf = (i: number): number => address + i * PAGE_2M;
  return {
    name: `one of ${n} processes`,
    items: NR_FAULTS,
    prepare() {
      turn += NR_FAULTS;
      for (let i = 0; i < NR_FAULTS; i++) faulting(i).madvise(pageOf(i), PAGE_2M, "dontneed");
    },
    run() {
      for (let i = 0; i < NR_FAULTS; i++) faulting(i).write(pageOf(i), BigInt(i));
    },
    check() {
      for (let i = 0; i < NR_FAULTS; i++) {
        const [page] = faulting(i).pagemap(pageOf(i), 1);
        const value = processes[0].read(pageOf(i));
        if (!page || value !== BigInt(i)) throw new WrongResult(`page ${i} is ${value}`);
      }
    },
  };
}

function lifeCase(n: number): Case {
  const { processes } = family(n);
  const [parent] = processes;
  let status: unknown;
  return {
    name: `beside ${n} processes`,
    items: NR_WAITED,
    run() {
      for (let i = 0; i < NR_WAITED; i++) {
        const child = forkOf(parent);
        child.exit(0);
        status = parent.wait(child);
      }
    },
    check() {
      if (typeof status !== "object") throw new WrongResult(`wait: ${String(status)}`);
      if (processes.some((process) => process.status)) throw new WrongResult("one has ended");
    },
  };
}

/**
 * A file as large as its pool: reserved by mmap, touched here and there, truncated and unmapped.
 */
function touchCase(n: number): Case {
  const nrPages = TIB / PAGE_2M;
  const kernel = createKernel({
    machine: { ramBytes: TIB + 2 ** 32, linearBytes: 2 ** 29 },
    hugePages: new Map([[PAGE_2M, nrPages]]),
  });
  const process = kernel.spawn("sparse");
  const fd = process.memfd({ hugePageBytes: PAGE_2M });
  if (typeof fd !== "number") throw new WrongResult(`memfd: ${fd}`);
  const step = Math.floor(nrPages / n) * PAGE_2M;
  const free = (): number | undefined => kernel.pool(PAGE_2M)?.free;
  let reserved: number | undefined;
  let left: number | undefined;
  return {
    name: `${n} of 1 TiB`,
    items: 1,
    run() {
      process.ftruncate(fd, TIB);
      const address = map(process, { length: TIB, protection: RW, isShared: true, fd });
      for (let i = 0; i < n; i++) process.read(address + i * step);
      reserved = kernel.pool(PAGE_2M)?.reserved;
      left = free();
      process.ftruncate(fd, 0);
      process.munmap(address, TIB);
    },
    check() {
      if (reserved !== nrPages - n) throw new WrongResult(`${reserved} are reserved`);
      if (left !== nrPages - n) throw new WrongResult(`${left} are free`);
      if (free() !== nrPages) throw new WrongResult("the pool is not full again");
    },
  };
}
