/** The transposition of a matrix of doubles into another, without blocking. */
import { KIND_READ, KIND_WRITE } from "../../assembly/layout.ts";
import { DATA_BASE, defineProgram, rangesBelow } from "./program.ts";
import type { ReferenceSink } from "./sink.ts";

const DOUBLE_BYTES = 8;

/** Two matrices, side by side, as large as fit. */
export const transpose = defineProgram(
  { name: "transpose", title: "a matrix of doubles, read by rows and written by columns" },
  function* (sink, { bytes }) {
    const n = Math.floor(Math.sqrt(bytes / (2 * DOUBLE_BYTES)));
    for (;;) yield* transposeMatrix(sink, n);
  },
);

/** One n × n matrix at `DATA_BASE` into the one behind it. */
export function* transposeMatrix(sink: ReferenceSink, n: number): Generator<void> {
  const rowBytes = n * DOUBLE_BYTES;
  const result = DATA_BASE + n * rowBytes;
  for (let i = 0; i < n; i++) {
    for (const [from, end] of rangesBelow(n)) {
      for (let j = from; j < end; j++) {
        sink.refer(DATA_BASE + i * rowBytes + j * DOUBLE_BYTES, KIND_READ, DOUBLE_BYTES);
        sink.refer(result + j * rowBytes + i * DOUBLE_BYTES, KIND_WRITE, DOUBLE_BYTES);
      }
      yield;
    }
  }
}
