/** The formats of traces, and which one a trace has. */
import { BINARY } from "./binary.ts";
import { CHAMPSIM, CLOUDSUITE_CHAMPSIM } from "./champsim.ts";
import { CSV } from "./csv.ts";
import { DRMEMTRACE } from "./drmemtrace.ts";
import type { TraceFormat } from "./format.ts";
import { LACKEY } from "./lackey.ts";
import { PERF_SCRIPT } from "./perf-script.ts";

/** Those that are more certain of their content come first. */
const FORMATS: readonly TraceFormat[] = [
  BINARY,
  LACKEY,
  CSV,
  DRMEMTRACE,
  PERF_SCRIPT,
  CHAMPSIM,
  CLOUDSUITE_CHAMPSIM,
];

export const FORMAT_NAMES: readonly string[] = FORMATS.map(({ name }) => name);

export function formatNamed(name: string): TraceFormat | undefined {
  return FORMATS.find((format) => format.name === name);
}

/** The format whose name or content it is; content decides where both speak. */
export function detectFormat(fileName: string, head: Uint8Array): TraceFormat | undefined {
  const byContent = FORMATS.filter((format) => format.recognises(head));
  const byName = FORMATS.filter(({ names }) => names.test(fileName));
  return byContent.find((format) => byName.includes(format)) ?? byContent[0] ?? byName[0];
}
