/** The README's programs print what the comments behind their `console.log` lines say. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const programs = [...readFileSync("README.md", "utf8").matchAll(/```ts\n([^]*?)```/g)].map(
  ([, program]) => program,
);

/** What a program says that it prints; after a colon the comment is for people. */
function promised(program: string): string[] {
  return [...program.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, says]) => says);
}

/** Runs a program against the built package, under its own name. */
function run(program: string): string[] {
  // Beside node_modules, so that the package finds itself by its name.
  const folder = mkdtempSync(join(process.cwd(), "build/readme-"));
  try {
    const file = join(folder, "program.ts");
    writeFileSync(file, program);
    const tsx = "node_modules/tsx/dist/cli.mjs";
    return execFileSync(process.execPath, [tsx, file], { encoding: "utf8" }).trimEnd().split("\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("README", () => {
  test.each(programs.map((program, index) => ({ program, index })))(
    "program $index",
    ({ program }) => {
      const says = promised(program);
      const prints = run(program);
      expect(says.length).toBeGreaterThan(2);
      expect(prints).toHaveLength(says.length);
      prints.forEach((line, i) => expect(`${says[i]}:`.startsWith(`${line}:`)).toBe(true));
    },
  );
});
