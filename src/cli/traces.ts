/** What commands that read traces share. */
import { HugewalkError } from "../errors.ts";
import { FORMAT_NAMES, formatNamed } from "../trace/formats.ts";
import { Trace } from "../trace/trace.ts";
import { quote } from "../transcript/text.ts";
import { complain } from "./complaint.ts";
import { inputName, reasonOf, type Io } from "./streams.ts";

export interface TraceFlags {
  readonly format?: string;
  readonly lenient?: boolean;
}

/** Opens a file, or standard input for `-`. Throws `HugewalkError` naming it. */
export async function openTrace(path: string, flags: TraceFlags, io: Io): Promise<Trace> {
  const format = flags.format === undefined ? undefined : formatNamed(flags.format);
  if (flags.format !== undefined && format === undefined) {
    const all = FORMAT_NAMES.join(" ");
    throw new HugewalkError(`--format: unknown format ${quote(flags.format)}; one of ${all}`);
  }
  const options = { format, isLenient: flags.lenient };
  try {
    if (path !== "-") return await Trace.openFile(path, options);
    return await Trace.open(bytesOf(io.stdin()), inputName(path), options);
  } catch (error) {
    if (error instanceof HugewalkError) throw error;
    throw new HugewalkError(`${inputName(path)}: ${reasonOf(error)}`);
  }
}

/** Says how many records were skipped, if any were. */
export async function tellBroken(trace: Trace, io: Io): Promise<void> {
  if (trace.firstBroken === undefined) return;
  const count = trace.nrBroken === 1 ? "1 broken record" : `${trace.nrBroken} broken records`;
  await complain(io, `skipped ${count}; the first: ${trace.firstBroken.message}`);
}

async function* bytesOf(pieces: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield typeof piece === "string" ? Buffer.from(piece) : piece;
}
