/**
 * How a script is run, and how what happens is compared with what it expects.
 */
import { describe, expect, test } from "vitest";
import type { PagemapEntry } from "../../src/transcript/driver.ts";
import { runScript, type LineRecord } from "../../src/transcript/run.ts";
import { collect, FakeDriver, scriptOf, type Step } from "./fake-driver.ts";

async function run(text: string, driver: FakeDriver): Promise<LineRecord[]> {
  return collect(runScript(scriptOf(text), driver));
}

/** For each line: its result, with ` !` where it differs. */
async function results(text: string, steps: readonly Step[], has1G = false): Promise<string[]> {
  const records = await run(text, new FakeDriver(steps, { has1G }));
  return records.map(({ result, differs }) => `${result}${differs ? " !" : ""}`);
}

test("operations reach the driver with their addresses resolved", async () => {
  const driver = new FakeDriver([
    { result: "ok", bound: 0x10000000 },
    { result: "ok moved", bound: 0x20000000 },
  ]);
  await run(
    `A mmap a 4h rw private,anon,huge=1G at=0x5000 off=1p
     A mremap b a 4h 2h fixed at=0x20000000 dontunmap
     A munmap a+1h+1p 1h
     A mprotect a 1h none
     A madvise a 1h dontfork
     A mincore a 4h
     A mlock b 1h
     A munlock b 1h
     A read a+8
     A write b 0xffffffffffffffff
     A increment b
     A touch read a 4
     A touch write a 4 7
     A signals catch
     A fork C
     A wait C
     A smaps a
     A pagemap a
     A pagemap a 4
     A status
     A vmas a 4h
     A exec
     A exit
     C exit 3
     host nr_hugepages 1G 2
     host nr_overcommit_hugepages -1
     host sysctl_nr_hugepages 3 4
     host kill C 9`,
    driver,
  );
  const [a, b, h] = [0x10000000, 0x20000000, 2 ** 21];
  const none = { read: false, write: false, execute: false };
  const flags = new Set(["private", "anon", "huge"]);
  const protection = { ...none, read: true, write: true };
  const operations = [
    { op: "mmap", length: 4 * h, protection, flags, hugeSize: 2 ** 30, at: 0x5000, offset: 4096 },
    {
      op: "mremap",
      address: a,
      oldLength: 4 * h,
      newLength: 2 * h,
      flags: new Set(["fixed", "dontunmap"]),
      at: b,
    },
    { op: "munmap", address: a + h + 4096, length: h },
    { op: "mprotect", address: a, length: h, protection: none },
    { op: "madvise", address: a, length: h, advice: "dontfork" },
    { op: "mincore", address: a, length: 4 * h },
    { op: "mlock", address: b, length: h },
    { op: "munlock", address: b, length: h },
    { op: "read", address: a + 8 },
    { op: "write", address: b, value: 0xffffffffffffffffn },
    { op: "increment", address: b },
    { op: "touch", access: "read", address: a, nrPages: 4 },
    { op: "touch", access: "write", address: a, nrPages: 4, value: 7n },
    { op: "signals", action: "catch" },
    { op: "fork", child: "C" },
    { op: "wait", child: "C" },
    { op: "smaps", address: a },
    { op: "pagemap", address: a, nrPages: 1 },
    { op: "pagemap", address: a, nrPages: 4 },
    { op: "status" },
    { op: "vmas", address: a, length: 4 * h },
    { op: "exec" },
    { op: "exit", code: 0 },
    { op: "exit", code: 3 },
    { op: "nr_hugepages", hugeSize: 2 ** 30, text: "2" },
    { op: "nr_overcommit_hugepages", text: "-1" },
    { op: "sysctl_nr_hugepages", text: "3 4" },
    { op: "kill", target: "C", signal: 9 },
  ];
  expect(driver.calls.map(({ operation }) => operation)).toEqual(operations);
  const actors = [...Array<string>(23).fill("A"), "C", "host", "host", "host", "host"];
  expect(driver.calls.map(({ actor }) => actor)).toEqual(actors);
});

