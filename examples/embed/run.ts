/**
 * The host: makes the machine, links the guest to it, and serves its page faults. Run it from the
 * root of the repository as README.md tells; elsewhere the first import is from "hugewalk".
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { PAGE_4K, createMachine, roundDown } from "../../src/index.ts";

/** Below it hugewalk has its state and what backs RAM; the guest has all above (asconfig.json). */
export const GUEST_BASE = 64 * 2 ** 20;
const GUEST_BYTES = 2 ** 20;
const WASM_PAGE = 65536;
const RAM_BYTES = 32 * 2 ** 20;
const USER = { writable: true, executable: false, user: true };

/** What guest.ts exports, as JavaScript sees it. */
export interface Guest {
  useCpu(address: number): void;
  nrCalls(): number;
  dataAddress(): number;
  fill(start: bigint, count: number): void;
  sum(start: bigint, count: number): bigint;
  makeList(start: bigint, count: number, stride: number): void;
  walkList(start: bigint): bigint;
  translate(va: bigint): bigint;
}

export interface System {
  readonly machine: ReturnType<typeof createMachine>;
  readonly guest: Guest;
  /** What the guest was given for its imports. */
  readonly imports: WebAssembly.Imports;
  /** The addresses that have faulted, in order. */
  readonly faults: readonly bigint[];
}

/** A machine with one process, whose pages of [start, end) are mapped at their first use. */
export function startGuest(module: WebAssembly.Module, start: number, end: number): System {
  const pages = (GUEST_BASE + GUEST_BYTES) / WASM_PAGE;
  // Of one size for ever: views of it, hugewalk's too, end when a memory grows.
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const machine = createMachine({ memory, linearBytes: GUEST_BASE, ramBytes: RAM_BYTES });
  const [cpu] = machine.cpus;
  let nextFrame = PAGE_4K;
  const allocate = (): number | undefined => {
    const frame = nextFrame;
    nextFrame += PAGE_4K;
    return frame < RAM_BYTES ? frame : undefined;
  };
  const tables = machine.createPageTables({ allocate, free: () => {} });
  const root = tables.createRoot();
  cpu.cr3 = BigInt(root);
  cpu.cpl = 3;

  const faults: bigint[] = [];
  const pageFault = (): number => {
    const { vector, reason, address } = cpu.fault;
    faults.push(address);
    const page = roundDown(Number(address), PAGE_4K);
    const frame = allocate();
    const isOurs = vector === 14 && reason === "not present" && page >= start && page < end;
    if (!isOurs || frame === undefined) return 0;
    tables.install(root, page, 1, frame, USER);
    return 1;
  };
  const imports = { env: { memory }, hugewalk: machine.exports, host: { pageFault } };
  const instance = new WebAssembly.Instance(module, imports);
  const guest = instance.exports as unknown as Guest;
  guest.useCpu(cpu.linearAddress);
  return { machine, guest, imports, faults };
}

function main(file: string): void {
  const start = 2 ** 30;
  const nrWords = 2 ** 17;
  const { machine, guest, faults } = startGuest(
    new WebAssembly.Module(readFileSync(file)),
    start,
    start + 2 ** 24,
  );
  guest.fill(BigInt(start), nrWords);
  console.log(`sum of ${nrWords} words: ${guest.sum(BigInt(start), nrWords)}`);
  const list = start + 2 ** 23 + 4;
  guest.makeList(BigInt(list), 1000, 4080);
  console.log(`sum of a list of 1000 nodes: ${guest.walkList(BigInt(list))}`);
  console.log(`page faults: ${faults.length}; calls of hugewalk: ${guest.nrCalls()}`);
  console.log(`walks: ${machine.cpus[0].counts.walks}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main("build/guest.wasm");
