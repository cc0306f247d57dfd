/** Random scripts on a real kernel, for which an emulated one stands here. */
import { describe, expect, test } from "vitest";
import { compareEmulated } from "../../src/fuzz/judge.ts";
import { HarmlessOnly, RealComparison } from "../../src/fuzz/real.ts";
import { EmulatedSubject } from "../../src/fuzz/subject.ts";
import type { RealKernel } from "../../src/live/real-kernel.ts";
import type { Driver } from "../../src/transcript/driver.ts";
import { parseTranscript } from "../../src/transcript/parse.ts";
import type { Script } from "../../src/transcript/script.ts";

/** 6.18 restores a reservation whose page is still in use. */
const RETURNED_TWICE = scriptOf(`host nr_hugepages 1
P mmap a 1h rw private,anon,huge
P write a 1
P fork C
P munmap a 1h
C read a`);
/** The reservation of what stays is lost. */
const PART_MOVED = scriptOf(`host nr_hugepages 2
P mmap a 2h rw private,anon,huge
P mremap b a 1h 1h maymove fixed at=0x1000000000
P exit`);
/** A reservation of a mount's minimum is lost, for good on 6.18. */
const LOST_MINIMUM = scriptOf(`host nr_hugepages 3
P mmap a 1h rw private,anon,huge
P mmap b 1h rw private,anon,huge
host mount /mnt/b size=4M,min_size=2M
P open fd /mnt/b/f creat
P mmap c 2h rw private fd=fd`);
/** The same frame twice, in two lives. */
const REUSE = scriptOf(`host nr_hugepages 1
P mmap a 1h rw private,anon,huge
P write a 1
P pagemap a 1
P munmap a 1h
P mmap b 1h rw private,anon,huge
P write b 1
P pagemap b 1`);

function scriptOf(text: string): Script {
  const { script, errors } = parseTranscript(text, "test");
  if (!script) throw errors[0];
  return script;
}

/** A kernel like the profile; `alter` makes of its driver what another one would do. */
function realKernel(profile: string, alter = (driver: Driver): Driver => driver): RealKernel {
  const subject = new EmulatedSubject(profile);
  return {
    release: `${profile}.9-test`,
    description: "",
    lostPages: new Map(),
    // As a real one: it does not tell when a frame was freed.
    driver: (machine) => {
      const driver = subject.boot(machine);
      return Promise.resolve(
        alter({
          isFrameAlive: () => true,
          counters: () => driver.counters(),
          process: (actor, operation) => driver.process(actor, operation),
          host: (operation) => driver.host(operation),
        }),
      );
    },
    close: () => Promise.resolve(),
  };
}

const emulator = () => new EmulatedSubject("fixed");

describe("a real kernel", () => {
  test("that is as the emulator has no fault, whose frames have one name for life", async () => {
    const judge = new RealComparison(emulator(), realKernel("fixed"));
    expect(await judge.fault(RETURNED_TWICE)).toBeUndefined();
    expect(await judge.fault(REUSE)).toBeUndefined();
  });

  test("that differs: the first line, with both results", async () => {
    const judge = new RealComparison(emulator(), realKernel("6.18"));
    expect((await judge.fault(RETURNED_TWICE))?.kind).toBe("munmap: ok / ok rsvd");
    const told: string[] = [];
    for await (const line of judge.tell(RETURNED_TWICE)) told.push(line);
    expect(told.slice(-2)).toEqual([
      "#   fixed              => ok ;",
      "#   linux-6.18.9-test  => ok ; rsvd=18446744073709551615",
    ]);
  });

  test("that says this and that is not believed", async () => {
    let nrReads = 0;
    const moody = realKernel("fixed", (driver) => ({
      ...driver,
      process(actor, operation) {
        const outcome = driver.process(actor, operation);
        return operation.op === "read" && nrReads++ % 2 === 0 ? { result: "7" } : outcome;
      },
    }));
    const judge = new RealComparison(emulator(), moody);
    expect(await judge.fault(RETURNED_TWICE)).toBeUndefined();
    expect(nrReads).toBe(2);
  });

  test("that lacks a system call", async () => {
    const without = realKernel("fixed", (driver) => ({
      ...driver,
      process: (actor, operation) =>
        operation.op === "munmap" ? { result: "ENOSYS" } : driver.process(actor, operation),
    }));
    expect(await new RealComparison(emulator(), without).fault(RETURNED_TWICE)).toBeUndefined();
  });

  test("is not asked at all where that would do it harm", async () => {
    let nrAsked = 0;
    const kernel = realKernel("6.18", (driver) => {
      nrAsked++;
      return driver;
    });
    const like = new EmulatedSubject("6.18");
    const judge = new HarmlessOnly(new RealComparison(emulator(), kernel), like, kernel, 64);
    expect(await judge.fault(PART_MOVED)).toBeUndefined();
    expect(await judge.fault(LOST_MINIMUM)).toBeUndefined();
    expect(nrAsked).toBe(0);
    expect(await judge.fault(RETURNED_TWICE)).toBeDefined();
    expect(nrAsked).toBe(2);
    for (const script of [PART_MOVED, LOST_MINIMUM]) {
      expect(await compareEmulated(emulator(), like).fault(script)).toBeDefined();
    }
  });
});
