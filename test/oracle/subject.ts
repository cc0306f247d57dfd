/** What is compared with the oracle: the emulator, or the emulator with a fault planted. */
import type { Fault, Translation } from "../../src/index.ts";
import type { Access, Processor } from "./processor.ts";

/** What came of an access or a probe. One object serves many cases. */
export interface Outcome {
  /** 0: it succeeded. */
  vector: number;
  errorCode: number;
  /** Meaningful with vector 0 only. */
  physicalAddress: number;
  /** With a vector: all that is told of the fault. */
  fault: Fault | undefined;
  /** After a probe that succeeded. */
  translation: Translation | undefined;
}

export function newOutcome(): Outcome {
  return {
    vector: 0,
    errorCode: 0,
    physicalAddress: 0,
    fault: undefined,
    translation: undefined,
  };
}

export interface Subject {
  /** Physical memory from address 0, live: `TABLE_BYTES` of it. */
  readonly words: Uint32Array;
  /** Sets the registers and features that differ from those set last. */
  configure(processor: Processor): void;
  /** Drops every cached translation. */
  flush(): void;
  access(access: Access, outcome: Outcome): void;
  /** The same without side effects. */
  probe(access: Access, outcome: Outcome): void;
}
