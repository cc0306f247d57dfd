/**
 * Scripts on a kernel that has lost pages (by a defect they stay reserved for nobody until the next
 * boot), as if it had not: the counters are shown without them, and counts that are written to a
 * pool's file go beyond them.
 */
import { PAGE_1G, PAGE_2M } from "../address.ts";
import type { Counters, Driver, HostOperation } from "../transcript/driver.ts";

type LostPages = ReadonlyMap<number, number>;

const POOLS = [
  { pageBytes: PAGE_2M, prefix: "" },
  { pageBytes: PAGE_1G, prefix: "1G." },
];
/** A lost page is free and reserved. */
const SHIFTED = ["total", "free", "rsvd"];
/** Counts that the kernel may take. What it refuses, and what no pool can have, stays as it is. */
const COUNT = /^([+]?)([0-9]{1,9})(?=$| )/;
/** What a node's files say of pages that are lost. */
const OF_A_NODE = /(?<=\b(?:total|free)=)[0-9]+/g;
/** A mount's quota as a part of the pool. */
const PERCENT = /(?<=(?:^|,)(?:min_)?size=)([0-9]{1,3})%/g;

/** What the counters say when nothing else is there. */
export function lostPagesOf(counters: Counters): LostPages {
  const lost = new Map<number, number>();
  for (const { pageBytes, prefix } of POOLS) {
    const nrPages = Number(counters.get(`${prefix}total`) ?? 0n);
    if (nrPages > 0) lost.set(pageBytes, nrPages);
  }
  return lost;
}

/** The driver without its kernel's lost pages. */
export function withoutLostPages(driver: Driver, lost: LostPages): Driver {
  if (lost.size === 0) return driver;
  return {
    isFrameAlive: (frame) => driver.isFrameAlive(frame),
    counters: () => withoutLost(driver.counters(), lost),
    process: (actor, operation) => driver.process(actor, operation),
    async host(operation) {
      const outcome = await driver.host(beyondLost(operation, lost, driver.counters()));
      if (operation.op !== "node_hugepages" || operation.node !== 0) return outcome;
      const nrLost = lost.get(operation.hugeSize ?? PAGE_2M) ?? 0;
      const result = outcome.result.replace(OF_A_NODE, (digits) => `${Number(digits) - nrLost}`);
      return { ...outcome, result };
    },
  };
}

/** Gives an emulated kernel the same lost pages. No script has an actor of that name. */
export async function losePages(driver: Driver, lost: LostPages): Promise<Driver> {
  for (const [hugeSize, nrPages] of lost) {
    await driver.host({ op: "nr_hugepages", hugeSize, text: `${nrPages}` });
    await driver.process("lost pages", {
      op: "mmap",
      length: nrPages * hugeSize,
      protection: { read: true, write: true, execute: false },
      flags: new Set(["private", "anon", "huge"] as const),
      hugeSize,
    });
  }
  return withoutLostPages(driver, lost);
}

function withoutLost(counters: Counters, lost: LostPages): Counters {
  const shown = new Map(counters);
  for (const { pageBytes, prefix } of POOLS) {
    for (const name of SHIFTED) {
      const value = shown.get(prefix + name);
      const shift = BigInt(lost.get(pageBytes) ?? 0);
      if (value !== undefined) shown.set(prefix + name, BigInt.asUintN(64, value - shift));
    }
  }
  return shown;
}

function beyondLost(operation: HostOperation, lost: LostPages, counters: Counters): HostOperation {
  switch (operation.op) {
    case "nr_hugepages":
    case "node_nr_hugepages":
      return {
        ...operation,
        text: countBeyond(operation.text, lost.get(operation.hugeSize ?? PAGE_2M)),
      };
    case "sysctl_nr_hugepages": {
      // A leading zero means octal.
      const isOctal = /^[+]?0[0-9]/.test(operation.text);
      const text = isOctal ? operation.text : countBeyond(operation.text, lost.get(PAGE_2M));
      return { ...operation, text };
    }
    case "mount":
    case "remount": {
      const nrPersistent = Number((counters.get("total") ?? 0n) - (counters.get("surp") ?? 0n));
      const nrPages = nrPersistent - (lost.get(PAGE_2M) ?? 0);
      const options = operation.options.replace(PERCENT, (_, percent: string) => {
        return `${Math.floor((Number(percent) * nrPages) / 100) * PAGE_2M}`;
      });
      return { ...operation, options };
    }
    default:
      return operation;
  }
}

function countBeyond(text: string, nrLost = 0): string {
  return text.replace(
    COUNT,
    (_, plus: string, digits: string) => `${plus}${Number(digits) + nrLost}`,
  );
}
