/**
 * What is not to be run on a machine that is needed afterwards: scripts that could hang a process
 * or lose pages for good, by defects of some kernels, empty the machine's memory, or touch its
 * files.
 */
import { PAGE_1G, PAGE_2M, PAGE_4K } from "../address.ts";
import { HugewalkError, InputError } from "../errors.ts";
import type { Driver, ProcessOperation } from "../transcript/driver.ts";
import { resolveHost } from "../transcript/resolve.ts";
import { runScript } from "../transcript/run.ts";
import type { OperationLine, Script } from "../transcript/script.ts";
import { leavesNothing } from "./aftermath.ts";

/** Emptied after every script: each has file systems of its own there. */
const OWN_DIRECTORIES = /^\/(?:tmp|mnt)\//;
/** Takes page frames out of the machine's memory for good. */
const POISONING: readonly string[] = ["hwpoison", "soft_offline"];

export interface RefusalOptions {
  /** How many pages of 2M a script may ask for; a page of 1G counts as 512. */
  readonly maxPages: number;
  /** An emulated kernel of the same kind, to find out what the script would do. */
  readonly emulator: Driver;
  /** Whether it knows every operation of the script. */
  readonly isEmulated: boolean;
}

/** Throws an `InputError` at the line that may do harm. */
export async function refuseHarm(script: Script, options: RefusalOptions): Promise<void> {
  for (const line of script.operations) refuseLine(line, options.maxPages);
  const move = script.operations.find(({ spec }) => spec.name === "mremap");
  if (!options.isEmulated) {
    if (move) refuse(move, "mremap in a script that the emulator cannot run first");
    return;
  }
  const watch = new MoveWatch(options.emulator);
  const records = runScript(script, watch);
  for (let i = 0; ; i++) {
    try {
      const { done, value: record } = await records.next();
      if (done) break;
      if (record.result === "stuck") refuse(record.line, "the kernel would never end it");
    } catch (error) {
      if (!(error instanceof PartialMove)) throw error;
      refuse(script.operations[i], error.message);
    }
  }
  if (await leavesNothing(script, options.emulator)) return;
  refuse(script.operations[0], "the kernel would lose pages of its pools for good");
}

function refuse(line: OperationLine, reason: string): never {
  throw new InputError(line.place, `refused with --live: ${reason} (--vm runs it)`);
}

function refuseLine(line: OperationLine, maxPages: number): void {
  const path = line.args.get("PATH");
  if (path?.kind === "word" && !isOwnPath(path.word)) {
    refuse(line, "only files below /tmp and /mnt are its own");
  }
  const advice = line.args.get("ADVICE");
  if (advice?.kind === "word" && POISONING.includes(advice.word)) {
    refuse(line, `${advice.word} takes memory from the machine until a reboot`);
  }
  if (line.spec.role === "host") refusePool(line, maxPages);
}

function isOwnPath(path: string): boolean {
  return OWN_DIRECTORIES.test(path) && !path.split("/").includes("..");
}

function refusePool(line: OperationLine, maxPages: number): void {
  const operation = resolveHost(line);
  if (!("text" in operation) || operation.op === "cgroup_set") return;
  const pageBytes = ("hugeSize" in operation ? operation.hugeSize : undefined) ?? PAGE_2M;
  // To a sysctl 0x10 is a number, too.
  const [digits] = /0x[0-9a-f]+|[0-9]+/i.exec(operation.text) ?? ["0"];
  const nrPages = Number(digits) * Math.max(1, pageBytes / PAGE_2M);
  if (nrPages > maxPages) refuse(line, `more than ${maxPages} huge pages (--max-pages)`);
}

class PartialMove extends HugewalkError {}

/**
 * Looks at each mremap before the emulated kernel does it: one that parts a private mapping of
 * huge pages leaves a reservation behind that nobody gives back.
 */
class MoveWatch implements Driver {
  readonly #driver: Driver;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  isFrameAlive(frame: number): boolean {
    return this.#driver.isFrameAlive(frame);
  }

  counters() {
    return this.#driver.counters();
  }

  host(operation: Parameters<Driver["host"]>[0]) {
    return this.#driver.host(operation);
  }

  async process(actor: string, operation: ProcessOperation) {
    if (operation.op === "mremap") await this.#check(actor, operation);
    return this.#driver.process(actor, operation);
  }

  async #check(actor: string, operation: Extract<ProcessOperation, { op: "mremap" }>) {
    const { address, oldLength, newLength, flags } = operation;
    const smaps = await this.#ask(actor, { op: "smaps", address });
    if (!/ ...p .* VmFlags=.*\bht\b/.test(smaps)) return;
    const pageBytes = smaps.includes(`KernelPageSize=${PAGE_1G / 1024}kB`) ? PAGE_1G : PAGE_2M;
    const isInPlace = newLength <= oldLength && !flags.has("fixed") && !flags.has("dontunmap");
    if (isInPlace) return;
    if (pageBytes === PAGE_1G) throw new PartialMove("mremap of pages of 1G");
    const end = address + Math.ceil(oldLength / pageBytes) * pageBytes;
    const isWhole =
      newLength >= oldLength &&
      (await this.#isBorder(actor, address)) &&
      (await this.#isBorder(actor, end)) &&
      (await this.#ask(actor, { op: "vmas", address, length: end - address })) === "1";
    if (!isWhole) throw new PartialMove("mremap of a part of a private mapping loses its pages");
  }

  /** Whether no mapping goes on across the address. */
  async #isBorder(actor: string, address: number): Promise<boolean> {
    const around = { op: "vmas", address: address - PAGE_4K, length: 2 * PAGE_4K } as const;
    const before = { op: "vmas", address: address - PAGE_4K, length: PAGE_4K } as const;
    const after = { op: "vmas", address, length: PAGE_4K } as const;
    const [all, left, right] = [
      await this.#ask(actor, around),
      await this.#ask(actor, before),
      await this.#ask(actor, after),
    ].map(Number);
    return all === left + right;
  }

  async #ask(actor: string, operation: ProcessOperation): Promise<string> {
    return (await this.#driver.process(actor, operation)).result;
  }
}
