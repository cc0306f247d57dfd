/**
 * What a command says on standard error, and which errors are the user's to mend.
 */
import { HugewalkError, InputError, OptionError, ResourceError } from "../errors.ts";
import { TraceError } from "../trace/trace-error.ts";
import { onOneLine } from "../transcript/text.ts";
import type { Io } from "./streams.ts";

/** One line on standard error for each message. */
export async function complain(io: Io, ...messages: readonly string[]): Promise<void> {
  for (const message of messages) {
    await new Promise<void>((resolve) => {
      io.stderr.write(`hugewalk: ${onOneLine(message)}\n`, () => resolve());
    });
  }
}

export function isUsersError(error: unknown): error is HugewalkError {
  return (
    error instanceof OptionError ||
    error instanceof ResourceError ||
    error instanceof InputError ||
    error instanceof TraceError ||
    (error instanceof Error && error.constructor === HugewalkError)
  );
}

/** The error, with its place if it is one that names none of its own. */
export function atPlace(error: unknown, place: string): unknown {
  const isPlaceless = error instanceof OptionError || error instanceof ResourceError;
  return isPlaceless ? new HugewalkError(`${place}: ${error.message}`) : error;
}
