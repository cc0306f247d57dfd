#!/usr/bin/env node
/**
 * The `hugewalk` command: this process's streams, and the emulated kernel.
 */
import { DEFAULT_PROFILE } from "../kernel/profile.ts";
import { createEmulatedDriver, profileNames } from "../emulated/driver.ts";
import { EXIT_INTERRUPTED } from "./exit-code.ts";
import { runCli } from "./program.ts";

const { stdout, stderr, env } = process;
// Nobody is left to tell.
stderr.on("error", () => {});
process.exitCode = await runCli(
  process.argv.slice(2),
  { stdin: () => process.stdin, stdout, stderr, env },
  { profileNames, defaultProfile: DEFAULT_PROFILE, createEmulatedDriver },
);
// All is written; a read that is still under way would keep the process.
if (process.exitCode === EXIT_INTERRUPTED) process.exit();
