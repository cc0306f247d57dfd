/**
 * The command as a process, with the fake emulator.
 */
import { runCli } from "../../src/cli/program.ts";
import { createFakeEmulator } from "./fake-emulator.ts";

const { stdout, stderr, env } = process;
const io = { stdin: () => process.stdin, stdout, stderr, env };
process.exitCode = await runCli(process.argv.slice(2), io, createFakeEmulator());
