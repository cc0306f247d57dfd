/** `hugewalk capture` with a report that only counts: LIMIT PROGRAM ARGS. */
import { captureProgram } from "../../src/cli/capture.ts";

const { stdin, stdout, stderr, env } = process;
const [limit, ...command] = process.argv.slice(2);

process.exitCode = await captureProgram(
  command,
  {},
  { stdin: () => stdin, stdout, stderr, env },
  async (trace, signal) => {
    let nrReferences = 0;
    for await (const batch of trace.batches()) {
      ({ nrReferences } = batch);
      if (nrReferences >= Number(limit) || signal.aborted) break;
    }
    stdout.write(`${trace.name}: ${nrReferences} references\n`);
    return 0;
  },
);
