/** Everything the exhaustive run covers, as items of one or more spaces. */
import type { Space } from "./compare.ts";
import type { SequenceSpace } from "./sequence.ts";
import { anyEntries } from "./space-any.ts";
import { addressBits, allEntryBits } from "./space-bits.ts";
import { permissionCube, statesOfEveryLevel } from "./space-cube.ts";
import { kvmSpace } from "./space-kvm.ts";
import { changesOfRegisters, changesOfTables } from "./space-sequence.ts";
import { ALL_WIDTHS, SOME_WIDTHS, STYLES } from "./starts.ts";

/** A space of sequences, on a machine with paging-structure caches or without. */
interface SequenceJob {
  readonly sequences: SequenceSpace;
  readonly hasStructureCaches: boolean;
}
/** A space of single accesses. */
interface SpaceJob {
  readonly accesses: Space;
}
export type Job = SequenceJob | SpaceJob;

export interface Item {
  readonly title: string;
  jobs(): readonly Job[];
}

const accesses = (spaces: readonly Space[]): Job[] => spaces.map((space) => ({ accesses: space }));

export const ITEMS: readonly Item[] = [
  { title: "1. kvm-unit-tests' space", jobs: () => accesses([kvmSpace(false)]) },
  { title: "1a. the same with SMEP", jobs: () => accesses([kvmSpace(true)]) },
  {
    title: "2. one and two bits of the entries",
    jobs: () => accesses(allEntryBits(STYLES.slice(0, 1), ALL_WIDTHS)),
  },
  {
    title: "2a. the same from other tables, every feature on",
    jobs: () => accesses(allEntryBits(STYLES.slice(1), SOME_WIDTHS)),
  },
  { title: "2b. one and two bits of the address", jobs: () => accesses([addressBits()]) },
  { title: "3. the permission cube", jobs: () => accesses([permissionCube()]) },
  { title: "3a. states of every level", jobs: () => accesses(statesOfEveryLevel()) },
  { title: "3b. any entries, any registers", jobs: () => accesses([anyEntries(10_000_000)]) },
  {
    title: "4. two accesses and a change between",
    jobs: () =>
      [
        changesOfTables(1, false),
        changesOfTables(1, true),
        changesOfTables(2, false),
        changesOfTables(2, true),
        changesOfTables(3, false),
        changesOfRegisters(),
      ].flatMap((sequences) =>
        [false, true].map((hasStructureCaches) => ({ sequences, hasStructureCaches })),
      ),
  },
];

export function sizeOf(job: Job): number {
  return "accesses" in job ? job.accesses.size : job.sequences.size;
}

export function nameOf(job: Job): string {
  if ("accesses" in job) return job.accesses.name;
  return `${job.sequences.name}, ${job.hasStructureCaches ? "with" : "without"} structure caches`;
}
