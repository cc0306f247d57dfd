/** What walks were for: the model's tallies, read. Their layout: assembly/model/tally.ts. */
import {
  INSTRUCTION_BYTES,
  REGION_BYTES,
  REGION_TOUCHED,
  SLOT_CYCLES,
  SLOT_KEY,
  SLOT_WALKS,
  TABLE_MASK,
  TABLE_SLOTS,
} from "../../assembly/model/layout.ts";
import { PAGE_SHIFT } from "./config.ts";

/** Without walks ahead. */
interface WalkCounts {
  readonly walks: number;
  /** Cycles of their entry loads. */
  readonly walkCycles: number;
}

/** Of a region of 2M: walks to pages for addresses in it, of those of 1G too. */
export interface RegionCounts extends WalkCounts {
  readonly address: number;
  /** How many of its 512 pages of 4K were walked to as such. */
  readonly touchedPages: number;
}

/**
 * Of an instruction: its own fetches, and references whose CONTROL_IP names it, or that have none and
 * come after its fetch and before another.
 */
export interface InstructionCounts extends WalkCounts {
  /** Its bits 0 to 47; 0 too for references before any fetch. */
  readonly address: number;
}

export function readRegions(memory: ArrayBuffer, tally: number): RegionCounts[] {
  const view = new DataView(memory);
  return slotsOf(view, tally, REGION_BYTES)
    .map(({ key, at }) => ({
      address: key * 2 ** PAGE_SHIFT["2M"],
      ...walksAt(view, at),
      touchedPages: countBits(view, at + REGION_TOUCHED, 512),
    }))
    .filter(({ walks }) => walks > 0)
    .toSorted((a, b) => a.address - b.address);
}

export function readInstructions(memory: ArrayBuffer, tally: number): InstructionCounts[] {
  const view = new DataView(memory);
  return slotsOf(view, tally, INSTRUCTION_BYTES)
    .map(({ key, at }) => ({ address: key, ...walksAt(view, at) }))
    .toSorted((a, b) => a.address - b.address);
}

function slotsOf(view: DataView, tally: number, slotBytes: number): { key: number; at: number }[] {
  const slots = view.getUint32(tally + TABLE_SLOTS, true);
  const nrSlots = view.getUint32(tally + TABLE_MASK, true) + 1;
  return Array.from({ length: nrSlots }, (_, i) => slots + i * slotBytes)
    .map((at) => ({ key: Number(view.getBigUint64(at + SLOT_KEY, true)) - 1, at }))
    .filter(({ key }) => key >= 0);
}

function walksAt(view: DataView, at: number): WalkCounts {
  return {
    walks: Number(view.getBigUint64(at + SLOT_WALKS, true)),
    walkCycles: Number(view.getBigUint64(at + SLOT_CYCLES, true)),
  };
}

function countBits(view: DataView, at: number, nrBits: number): number {
  let count = 0;
  for (let byte = 0; byte < nrBits / 8; byte++) {
    for (let bits = view.getUint8(at + byte); bits > 0; bits &= bits - 1) count++;
  }
  return count;
}
