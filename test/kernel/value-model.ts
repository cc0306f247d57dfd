/**
 * What memory must hold, kept apart from the kernel: a driver in front of the driver that sees
 * every operation and its outcome.
 *
 * - An access inside a reservation never gets SIGBUS, unless DONTNEED gave the page away.
 * - A read gives the last value that this process wrote, or its parent had at the fork, or 0; of
 *   shared memory, the last value that anybody wrote.
 * - Every operation ends.
 */
import type { EmulatedDriver } from "../../src/emulated/driver.ts";
import type {
  Counters,
  Driver,
  HostOperation,
  Outcome,
  ProcessOperation,
} from "../../src/transcript/driver.ts";

interface Cell {
  value: bigint;
}

interface Page {
  cell: Cell;
  readonly isShared: boolean;
  readonly bytes: number;
  /** Whether a page of the pool is kept for this one. */
  isReserved: boolean;
}

const PAGE_4K = 2 ** 12;
const PAGE_2M = 2 ** 21;

export class ValueModel implements Driver {
  readonly #driver: EmulatedDriver;
  readonly #pages = new Map<string, Map<number, Page>>();
  /** What did not hold. */
  readonly broken: string[] = [];

  constructor(driver: EmulatedDriver) {
    this.#driver = driver;
  }

  isFrameAlive(frame: number): boolean {
    return this.#driver.isFrameAlive(frame);
  }
  counters(): Counters {
    return this.#driver.counters();
  }
  host(operation: HostOperation): Outcome {
    return this.#driver.host(operation);
  }

  process(actor: string, operation: ProcessOperation): Outcome {
    const outcome = this.#driver.process(actor, operation);
    if (outcome.result === "stuck") this.broken.push("every operation ends");
    const pages = this.#pages.get(actor) ?? new Map<number, Page>();
    this.#pages.set(actor, pages);
    this.#follow(actor, pages, operation, outcome);
    return outcome;
  }

  #follow(
    actor: string,
    pages: Map<number, Page>,
    operation: ProcessOperation,
    { result, bound }: Outcome,
  ): void {
    switch (operation.op) {
      case "mmap": {
        const { flags, at: fixedAt, length } = operation;
        // ENOMEM: what was there is gone all the same.
        if (flags.has("fixed") && result !== "EINVAL") drop(pages, fixedAt ?? 0, length);
        if (bound === undefined) return;
        const bytes = flags.has("huge") ? PAGE_2M : PAGE_4K;
        for (let at = bound; at < bound + operation.length; at += bytes) {
          pages.set(at, {
            cell: { value: 0n },
            isShared: flags.has("shared") || flags.has("shared_validate"),
            bytes,
            isReserved: flags.has("huge") && !flags.has("noreserve"),
          });
        }
        return;
      }
      case "munmap":
        if (result === "ok") drop(pages, operation.address, operation.length);
        return;
      case "mremap": {
        if (bound === undefined) return;
        const moved = inRange(pages, operation.address, operation.oldLength);
        drop(pages, bound, operation.newLength);
        drop(pages, operation.address, operation.oldLength);
        for (const [at, page] of moved) {
          const offset = at - operation.address;
          if (offset < operation.newLength) pages.set(bound + offset, page);
        }
        return;
      }
      case "madvise":
        if (operation.advice !== "dontneed") return;
        // What precedes a mapping that is refused was done: who knows what.
        if (result === "EINVAL") drop(pages, operation.address, operation.length);
        // ENOMEM: there was a hole, but what is mapped was done.
        for (const [at, page] of inRange(pages, operation.address, operation.length)) {
          // The end is rounded down to a huge page, but up to one of 4K.
          const isPart = at + page.bytes > operation.address + operation.length;
          if (page.isShared || (isPart && page.bytes !== PAGE_4K)) continue;
          page.cell = { value: 0n };
          page.isReserved = false;
        }
        return;
      case "exec":
        pages.clear();
        return;
      case "fork":
        if (result !== "ok") return;
        this.#pages.set(
          operation.child,
          new Map(
            [...pages].map(([at, page]) => [
              at,
              page.isShared ? page : { ...page, cell: { ...page.cell }, isReserved: false },
            ]),
          ),
        );
        return;
      case "read":
      case "write": {
        const page = pages.get(operation.address);
        if (!page) return;
        const where = `${actor} at 0x${operation.address.toString(16)}`;
        if (page.isReserved && result.includes("SIGBUS")) {
          this.broken.push(`${where}: SIGBUS inside a reservation`);
        }
        if (operation.op === "write") {
          if (result === "ok") page.cell.value = operation.value;
        } else if (/^\d+$/.test(result) && BigInt(result) !== page.cell.value) {
          this.broken.push(`${where}: read ${result} instead of ${page.cell.value}`);
        }
        return;
      }
      default:
    }
  }
}

function inRange(pages: Map<number, Page>, start: number, length: number): [number, Page][] {
  return [...pages].filter(([at]) => at >= start && at < start + length);
}

function drop(pages: Map<number, Page>, start: number, length: number): void {
  for (const [at] of inRange(pages, start, length)) pages.delete(at);
}