describe("names", () => {
  const MMAP = "A mmap a 1h rw anon";

  async function addresses(text: string, steps: readonly Step[]): Promise<unknown[]> {
    const driver = new FakeDriver(steps);
    await run(text, driver);
    return driver.calls.flatMap(({ operation }) => {
      return operation.op === "read" ? [operation.address] : [];
    });
  }

  test("a fork copies them as they are then", async () => {
    const text = `${MMAP}\nA fork C\n${MMAP}\nC read a\nA read a`;
    const steps = [{ result: "ok", bound: 100 }, { result: "ok" }, { result: "ok", bound: 200 }];
    expect(await addresses(text, steps)).toEqual([100, 200]);
  });

  test("a fork that fails copies nothing", async () => {
    const text = `${MMAP}\nA fork C\nC read a => unbound`;
    expect(await results(text, [{ result: "ok", bound: 100 }, { result: "ENOMEM" }])).toEqual([
      "ok",
      "ENOMEM",
      "unbound",
    ]);
  });

  test("exec keeps them", async () => {
    expect(await addresses(`${MMAP}\nA exec\nA read a`, [{ result: "ok", bound: 5 }])).toEqual([5]);
  });

  test("a mapping that fails leaves them: unbound, or as before", async () => {
    const driver = new FakeDriver([{ result: "ENOMEM" }]);
    const records = await run(`${MMAP}\nA read a\nA let b a\nA write b 1`, driver);
    expect(records.map(({ result }) => result)).toEqual([
      "ENOMEM",
      "unbound",
      "unbound",
      "unbound",
    ]);
    expect(driver.calls.length).toBe(1);
    const steps = [{ result: "ok", bound: 100 }, { result: "ENOMEM" }];
    expect(await addresses(`${MMAP}\n${MMAP}\nA read a`, steps)).toEqual([100]);
  });

  test("let binds one without asking the driver", async () => {
    const text = `${MMAP}\nA let b a+8 => ok ;\nA let c 0x10\nA read b\nA read c+1`;
    expect(await addresses(text, [{ result: "ok", bound: 100 }])).toEqual([108, 17]);
  });
});

describe("results and counters", () => {
  const set = (counters: Record<string, bigint | number>, result = "ok") => [{ result, counters }];

  test.each<[expectation: string, steps: Step[], outcome: string]>([
    ["", set({ free: 1 }), "ok"],
    ["=> ok", set({ free: 1 }), "ok"],
    ["=> ENOMEM", set({}), "ok !"],
    ["=> ok at", set({}, "ok  at"), "ok  at !"],
    ["=> ok ;", set({}), "ok"],
    ["=> ok ;", set({ free: 1 }), "ok !"],
    ["=> ok ; free=1", set({ free: 1 }), "ok"],
    ["=> ok ; free=1", set({ free: 2 }), "ok !"],
    ["=> ok ; free=1", set({}), "ok !"],
    ["=> ok ; free=0", set({ free: 0 }), "ok !"],
    ["=> ok ; free=1", set({ free: 1, rsvd: 1 }), "ok !"],
    ["=> ok ; rsvd=1 free=1", set({ free: 1, rsvd: 1 }), "ok"],
    ["=> ok ; surp=1", set({ surp: 1 }), "ok"],
    ["=> ok ;", set({ surp: 1 }), "ok !"],
    ["=> ok ; rsvd=18446744073709551615", set({ rsvd: 2n ** 64n - 1n }), "ok"],
    ["=> ok ;", set({ "1G.free": 1 }), "ok !"],
    ["=> ok ; 1G.free=1", set({ "1G.free": 1 }), "ok"],
    ["=> ok ; 1G.total=1", set({ "1G.total": 1, "1G.surp": 1 }), "ok"],
    ["=> ok ; 1G.surp=1", set({ "1G.surp": 1 }), "ok"],
    ["=> ok ; 1G.surp=1", set({ "1G.surp": 2 }), "ok !"],
    ["=> ok ; 1G.surp=1", set({}), "ok !"],
  ])("A exec %s", async (expectation, steps, outcome) => {
    expect(await results(`A exec ${expectation}`, steps, true)).toEqual([outcome]);
  });

  test("a counter the machine does not have cannot change", async () => {
    expect(await results("A exec => ok ; 1G.free=1", set({}))).toEqual(["ok !"]);
  });

  test("each line is compared with the one before it", async () => {
    const steps = [...set({ free: 1, total: 1 }), ...set({ free: 0 })];
    const records = await run(
      "A exec\nA exec => ok ; free=0\nA exec => ok ;",
      new FakeDriver(steps),
    );
    expect(records.map(({ differs }) => differs)).toEqual([false, false, false]);
    expect(records.map(({ changes }) => [...changes])).toEqual([
      [
        ["total", 1n],
        ["free", 1n],
      ],
      [["free", 0n]],
      [],
    ]);
  });
});

