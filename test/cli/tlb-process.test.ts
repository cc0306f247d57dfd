/** `hugewalk tlb` as a process: pipes, a full disk, SIGINT. */
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { runCommand } from "./command.ts";
import { Running, shell } from "./shell.ts";
import { CPU } from "./tlb-command.ts";

describe("as a process", () => {
  const SMALL = `tlb --threads 1 --cpu zen4`;

  test("from a pipe, to one that closes, and to a full disk", () => {
    expect(
      shell(`cat "$LACKEY" | gzip | hugewalk ${SMALL} --csv - | cut -d, -f 1-6 | tail -1`),
    ).toBe("<stdin>,zen4,1G,138,62,40\n");
    expect(shell(`hugewalk ${SMALL} "$LACKEY" | head -1; echo "\${PIPESTATUS[0]}"`)).toMatch(
      /^Larger pages help: [^\n]*\n0\n$/,
    );
    expect(shell(`hugewalk ${SMALL} "$LACKEY" >/dev/full; echo $?`)).toMatch(
      /^hugewalk: cannot write the output: .*ENOSPC.*\n2\n$/,
    );
    expect(shell(`hugewalk ${SMALL} - <&-; echo $?`)).toMatch(/^hugewalk: <stdin>: .*\n2\n$/);
  });

  test("SIGINT: what was read is told", async () => {
    const hugewalk = new Running([...SMALL.split(" "), "--json", "--format", "lackey", "-"]);
    const lines = " L 1000,8\n".repeat(100_000);
    hugewalk.child.stdin?.write(lines);
    // When it has taken nearly all, it soon waits for more.
    while ((hugewalk.child.stdin?.writableLength ?? 0) > 0) await setTimeout(20);
    await setTimeout(100);
    hugewalk.child.kill("SIGINT");
    const { exitCode, text } = await hugewalk.end();
    expect(exitCode).toBe(130);
    const { trace, runs } = JSON.parse(text);
    const { load } = trace.references;
    expect(trace.isCut).toBe(true);
    expect(load).toBeGreaterThan(0);
    expect(load).toBeLessThanOrEqual(100_000);
    expect(runs.map(({ accesses }: { accesses: number }) => accesses)).toEqual([load, load, load]);
  });
});

test.each([
  { nrLoads: 0, csv: [] },
  { nrLoads: 5000, csv: ["<stdin>,small,4K,0,5000,0", "<stdin>,small,2M,0,5000,0"] },
])("SIGINT while input is waited for, after $nrLoads loads", async ({ nrLoads, csv }) => {
  async function* input() {
    if (nrLoads > 0) yield Buffer.from(" L 1000,8\n".repeat(nrLoads));
    process.emit("SIGINT", "SIGINT");
    await new Promise(() => {});
  }
  const args = ["tlb", "--threads", "1", "--cpu-file", CPU, "--policy", "4K,2M", "--csv", "-"];
  const { code, out, err } = await runCommand(args, input);
  const rows = out.split("\n").slice(1, -1);
  expect([code, rows.map((row) => row.split(",").slice(0, 6).join())]).toEqual([130, csv]);
  expect(err).toBe("");
});
