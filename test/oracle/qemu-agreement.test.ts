/**
 * The oracle against what QEMU's MMU made of random cases, without what QEMU is known to get wrong:
 * two readings of the manual that share nothing. Operands of one page; the processor's own reads,
 * not its writes.
 */
import { expect, test } from "vitest";
import { newVerdict, translate, type Memory, type Verdict } from "./manual.ts";
import { accessOf, PLAIN_PROCESSOR, type Manner } from "./processor.ts";
import { PF_PK } from "./rights.ts";
import { loadEntry, RAM_BYTES, storeEntry } from "./scene.ts";
import { secondPageOf, type Access, type Outcome, type RecordedCase } from "./qemu/case.ts";
import { correctedOutcome } from "./qemu/deviations.ts";
import { readRecording } from "./qemu/recording.ts";

/** Its tables lie below 17M. */
const memory: Memory = { words: new Uint32Array((17 * 2 ** 20) / 4), ramBytes: RAM_BYTES };
const verdict = newVerdict();

function mannerOf({ implicit, segment }: Access): Manner {
  if (implicit) return "implicit";
  return segment === "ss" ? "stack" : "ordinary";
}

/** What the oracle makes of a case, and the entries afterwards. */
function judge({ processor, control, access, cr3, entries }: RecordedCase): bigint[] {
  const { pge: _, ...registers } = control;
  for (const { physicalAddress, value } of entries) {
    storeEntry(memory.words, physicalAddress, value);
  }
  translate(
    {
      ...PLAIN_PROCESSOR,
      ...registers,
      la57: processor.levels === 5,
      root: cr3,
      maxPhysicalAddressBits: processor.maxPhysicalAddressBits,
    },
    memory,
    accessOf(access.kind, access.cpl, access.address, mannerOf(access)),
    verdict,
  );
  const after = entries.map(({ physicalAddress }) => loadEntry(memory.words, physicalAddress));
  for (const { physicalAddress } of entries) storeEntry(memory.words, physicalAddress, 0n);
  return after;
}

/**
 * QEMU denies a user access to a supervisor page before it looks at keys; the manual's PK asks for
 * no order.
 */
function isKeyOfSupervisorPage({ access, control }: RecordedCase, { isUser }: Verdict): boolean {
  return access.cpl === 3 && !access.implicit && control.pks && !isUser;
}

function agrees(one: RecordedCase, expected: Outcome, after: readonly bigint[]): boolean {
  if (verdict.vector !== (expected.vector ?? 0)) return false;
  const ignored = isKeyOfSupervisorPage(one, verdict) ? PF_PK : 0;
  if (verdict.vector !== 0 && (verdict.errorCode & ~ignored) !== expected.errorCode) return false;
  return after.every((entry, i) => entry === expected.entriesAfter[i]);
}

test("the oracle and QEMU agree", { timeout: 60_000 }, () => {
  let nrCompared = 0;
  const different: string[] = [];
  for (const one of readRecording().cases()) {
    const expected = correctedOutcome(one);
    const { access } = one;
    if (expected === undefined || secondPageOf(access) !== undefined) continue;
    if (access.implicit && access.kind === "write") continue;
    nrCompared++;
    const after = judge(one);
    if (!agrees(one, expected, after) && different.length < 5) {
      different.push(`case ${nrCompared}: ${JSON.stringify(verdict)}`);
    }
  }
  expect(different).toEqual([]);
  expect(nrCompared).toBeGreaterThan(100_000);
});
