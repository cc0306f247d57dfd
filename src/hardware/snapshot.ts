/** A machine's state as a value: what was written of its linear memory, and what is beside it. */
import { TLB_ARRAYS } from "../../assembly/layout.ts";
import type { Core } from "../core.ts";
import { OptionError } from "../errors.ts";

export interface Snapshot {
  /** What has to be the same of the machine that it is put back into. */
  readonly shape: readonly number[];
  /** Linear memory from the exchange area to the end of what was ever written. */
  readonly bytes: Uint8Array;
  readonly state: readonly number[];
}

const NR_STATE = 5;

/** What of a machine's options decides where things are in linear memory. */
export interface Extent {
  readonly ramBytes: number;
  readonly nrCpus: number;
  readonly linearBytes: number;
}

/** RAM, CPUs, log, sets and ways of the TLBs: the same layout follows from the same numbers. */
function shapeOf(core: Core, { ramBytes, nrCpus }: Extent): number[] {
  const { exports, view } = core;
  const geometry = exports.geometryAddress() >>> 0;
  const setsAndWays = Array.from({ length: 2 * TLB_ARRAYS }, (_, i) =>
    view.getUint32(geometry + i * 4, true),
  );
  return [ramBytes, nrCpus, exports.dirtyLogAddress() >>> 0, ...setsAndWays];
}

/** Empties the lookasides, so that this machine and a restored one go on alike, counts included. */
export function takeSnapshot(core: Core, extent: Extent): Snapshot {
  core.exports.setState(0, core.exports.getState(0));
  const start = core.exports.exchangeAddress() >>> 0;
  const end = core.exports.usedEnd() >>> 0;
  return {
    shape: shapeOf(core, extent),
    bytes: new Uint8Array(core.memory.buffer, start, end - start).slice(),
    state: Array.from({ length: NR_STATE }, (_, i) => core.exports.getState(i)),
  };
}

/** Throws OptionError if the snapshot is of a machine that was created otherwise. */
export function restoreSnapshot(core: Core, extent: Extent, snapshot: Snapshot): void {
  const start = core.exports.exchangeAddress() >>> 0;
  const used = core.exports.usedEnd() >>> 0;
  const end = start + snapshot.bytes.length;
  const shape = shapeOf(core, extent);
  const isAlike = shape.every((number, i) => number === snapshot.shape[i]);
  if (!isAlike || end > extent.linearBytes) {
    throw new OptionError("snapshot", "it is of another kind of machine");
  }
  const memory = new Uint8Array(core.memory.buffer);
  memory.set(snapshot.bytes, start);
  // What was written since lies behind it and has to read as zeros again.
  if (used > end) memory.fill(0, end, used);
  snapshot.state.forEach((value, i) => core.exports.setState(i, value));
}