describe("labels", () => {
  const frame = (id: number, sharing: "exclusive" | "shared" = "exclusive"): PagemapEntry => {
    return { frame: id, backing: "anon", sharing };
  };
  /** A pagemap that shows the frames of these numbers; 0 is none. */
  const show = (...frames: number[]): Step => {
    return { result: "", pagemap: frames.map((id) => (id === 0 ? undefined : frame(id))) };
  };
  const free = (...dies: number[]): Step => ({ result: "ok", dies });

  test.each<[what: string, expectations: string[], steps: Step[], outcomes: string[]]>([
    ["are numbered from 1", ["", ""], [show(70, 0, 71), show(71, 72)], ["1 - 2", "2 3"]],
    ["are taken from the expectation", ["7", "7 3"], [show(70), show(70, 71)], ["7", "7 3"]],
    ["equal: one frame", ["1 1"], [show(70, 70)], ["1 1"]],
    ["equal, but two frames", ["1 1"], [show(70, 71)], ["1 2 !"]],
    ["different, but one frame", ["1 2"], [show(70, 70)], ["1 1 !"]],
    ["across lines", ["1", "2"], [show(70), show(70)], ["1", "1 !"]],
    ["bound to a live frame", ["1", "1"], [show(70), show(71)], ["1", "2 !"]],
    ["bound again", ["1", ".", "1"], [show(70), free(70), show(71)], ["1", "ok", "1"]],
    [
      "bound again while another frame has the name",
      ["1 2", ".", "1"],
      [show(70, 71), free(70), show(71)],
      ["1 2", "ok", "2 !"],
    ],
    ["a frame where none is expected", ["-"], [show(70)], ["1 !"]],
    ["none where a frame is expected", ["1"], [show(0)], ["- !"]],
    ["too few", ["1 -"], [show(70)], ["1 !"]],
    ["too many", ["1"], [show(70, 0)], ["1 - !"]],
    // Nothing is asserted of the first line, so what it happens to print cannot matter later.
    ["printed first, expected later", ["", "1"], [show(70), show(71)], ["2", "1"]],
    ["printed first, then named", ["", "1"], [show(70), show(70)], ["2", "2"]],
    [
      "a mismatch binds nothing",
      ["1", "2", "2"],
      [show(70), show(70), show(71)],
      ["1", "1 !", "2"],
    ],
    [
      "fresh ones are never used twice",
      ["", ".", ""],
      [show(1), free(1), show(2)],
      ["1", "ok", "2"],
    ],
  ])("%s", async (_what, expectations, steps, outcomes) => {
    const page = (label: string) => (label === "-" ? "[-]" : `[#${label} anon exclusive]`);
    const lines = expectations.map((labels) => {
      if (labels === ".") return "A exec";
      return labels === ""
        ? "A pagemap 0"
        : `A pagemap 0 => ${labels.split(" ").map(page).join(" ")}`;
    });
    const printed = await results(lines.join("\n"), steps);
    expect(printed.map((text) => text.replace(/\[(?:#(\d+)[^\]]*|-)\]/g, "$1").trim())).toEqual(
      outcomes.map((text) => text.replaceAll("-", "").trim()),
    );
  });

  test.each([
    ["[#1 anon exclusive]", frame(5, "shared"), "[#1 anon shared] !"],
    ["[#1 file exclusive]", frame(5), "[#1 anon exclusive] !"],
    ["dead", frame(5), "[#1 anon exclusive] !"],
  ])("%s", async (expected, entry, outcome) => {
    const steps = [{ result: "", pagemap: [entry] }];
    expect(await results(`A pagemap 0 => ${expected}`, steps)).toEqual([outcome]);
  });

  test("a pagemap that fails has a result like any other", async () => {
    expect(await results("A pagemap 0 => [-]", [{ result: "dead" }])).toEqual(["dead !"]);
  });
});

test("events are those of their own line", async () => {
  const pending: string[] = [];
  const steps = [{ result: "ok", events: ["one", "two"] }, { result: "ok" }];
  const driver = new FakeDriver(steps, { onEvent: (line) => pending.push(line) });
  const script = scriptOf("A exec\nA exec");
  const takeEvents = () => pending.splice(0);
  const records = await collect(runScript(script, driver, { takeEvents }));
  expect(records.map(({ events }) => events)).toEqual([["one", "two"], []]);
});
