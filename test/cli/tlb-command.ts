/** What tests of `hugewalk tlb` share: a directory, a small processor, and the command in it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { runCommand } from "./command.ts";
import { LACKEY } from "./shell.ts";
import { SMALL_CPU } from "./small-cpu.ts";

export const directory = mkdtempSync(join(tmpdir(), "hugewalk-"));
export const at = (name: string) => join(directory, name);
export const CPU = at("cpu.json");
beforeAll(() => {
  writeFileSync(CPU, SMALL_CPU);
  writeFileSync(at("maps"), MAPS);
});
afterAll(() => rmSync(directory, { recursive: true }));

const MAPS = `00400000-00800000 r-xp 00000000 08:02 173521 /usr/bin/app
1ffec00000-1fff200000 rw-p 00000000 00:00 0 [stack]
`;

/** On one thread: others would have to be built. */
export async function tlb(args: readonly string[], stdin = "") {
  const { code, out, err } = await runCommand(["tlb", "--threads", "1", ...args], stdin);
  return { code, out: out.replaceAll(LACKEY, "LACKEY"), err: err.replaceAll(`${directory}/`, "") };
}

/** On the small processor. */
export async function small(args: readonly string[], stdin = "") {
  return tlb(["--cpu-file", CPU, ...args], stdin);
}

/** So many loads, each of a page of its own. */
export function loadsOf(nrPages: number): string[] {
  return Array.from({ length: nrPages }, (_, i) => ` L ${(i * 4096).toString(16)},8`);
}
