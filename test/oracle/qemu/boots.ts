/** The processors on which cases are recorded. */
import type { Processor } from "./case.ts";

export const BOOTS: readonly Processor[] = [
  { levels: 4, maxPhysicalAddressBits: 36 },
  { levels: 4, maxPhysicalAddressBits: 40 },
  { levels: 4, maxPhysicalAddressBits: 46 },
  { levels: 4, maxPhysicalAddressBits: 52 },
  { levels: 5, maxPhysicalAddressBits: 39 },
  { levels: 5, maxPhysicalAddressBits: 46 },
  { levels: 5, maxPhysicalAddressBits: 52 },
];
