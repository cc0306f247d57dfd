/**
 * Keeps scripts from a kernel that is needed afterwards if they would harm it: mremap of private
 * huge memory, after which the kernel may lose pages for good or retry a fault for ever (defects D3
 * and D4), and poisoned memory.
 */
import type { Driver, ProcessOperation } from "../transcript/driver.ts";
import { runScript } from "../transcript/run.ts";
import type { Script } from "../transcript/script.ts";
import type { Fault, Judge } from "./judge.ts";
import type { EmulatedSubject } from "./subject.ts";

/** Judges safe scripts only; the others have no fault. */
export class SafeScriptsOnly implements Judge {
  readonly #judge: Judge;
  readonly #emulator: EmulatedSubject;

  /** `emulator`: of the kernel that is to be kept from harm. */
  constructor(judge: Judge, emulator: EmulatedSubject) {
    this.#judge = judge;
    this.#emulator = emulator;
  }

  async fault(script: Script): Promise<Fault | undefined> {
    return (await isSafe(script, this.#emulator)) ? this.#judge.fault(script) : undefined;
  }

  tell(script: Script): AsyncGenerator<string> {
    return this.#judge.tell(script);
  }
}

/** Runs the script on the emulator to see. */
export async function isSafe(script: Script, emulator: EmulatedSubject): Promise<boolean> {
  const driver = await emulator.boot(script.machine);
  let isHarmful = false;
  const watching: Driver = {
    isFrameAlive: (frame) => driver.isFrameAlive(frame),
    counters: () => driver.counters(),
    host: (operation) => driver.host(operation),
    process(actor, operation) {
      isHarmful ||= harms(emulator, actor, operation);
      const outcome = driver.process(actor, operation);
      isHarmful ||= outcome.result === "stuck";
      return outcome;
    },
  };
  for await (const _ of runScript(script, watching)) if (isHarmful) return false;
  return true;
}

function harms(emulator: EmulatedSubject, actor: string, operation: ProcessOperation): boolean {
  if (operation.op === "madvise") return /^(?:hwpoison|soft_offline)$/.test(operation.advice);
  if (operation.op !== "mremap") return false;
  return emulator.hasPrivateHuge(actor, operation.address, operation.oldLength);
}
