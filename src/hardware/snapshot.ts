/** A machine's state as a value: what was written of its linear memory, and what is beside it. */
import type { Core } from "../core.ts";
import { OptionError } from "../errors.ts";

export interface Snapshot {
  readonly ramBytes: number;
  /** Linear memory from the exchange area to the end of what was ever written. */
  readonly bytes: Uint8Array;
  readonly state: readonly number[];
}

const NR_STATE = 5;

export function takeSnapshot(core: Core, ramBytes: number): Snapshot {
  const start = core.exports.exchangeAddress() >>> 0;
  const end = core.exports.usedEnd() >>> 0;
  return {
    ramBytes,
    bytes: new Uint8Array(core.memory.buffer, start, end - start).slice(),
    state: Array.from({ length: NR_STATE }, (_, i) => core.exports.getState(i)),
  };
}

/** Throws OptionError if the snapshot is of a machine that was created otherwise. */
export function restoreSnapshot(core: Core, ramBytes: number, snapshot: Snapshot): void {
  const start = core.exports.exchangeAddress() >>> 0;
  const used = core.exports.usedEnd() >>> 0;
  const end = start + snapshot.bytes.length;
  if (snapshot.ramBytes !== ramBytes || end > core.memory.buffer.byteLength) {
    throw new OptionError("snapshot", "it is of another kind of machine");
  }
  const memory = new Uint8Array(core.memory.buffer);
  memory.set(snapshot.bytes, start);
  // What was written since lies behind it and has to read as zeros again.
  if (used > end) memory.fill(0, end, used);
  snapshot.state.forEach((value, i) => core.exports.setState(i, value));
}
