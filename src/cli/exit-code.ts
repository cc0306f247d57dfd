/**
 * What the command's exit code says.
 */
import { constants } from "node:os";

export const EXIT_AGREES = 0;
/** An asserted line differs. */
export const EXIT_DIFFERS = 1;
/** The command line, a file or this machine does not allow the run. */
export const EXIT_UNUSABLE = 2;
/** SIGINT; what was done until then has been told. */
export const EXIT_INTERRUPTED = exitCodeOfSignal("SIGINT");
/** A bug of hugewalk (EX_SOFTWARE of sysexits.h). */
export const EXIT_INTERNAL = 70;

/** As shells have it. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
