/** `hugewalk convert`: a trace of any format to binary or CSV. */
import { HugewalkError } from "../errors.ts";
import { createBinaryEncoder, createCsvEncoder } from "../trace/encode.ts";
import { quote } from "../transcript/text.ts";
import { complain, isUsersError } from "./complaint.ts";
import { EXIT_AGREES, EXIT_UNUSABLE } from "./exit-code.ts";
import { Progress } from "./progress.ts";
import { Output, type Io } from "./streams.ts";
import { createSink } from "./trace-sink.ts";
import { openTrace, tellBroken, type TraceFlags } from "./traces.ts";

export interface ConvertFlags extends TraceFlags {
  readonly to?: string;
}

const TARGETS = ["binary", "csv"];

/** Converts the trace at a path, or `-`, and returns the exit code. */
export async function convertTrace(
  from: string,
  to: string,
  flags: ConvertFlags,
  io: Io,
): Promise<number> {
  try {
    const target = flags.to ?? (to.endsWith(".csv") ? "csv" : "binary");
    if (!TARGETS.includes(target)) {
      throw new HugewalkError(`--to: unknown format ${quote(target)}; one of ${TARGETS.join(" ")}`);
    }
    if (to === "-" && target === "binary" && io.stdout.isTTY) {
      throw new HugewalkError("<out>: a terminal cannot show the binary format; use --to csv");
    }
    await convert(from, to, target, flags, io);
    return EXIT_AGREES;
  } catch (error) {
    if (!isUsersError(error)) throw error;
    await complain(io, error.message);
    return EXIT_UNUSABLE;
  }
}

async function convert(
  from: string,
  to: string,
  target: string,
  flags: TraceFlags,
  io: Io,
): Promise<void> {
  const trace = await openTrace(from, flags, io);
  const encoder = target === "csv" ? createCsvEncoder() : createBinaryEncoder(trace.hasSamples);
  const sink = await createSink(to, io);
  const progress = new Progress(io.stderr, trace.totalBytes);
  let nrReferences = 0;
  try {
    await sink.write(encoder.begin());
    for await (const batch of trace.batches()) {
      await sink.write(encoder.encode(batch));
      if (sink.isClosed) return;
      ({ nrReferences } = batch);
      progress.show(trace.nrBytes, (rate) => describe(nrReferences, trace.nrBytes, rate));
    }
    await sink.write(encoder.end(nrReferences));
    await sink.finish();
  } catch (error) {
    progress.clear();
    await sink.abandon();
    throw error;
  }
  progress.clear();
  await tellBroken(trace, io);
  if (to !== "-") await summarize(nrReferences, trace.format.name, io);
}

function describe(nrReferences: number, nrBytes: number, bytesPerSecond: number): string {
  const references = (nrReferences / 1e6).toFixed(1);
  const rate = ((nrReferences / nrBytes) * bytesPerSecond) / 1e6;
  return `${references} M references, ${rate.toFixed(1)} M/s`;
}

async function summarize(nrReferences: number, format: string, io: Io): Promise<void> {
  const out = new Output(io.stdout);
  await out.line(`# ${nrReferences} references, from ${format}`);
  await out.flush();
}
