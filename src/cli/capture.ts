/** `hugewalk capture`: a program runs under valgrind, and its trace is studied meanwhile. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { captureLackey } from "../trace/capture.ts";
import { describeEnding } from "../trace/process-group.ts";
import type { TracedProgram } from "../trace/traced-program.ts";
import { complain } from "./complaint.ts";
import { Progress } from "./progress.ts";
import { named, type Io } from "./streams.ts";
import { atUsersRisk, prepareView, printStudy, studyWithProgress, type ViewFlags } from "./tlb.ts";
import { tellBroken } from "./traces.ts";

export interface CaptureFlags extends ViewFlags {
  readonly lenient?: boolean;
  readonly output?: string;
}

/** They end the program, too, and the report is of what it did until then. */
const INTERRUPTIONS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Studies a program while it runs, prints what it finds, and returns the exit code. */
export async function studyProgram(
  command: readonly string[],
  flags: CaptureFlags,
  io: Io,
): Promise<number> {
  return atUsersRisk(
    io,
    async (signal) => {
      const view = await prepareView(flags, io);
      const options = { isLenient: flags.lenient, signal };
      const { trace, program } = await captureLackey(command, options);
      try {
        const stream = flags.output === undefined ? io.stdout : await openFile(flags.output);
        // Not over what the program writes.
        const progress = io.stdout.isTTY ? undefined : new Progress(io.stderr, trace.totalBytes);
        const study = await studyWithProgress(trace, view, signal, progress);
        await printStudy(study, flags, view, stream);
      } finally {
        await program.stop();
        await tellBroken(trace, io);
        await tellEnding(trace.name, program, io);
      }
    },
    INTERRUPTIONS,
  );
}

async function openFile(path: string): Promise<NodeJS.WritableStream> {
  const stream = createWriteStream(path);
  await named(path, () => once(stream, "open"));
  return stream;
}

/** Says how the program ended, unless it did as it should, or was told to. */
async function tellEnding(name: string, program: TracedProgram, io: Io): Promise<void> {
  if (program.wasStopped) return;
  if (program.note !== undefined) await complain(io, `${name}: ${program.note}`);
  const ending = await program.ended;
  const isUsual = "exitCode" in ending && ending.exitCode === 0;
  if (!isUsual) await complain(io, `${name}: ${describeEnding(ending)}`);
}
