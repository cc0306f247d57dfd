/** What programs send into their sink, for tests. */
import { type ProgramOptions, DATA_BASE } from "../../src/programs/program.ts";
import { findProgram } from "../../src/programs/programs.ts";
import type { ReferenceSink } from "../../src/programs/sink.ts";

export const KiB = 2 ** 10;
export const MiB = 2 ** 20;
export const GiB = 2 ** 30;

/** Lines `R 0x10+8` (kind, offset from `DATA_BASE`, bytes), `invalidate 0x0+4096` and `flush`. */
export class TextSink implements ReferenceSink {
  readonly lines: string[] = [];

  refer(address: number, kind: number, nrBytes: number): void {
    this.lines.push(`${"RWF"[kind]} ${place(address, nrBytes)}`);
  }

  invalidate(address: number, nrBytes: number): void {
    this.lines.push(`invalidate ${place(address, nrBytes)}`);
  }

  flush(): void {
    this.lines.push("flush");
  }
}

function place(address: number, nrBytes: number): string {
  return `0x${(address - DATA_BASE).toString(16)}+${nrBytes}`;
}

/** References without their kinds, as offsets from `DATA_BASE`. */
export class OffsetSink implements ReferenceSink {
  readonly offsets: number[] = [];

  refer(address: number): void {
    this.offsets.push(address - DATA_BASE);
  }

  invalidate(): void {}

  flush(): void {}
}

export function runInto(
  sink: ReferenceSink,
  name: string,
  options: Partial<ProgramOptions> & Pick<ProgramOptions, "nrReferences">,
): void {
  const steps = findProgram(name).run(sink, {
    bytes: 4 * KiB,
    seed: 1,
    pageSize: "4K",
    ...options,
  });
  while (!steps.next().done);
}

export function linesOf(...[name, options]: RunArguments): string[] {
  const sink = new TextSink();
  runInto(sink, name, options);
  return sink.lines;
}

export function offsetsOf(...[name, options]: RunArguments): number[] {
  const sink = new OffsetSink();
  runInto(sink, name, options);
  return sink.offsets;
}

type RunArguments = [name: string, options: Parameters<typeof runInto>[2]];
