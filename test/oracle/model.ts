/**
 * The oracle as a subject: to try the comparison itself, and to measure what it costs without an
 * emulator.
 */
import { newVerdict, translate, type Memory } from "./manual.ts";
import { memoryTypeOf } from "./rights.ts";
import { PAGE_BYTES } from "./entry.ts";
import { PLAIN_PROCESSOR, type Access, type Processor } from "./processor.ts";
import { newMemory } from "./scene.ts";
import type { SequenceSubject } from "./sequence.ts";
import type { Outcome } from "./subject.ts";

export class ModelSubject implements SequenceSubject {
  readonly #memory: Memory = newMemory();
  readonly words = this.#memory.words;
  readonly #frozen: Memory = { ...this.#memory, isFrozen: true };
  readonly #verdict = newVerdict();
  #processor: Processor = PLAIN_PROCESSOR;

  configure(processor: Processor): void {
    this.#processor = processor;
  }

  begin(processor: Processor): void {
    this.configure(processor);
  }

  /** Nothing is ever cached. */
  flush(): void {}
  execute(): void {}

  access(access: Access, outcome: Outcome): void {
    this.#translate(this.#memory, access, outcome);
  }

  probe(access: Access, outcome: Outcome): void {
    this.#translate(this.#frozen, access, outcome);
  }

  #translate(memory: Memory, access: Access, outcome: Outcome): void {
    const verdict = this.#verdict;
    translate(this.#processor, memory, access, verdict);
    outcome.vector = verdict.vector;
    outcome.errorCode = verdict.errorCode;
    outcome.physicalAddress = verdict.physicalAddress;
    outcome.translation = undefined;
    outcome.fault = undefined;
    if (verdict.vector === 0) {
      outcome.translation = {
        physicalAddress: verdict.physicalAddress,
        level: verdict.pageLevel,
        pageBytes: PAGE_BYTES[verdict.pageLevel],
        writable: verdict.isWritable,
        user: verdict.isUser,
        executable: !verdict.isExecuteDisabled,
        dirty: verdict.isDirty,
        global: verdict.isGlobal,
        shadowStack: verdict.isShadowStack,
        protectionKey: verdict.protectionKey,
        patIndex: verdict.patIndex,
        memoryType: memoryTypeOf(this.#processor.pat, verdict.patIndex),
      };
    } else {
      outcome.fault = {
        vector: verdict.vector,
        errorCode: verdict.errorCode,
        address: (BigInt(verdict.cr2High) << 32n) | BigInt(verdict.cr2Low),
        level: verdict.level,
        entryAddress: verdict.entryAddress,
        entry: 0n,
        reason: "denied",
      };
    }
  }
}
