/**
 * What a case worked out by hand consists of, and how it becomes a scene.
 */
import type { AccessKind } from "./manual.ts";
import { placeOf, type Scene } from "./scene.ts";

export const ADDRESS = 0x1234_5678_9000n;
const PLACE = placeOf(ADDRESS);

/** Entries by name; an absent one is as it was. */
export interface Entries {
  readonly pml4e?: bigint;
  readonly pdpte?: bigint;
  readonly pde?: bigint;
  readonly pte?: bigint;
}

export interface Step {
  /** Software stores these, and invalidates nothing. */
  readonly store?: Entries;
  readonly by: "user" | "supervisor";
  readonly access: AccessKind;
  readonly address?: bigint;
  readonly wp?: boolean;
  readonly nxe?: boolean;
  readonly maxPhysicalAddressBits?: number;
  readonly pages1G?: boolean;
  /** The physical address, the page fault's error code, or #GP(0). */
  readonly gives: { readonly physical: bigint } | { readonly pageFault: number } | "#GP(0)";
  /** Entries the access changed; an absent one stays as it was. */
  readonly after?: Entries;
}

export interface HandCase {
  readonly name: string;
  readonly entries: Entries;
  readonly steps: readonly Step[];
}

export function changed(entries: readonly bigint[], change: Entries | undefined): bigint[] {
  const [pte, pde, pdpte, pml4e] = entries;
  return [change?.pte ?? pte, change?.pde ?? pde, change?.pdpte ?? pdpte, change?.pml4e ?? pml4e];
}

export const startOf = (handCase: HandCase): bigint[] =>
  changed([0x5007n, 0x4007n, 0x3007n, 0x2007n], handCase.entries);

export function sceneOf(step: Step, entries: readonly bigint[]): Scene {
  return {
    user: step.by === "user",
    access: step.access,
    wp: step.wp ?? true,
    nxe: step.nxe ?? true,
    maxPhysicalAddressBits: step.maxPhysicalAddressBits ?? 46,
    pages1G: step.pages1G ?? true,
    place: PLACE,
    entries,
    address: step.address ?? ADDRESS,
  };
}
