/** The trace of a program that runs; valgrind is a script that starts it, or where told the real. */
import { chmodSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { findExecutable } from "../../src/executable.ts";
import { captureLackey, type CaptureOptions } from "../../src/trace/capture.ts";
import { EXIT, FakeValgrind, isAlive } from "./fake-valgrind.ts";

const fake = new FakeValgrind();
afterAll(() => fake.remove());
const { env } = fake;

/** Captures a script of the shell. */
function captureScript(script: string, options: CaptureOptions = {}) {
  return captureLackey(["sh", "-c", script], { env, ...options });
}

/** Reads a whole trace; the references in it. */
async function readAll(trace: Awaited<ReturnType<typeof captureScript>>["trace"]) {
  const addresses: number[] = [];
  for await (const { halves, nrWords } of trace.batches()) {
    for (let i = 0; i < nrWords; i++) addresses.push(halves[2 * i]);
  }
  return addresses;
}

/** Takes the first batch only. */
async function readSome(trace: Awaited<ReturnType<typeof captureScript>>["trace"]) {
  for await (const batch of trace.batches()) if (batch.nrReferences > 0) return;
}

test("a program's references, and how it ended", async () => {
  const { trace, program } = await captureScript(
    `echo '==7== Lackey' >&3; echo 'I  1000,3' >&3; echo ' L 2000,8' >&3; ${EXIT}`,
  );
  expect([trace.name, trace.format.name]).toEqual(["sh", "lackey"]);
  expect(await readAll(trace)).toEqual([0x1000, 0x2000]);
  expect(await program.ended).toEqual({ exitCode: 0 });
  expect([program.wasStopped, program.note]).toEqual([false, undefined]);
});

test("lines that come in pieces, late, and many", async () => {
  const { trace } = await captureScript(
    `printf ' L 10' >&3; sleep 0.1; printf '00,8\\nI  2' >&3; sleep 0.1; echo '000,4' >&3
     yes ' S 3000,8' | head -100000 >&3; ${EXIT}`,
  );
  const addresses = await readAll(trace);
  expect(addresses.slice(0, 3)).toEqual([0x1000, 0x2000, 0x3000]);
  expect(addresses.length).toBe(100_002);
});

test.each([
  ["exit 7", { exitCode: 7 }],
  ["kill -SEGV $$", { signal: "SIGSEGV" }],
])("a program that fails: %s", async (end, ending) => {
  const { trace, program } = await captureScript(`echo ' L 1000,8' >&3; ${EXIT}; ${end}`);
  expect(await readAll(trace)).toEqual([0x1000]);
  expect(await program.ended).toEqual(ending);
  expect([program.wasStopped, program.note]).toEqual([false, undefined]);
});

test("a program that becomes another is noticed", async () => {
  const { trace, program } = await captureScript("echo ' L 1000,8' >&3; exec true");
  expect(await readAll(trace)).toEqual([0x1000]);
  expect(program.note).toBe("it ran another program in its place, which was not traced");
});

test("valgrind's own failures end the trace, with their reason", async () => {
  const { trace, program } = await captureScript(
    `echo ' L 1000,8' >&3
     echo 'vex amd64->IR: unhandled instruction bytes: 0x62 0xF1 0x7D' >&3
     printf '\\nLackey: lk_main.c:529 (addEvent_Ir): Assertion failed.\\n' >&3; sleep 0.1
     echo 'host stacktrace:' >&3; exit 1`,
  );
  expect(await readAll(trace)).toEqual([0x1000]);
  expect(program.note).toBe("valgrind cannot go on: unhandled instruction bytes: 0x62 0xF1 0x7D");
  await expect(
    captureScript("printf '\\nvalgrind: no memory\\nsched status:\\n' >&3"),
  ).rejects.toThrow("sh: valgrind has traced nothing: valgrind cannot go on: valgrind: no memory");
});

describe("nothing is left running", () => {
  const MANY = "while :; do echo ' L 1000,8' >&3; done";

  test("when the trace is not read to its end", async () => {
    const pid = fake.path("endless");
    const { trace, program } = await captureScript(`echo $$ >${pid}; ${MANY}`);
    await readSome(trace);
    expect(isAlive(pid)).toBe(false);
    expect(program.wasStopped).toBe(true);
    expect(await program.ended).toEqual({ signal: "SIGTERM" });
  });

  test("when it wants to end as it likes, for two seconds", async () => {
    const polite = await captureScript(
      `trap 'yes " L 1000,8" | head -20000 >&3; exit 3' TERM; ${MANY}`,
    );
    await readSome(polite.trace);
    expect(await polite.program.ended).toEqual({ exitCode: 3 });
    const stubborn = await captureScript(`trap '' TERM; ${MANY}`);
    await readSome(stubborn.trace);
    expect(await stubborn.program.ended).toEqual({ signal: "SIGKILL" });
  });

  test("of what the program has started", async () => {
    const pid = fake.path("child");
    const { trace, program } = await captureScript(
      `sleep 1000 & echo $! >${pid}; echo ' L 1000,8' >&3; ${EXIT}`,
    );
    expect(await readAll(trace)).toEqual([0x1000]);
    expect([program.wasStopped, isAlive(pid)]).toEqual([false, false]);
  });

  test("when it is told to stop, at once or while the program is silent", async () => {
    const pid = fake.path("silent");
    const abort = new AbortController();
    const script = `echo $$ >${pid}; yes ' L 1000,8' | head -1000 >&3; printf ' L 1' >&3; sleep 1000`;
    const { trace, program } = await captureScript(script, { signal: abort.signal });
    setTimeout(() => abort.abort(), 100);
    expect((await readAll(trace)).length).toBe(1000);
    expect([program.wasStopped, isAlive(pid)]).toEqual([true, false]);
    await expect(captureScript(script, { signal: AbortSignal.abort() })).rejects.toThrow(
      "sh: valgrind has traced nothing: ended by SIGTERM",
    );
  });
});

describe("what cannot be run is told in one line", () => {
  test("no valgrind", async () => {
    await expect(captureLackey(["sh"], { env: { PATH: fake.directory } })).rejects.toThrow(
      /^valgrind is not installed; on Debian: apt-get install valgrind$/,
    );
  });

  test("no such program, a directory, no program, a setuid program", async () => {
    const plain = fake.path("plain");
    const setuid = fake.path("setuid");
    writeFileSync(plain, "");
    writeFileSync(setuid, "#!/bin/sh\n");
    chmodSync(setuid, 0o4755);
    for (const name of ["no-such-program", fake.directory, plain]) {
      const message = `${name}: no such program, or not executable`;
      await expect(captureLackey([name], { env })).rejects.toThrow(message);
    }
    const message = `${setuid}: valgrind runs no programs that are setuid or setgid`;
    await expect(captureLackey([setuid], { env })).rejects.toThrow(message);
  });

  test("a program that valgrind refuses", async () => {
    const message = "sh: valgrind has traced nothing: exit code 126";
    await expect(captureScript("exit 126")).rejects.toThrow(message);
  });
});

const hasValgrind = (await findExecutable("valgrind")) !== undefined;

describe.skipIf(!hasValgrind)(hasValgrind ? "valgrind" : "valgrind, which is not installed", () => {
  test("traces a program, and not its children", async () => {
    const one = await captureLackey(["sh", "-c", ":"]);
    const nrReferences = (await readAll(one.trace)).length;
    expect(nrReferences).toBeGreaterThan(100_000);
    expect([await one.program.ended, one.program.note]).toEqual([{ exitCode: 0 }, undefined]);
    const two = await captureLackey(["sh", "-c", "(:) & (:) & wait; exit 5"]);
    expect((await readAll(two.trace)).length).toBeLessThan(1.2 * nrReferences);
    expect([await two.program.ended, two.program.note]).toEqual([{ exitCode: 5 }, undefined]);
  });

  test("does not follow a program that becomes another", async () => {
    const { trace, program } = await captureLackey(["sh", "-c", "exec true"]);
    expect((await readAll(trace)).length).toBeGreaterThan(100_000);
    expect(program.note).toContain("another program");
  });

  test("ends with an endless program that is a part of its trace", async () => {
    const { trace, program } = await captureLackey(["sh", "-c", "while :; do :; done"]);
    await readSome(trace);
    expect(await program.ended).toEqual({ signal: "SIGTERM" });
  });
});
