/**
 * What the command's exit code says.
 */
export const EXIT_AGREES = 0;
/** An asserted line differs. */
export const EXIT_DIFFERS = 1;
/** The command line, a file or this machine does not allow the run. */
export const EXIT_UNUSABLE = 2;
/** SIGINT, as shells have it; what was done until then has been told. */
export const EXIT_INTERRUPTED = 130;
/** A bug of hugewalk (EX_SOFTWARE of sysexits.h). */
export const EXIT_INTERNAL = 70;
