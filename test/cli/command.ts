/** Runs the command in this process, with all that it writes caught. */
import { Writable } from "node:stream";
import type { Emulator } from "../../src/cli/emulator.ts";
import { runCli } from "../../src/cli/program.ts";
import { createEmulatedDriver, profileNames } from "../../src/emulated/driver.ts";

const EMULATOR: Emulator = { profileNames, defaultProfile: "6.18", createEmulatedDriver };

type Input = () => AsyncIterable<Uint8Array>;

export async function runCommand(args: readonly string[], stdin: string | Input = "") {
  const out = capture();
  const err = capture();
  async function* text() {
    yield Buffer.from(String(stdin));
  }
  const input = typeof stdin === "string" ? text : stdin;
  const io = { stdin: input, stdout: out.stream, stderr: err.stream, env: {} };
  const code = await runCli(args, io, EMULATOR);
  return { code, out: out.text(), err: err.text() };
}

function capture() {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream, text: () => chunks.join("") };
}
