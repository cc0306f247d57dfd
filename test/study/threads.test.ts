/** The built command prints the same, however many threads share the work. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

const MAIN = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));
const LACKEY = fileURLToPath(new URL("../traces/small.lackey", import.meta.url));
/** Each starts the command several times. */
vi.setConfig({ testTimeout: 120_000 });

const directory = mkdtempSync(join(tmpdir(), "hugewalk-"));
const LONG = join(directory, "long.lackey");

beforeAll(() => {
  // More than a ring has room for.
  const lines = Array.from({ length: 250_000 }, (_, i) => {
    return ` ${"LSM"[i % 3]} ${(((i * 2654435761) % 2 ** 32) >>> 4).toString(16)},${1 + (i % 300)}`;
  });
  writeFileSync(LONG, `${lines.join("\n")}\n`);
});
afterAll(() => rmSync(directory, { recursive: true }));

function hugewalk(args: readonly string[], options: { input?: string } = {}): string {
  return execFileSync(process.execPath, [MAIN, ...args], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: "pipe",
    ...options,
  });
}

describe.each([
  { name: "a short trace", args: ["tlb", "--cpu", "all", LACKEY] },
  {
    name: "a long one, with all there is to tell",
    args: ["tlb", "--cpu", "zen4", "--interval", "99999", "--policy", "4K,2M,1G,thp", LONG],
  },
  { name: "a part of it", args: ["tlb", "--skip", "12345", "--references", "123456", LONG] },
  {
    name: "programs",
    args: ["bench", "gups", "fork-and-write", "--bytes", "64M", "--references", "50000"],
  },
])("$name", ({ args }) => {
  test("the same by any number of threads", () => {
    const alone = hugewalk([...args, "--json", "--threads", "1"]);
    expect(alone).toMatch(/^\{"type":"study",.*\}\n$/s);
    const isSame = (count: string) => hugewalk([...args, "--json", "--threads", count]) === alone;
    expect(["2", "3", "5"].filter((count) => !isSame(count))).toEqual([]);
  });
});

test("from a pipe", () => {
  const args = ["tlb", "--json", "--threads"];
  const file = execFileSync("cat", [LONG], { encoding: "utf8", maxBuffer: 2 ** 28 });
  const named = (json: string) => json.replace('"name":"<stdin>"', `"name":"${LONG}"`);
  const alone = hugewalk([...args, "1", LONG]);
  const isSame = (count: string) => {
    return named(hugewalk([...args, count, "-"], { input: file })) === alone;
  };
  expect(["1", "3"].filter((count) => !isSame(count))).toEqual([]);
});

test("a trace that is broken far behind ends all threads", () => {
  const broken = join(directory, "broken.lackey");
  execFileSync("sh", ["-c", 'cat "$1" > "$2"; echo " L ?" >> "$2"', "sh", LONG, broken]);
  const run = () => hugewalk(["tlb", "--threads", "4", broken]);
  expect(run).toThrow(/broken\.lackey: line 250001: no reference as lackey writes them/);
});
