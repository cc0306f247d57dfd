/** Reading the transcripts that a command line names. */
import { HugewalkError } from "../errors.ts";
import { parseTranscript, type ParseOptions } from "../transcript/parse.ts";
import type { Script } from "../transcript/script.ts";
import { decodeTranscript, quote } from "../transcript/text.ts";
import type { Emulator } from "./emulator.ts";
import { inputName, readInput, type Io } from "./streams.ts";

/** The transcripts that can be used; what is wrong with the others goes to `errors`. */
export async function readScripts(
  paths: readonly string[],
  io: Io,
  errors: string[],
  options: ParseOptions,
): Promise<readonly Script[]> {
  const scripts: Script[] = [];
  for (const path of paths) {
    const name = inputName(path);
    try {
      const text = decodeTranscript(await readInput(path, io), name);
      const parsed = parseTranscript(text, name, options);
      if (parsed.script !== undefined) {
        scripts.push(parsed.script);
      } else {
        errors.push(...parsed.errors.map((error) => error.message));
        if (parsed.isCut) errors.push(`${name}: there may be more errors`);
      }
    } catch (error) {
      if (!(error instanceof HugewalkError)) throw error;
      errors.push(error.message);
    }
  }
  return scripts;
}

export function unknownKernel(name: string, { profileNames }: Emulator): string {
  return `unknown kernel ${quote(name)}; one of ${profileNames.join(" ")}`;
}
