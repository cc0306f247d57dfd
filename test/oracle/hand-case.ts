/** What a case worked out by hand consists of, and how it becomes an access to tables. */
import {
  accessOf,
  PLAIN_PROCESSOR,
  type Access,
  type AccessKind,
  type Manner,
  type Processor,
} from "./processor.ts";
import type { MemoryType } from "./rights.ts";
import { placeOf, ROOT_5_LEVEL } from "./scene.ts";

export const ADDRESS = 0x1234_5678_9000n;
export const PLACE = placeOf(ADDRESS);

/** Entries by name; an absent one is as it was. */
export interface NamedEntries {
  readonly pml5e?: bigint;
  readonly pml4e?: bigint;
  readonly pdpte?: bigint;
  readonly pde?: bigint;
  readonly pte?: bigint;
}

/**
 * An access, the registers it meets where they are not the plain ones, and what must come of it.
 */
export interface Step extends Partial<Processor> {
  /** Software stores these, and invalidates nothing. */
  readonly store?: NamedEntries;
  readonly by: "user" | "supervisor";
  readonly access: AccessKind;
  readonly manner?: Manner;
  readonly address?: bigint;
  /** The physical address, the page fault's error code, #GP(0) or #SS(0). */
  readonly gives:
    | {
        readonly physical: bigint;
        readonly patIndex?: number;
        readonly memoryType?: MemoryType;
        readonly shadowStack?: boolean;
      }
    | { readonly pageFault: number; /** The address, if absent. */ readonly cr2?: bigint }
    | "#GP(0)"
    | "#SS(0)";
  /** Entries the access changed; an absent one stays as it was. */
  readonly after?: NamedEntries;
}

export interface HandCase {
  readonly name: string;
  readonly entries: NamedEntries;
  readonly steps: readonly Step[];
}

export function changed(entries: readonly bigint[], change: NamedEntries | undefined): bigint[] {
  const [pte, pde, pdpte, pml4e, pml5e] = entries;
  return [
    change?.pte ?? pte,
    change?.pde ?? pde,
    change?.pdpte ?? pdpte,
    change?.pml4e ?? pml4e,
    change?.pml5e ?? pml5e,
  ];
}

/** The PML5E takes part with CR4.LA57 = 1 only. */
export const startOf = (handCase: HandCase): bigint[] =>
  changed([0x5007n, 0x4007n, 0x3007n, 0x2007n, 0x1007n], handCase.entries);

export function processorOf(step: Step): Processor {
  const registers: Record<string, unknown> = {};
  for (const name of Object.keys(PLAIN_PROCESSOR) as (keyof Processor)[]) {
    registers[name] = step[name] ?? PLAIN_PROCESSOR[name];
  }
  if (step.la57) registers.root = ROOT_5_LEVEL;
  return { ...PLAIN_PROCESSOR, ...registers };
}

export const accessOfStep = (step: Step): Access =>
  accessOf(step.access, step.by === "user" ? 3 : 0, step.address ?? ADDRESS, step.manner);

/** What the verdict on a step must match. */
export function expectedOf(step: Step): { vector: number; errorCode: number; cr2?: bigint } {
  if (step.gives === "#GP(0)") return { vector: 13, errorCode: 0 };
  if (step.gives === "#SS(0)") return { vector: 12, errorCode: 0 };
  if ("physical" in step.gives) return { vector: 0, errorCode: 0 };
  const cr2 = step.gives.cr2 ?? step.address ?? ADDRESS;
  return { vector: 14, errorCode: step.gives.pageFault, cr2 };
}
