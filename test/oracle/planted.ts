/**
 * Faults that other emulators have, planted in a subject, to show that the comparison finds them.
 */
import { P, protectionKeyIn, US } from "./entry.ts";
import { isWrite, PLAIN_PROCESSOR, type Access, type Processor } from "./processor.ts";
import { isDeniedByKey, PF_PK } from "./rights.ts";
import { loadEntry, placeOf, storeEntry } from "./scene.ts";
import type { Instruction } from "./caches.ts";
import type { SequenceSubject } from "./sequence.ts";
import type { Outcome, Subject } from "./subject.ts";

type Change = (access: Access, outcome: Outcome, processor: Processor) => void;

function withOutcomes(subject: Subject, change: Change): Subject {
  let processor = PLAIN_PROCESSOR;
  return {
    words: subject.words,
    configure: (given) => {
      processor = given;
      subject.configure(given);
    },
    flush: () => subject.flush(),
    access: (access, outcome) => {
      subject.access(access, outcome);
      change(access, outcome, processor);
    },
    probe: (access, outcome) => {
      subject.probe(access, outcome);
      change(access, outcome, processor);
    },
  };
}

/** QEMU's: page faults for reserved bits come with P = 0. */
export function plantReservedWithoutPresent(subject: Subject): Subject {
  return withOutcomes(subject, (_, outcome) => {
    if (outcome.vector === 14 && (outcome.errorCode & 8) !== 0) outcome.errorCode &= ~1;
  });
}

/**
 * Bochs's: keys are checked before U/S of the entry that maps a 4K page is ANDed in, so that a
 * supervisor page under user tables is PKRU's business, and none of IA32_PKRS's.
 */
export function plantKeysBeforeLeaf(subject: Subject): Subject {
  return withOutcomes(subject, (access, outcome, processor) => {
    const { at } = placeOf((BigInt(access.high) << 32n) | BigInt(access.low));
    const upper = at.slice(1, processor.la57 ? 5 : 4).map((address) => subject.words[address / 4]);
    const leafHigh = subject.words[at[0] / 4 + 1];
    const isTranslated =
      outcome.vector === 0 || (outcome.vector === 14 && (outcome.errorCode & 9) === 1);
    if (!isTranslated || (upper[0] & 0x80) !== 0) return;
    const isDenied = isDeniedByKey(processor, access, {
      isWritable: true,
      isUser: upper.every((low) => (low & US) !== 0),
      isExecuteDisabled: false,
      isShadowStack: false,
      protectionKey: protectionKeyIn(leafHigh),
    });
    if (isDenied && outcome.vector === 0) {
      outcome.vector = 14;
      outcome.errorCode = P | (isWrite(access) ? 2 : 0) | (access.cpl === 3 ? 4 : 0);
    }
    if (outcome.vector !== 14) return;
    if (isDenied) outcome.errorCode |= PF_PK;
    else outcome.errorCode &= ~PF_PK;
  });
}

/** Write rights taken from the PTE alone: the emulator sees upper entries with R/W set. */
export function plantLeafOnlyWriteRights(subject: Subject): Subject {
  const RW = 2n;
  const around = (access: Access, act: () => void): void => {
    const { at } = placeOf((BigInt(access.high) << 32n) | BigInt(access.low));
    const upper = at
      .slice(1)
      .map((address) => [address, loadEntry(subject.words, address)] as const);
    for (const [address, entry] of upper) storeEntry(subject.words, address, entry | RW);
    act();
    for (const [address, entry] of upper) {
      const now = loadEntry(subject.words, address);
      storeEntry(subject.words, address, (now & ~RW) | (entry & RW));
    }
  };
  return {
    words: subject.words,
    configure: (processor) => subject.configure(processor),
    flush: () => subject.flush(),
    access: (access, outcome) => around(access, () => subject.access(access, outcome)),
    probe: (access, outcome) => around(access, () => subject.probe(access, outcome)),
  };
}

/** An instruction that leaves cached entries as they are. */
export function plantForgottenInstruction(
  subject: SequenceSubject,
  isForgotten: (instruction: Instruction) => boolean,
): SequenceSubject {
  return {
    words: subject.words,
    configure: (processor) => subject.configure(processor),
    flush: () => subject.flush(),
    begin: (processor, context) => subject.begin(processor, context),
    access: (access, outcome) => subject.access(access, outcome),
    probe: (access, outcome) => subject.probe(access, outcome),
    execute: (instruction) => {
      if (!isForgotten(instruction)) subject.execute(instruction);
    },
  };
}
