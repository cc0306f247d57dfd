/** What operations cost in TLBs, counted by hand. */
import { describe, expect, test } from "vitest";
import { EmulatedDriver } from "../../src/emulated/driver.ts";
import { MachineTlbs } from "../../src/emulated/machine-tlbs.ts";
import { createKernel, createMachine } from "../../src/index.ts";
import { runScript } from "../../src/transcript/run.ts";
import { type CpuTlbCost, type InvalidationCost, TlbCosts } from "../../src/transcript/tlb-cost.ts";
import { readScript } from "../replay.ts";
import { scriptOf } from "../transcript/fake-driver.ts";
import { smallProcessor } from "../tlb/small-processor.ts";

const PLAIN = {
  structureCaches: { pml4: 0, pdpt: 0, pd: 0, pcids: 0 },
  walkCost: { caches: [], memoryCycles: 100 },
};
/** A walk loads 3 entries for 2M and 4 for 4K, 100 cycles each; four PCIDs are kept. */
const PROCESSOR = smallProcessor({
  first: { entries: 8, ways: 8, pcids: 4 },
  second: { entries: 16, ways: 16, pcids: 4 },
  processor: PLAIN,
});
const NO_PCIDS = smallProcessor({ processor: PLAIN });

interface Setting {
  readonly cpus?: number;
  readonly processor?: typeof PROCESSOR;
}

/** PIDs count from 100, and CPU is PID modulo `cpus`. */
async function run(text: string, { cpus = 1, processor = PROCESSOR }: Setting = {}) {
  const script = scriptOf(text);
  const kernel = createKernel({ machine: { ramBytes: 2 ** 28, linearBytes: 2 ** 26, cpus } });
  const driver = new EmulatedDriver(kernel, new MachineTlbs(kernel, processor));
  const costs: { text: string; cpus: object; operations: object }[] = [];
  for await (const { line, tlb, result, differs } of runScript(script, driver)) {
    expect(differs, `${line.text} => ${result}`).toBe(false);
    costs.push({
      text: line.text,
      cpus: Object.fromEntries([...(tlb?.cpus ?? [])].map(([cpu, cost]) => [cpu, spent(cost)])),
      operations: Object.fromEntries(
        [...(tlb?.operations ?? [])].map(([operation, cost]) => [operation, spent(cost)]),
      ),
    });
  }
  return costs;
}

/** Without zeros. */
function spent(cost: CpuTlbCost | InvalidationCost): object {
  return Object.fromEntries(Object.entries(cost).filter(([, count]) => count !== 0));
}

const POOL = "host nr_hugepages 4\n";
const THREE = `${POOL}A mmap a 3h rw private,anon,huge\nA touch write a 3\n`;

describe("on one CPU", () => {
  test("first accesses fault and miss; later ones hit", async () => {
    const costs = await run(`${THREE}A touch read a 3\nA increment a`);
    expect(costs.slice(2)).toEqual([
      {
        text: "A touch write a 3",
        cpus: { 0: { accesses: 3, misses: 3, faults: 3, entryLoads: 9, walkCycles: 900 } },
        operations: {},
      },
      { text: "A touch read a 3", cpus: { 0: { accesses: 3 } }, operations: {} },
      // A write that moves nothing, a load and a store.
      { text: "A increment a", cpus: { 0: { accesses: 3 } }, operations: {} },
    ]);
  });

  test("a fork takes what it write-protects, which is walked for again", async () => {
    const costs = await run(`${THREE}A fork C\nA touch read a 2\nA read a`);
    expect(costs.slice(3)).toEqual([
      {
        text: "A fork C",
        cpus: { 0: { dropped: 3 } },
        operations: { fork: { times: 1, invalidations: 1, dropped: 3 } },
      },
      {
        text: "A touch read a 2",
        cpus: { 0: { accesses: 2, misses: 2, refills: 2, entryLoads: 6, walkCycles: 600 } },
        operations: { fork: { refills: 2, refillCycles: 600 } },
      },
      { text: "A read a", cpus: { 0: { accesses: 1 } }, operations: {} },
    ]);
  });

  test("copy on write: the translation of the old page goes, that of the copy is walked for", async () => {
    const costs = await run(`${THREE}A fork C\nA read a\nA write a 1\nA write a 2`);
    expect(costs.slice(5)).toEqual([
      {
        text: "A write a 1",
        cpus: {
          0: {
            accesses: 1,
            misses: 1,
            refills: 1,
            faults: 1,
            entryLoads: 3,
            walkCycles: 300,
            dropped: 1,
          },
        },
        operations: {
          write: { times: 1, invalidations: 1, dropped: 1, refills: 1, refillCycles: 300 },
        },
      },
      { text: "A write a 2", cpus: { 0: { accesses: 1 } }, operations: {} },
    ]);
  });

  test("munmap of one page; what is mapped there next is walked for after it", async () => {
    const costs = await run(
      `${THREE}A munmap a+1h 1h\nA mmap b 1h rw private,anon,huge,fixed at=a+1h\nA touch read a 3`,
    );
    expect(costs[3]).toMatchObject({
      cpus: { 0: { dropped: 1 } },
      operations: { munmap: { times: 1, invalidations: 1, dropped: 1 } },
    });
    expect(costs[5]).toMatchObject({
      cpus: { 0: { accesses: 3, misses: 1, refills: 1, faults: 1 } },
      operations: { munmap: { refills: 1, refillCycles: 300 } },
    });
  });

  test("an access that crosses 4K pages is one for each, within a page of 2M one", async () => {
    const costs = await run(
      "host nr_hugepages 1\nA mmap s 2p rw private,anon\nA touch write s 1\nA write s+1p 1\n" +
        "A read s+0xffc\nA mmap a 1h rw private,anon,huge\nA write a 1\nA read a+0xffc",
    );
    expect(costs[2].cpus).toEqual({
      0: { accesses: 1, misses: 1, faults: 1, entryLoads: 4, walkCycles: 400 },
    });
    expect(costs[4].cpus).toEqual({ 0: { accesses: 2 } });
    expect(costs[7].cpus).toEqual({ 0: { accesses: 1 } });
  });

  test("a crossing access whose second page faults has referred to the first one twice", async () => {
    const costs = await run("A mmap s 2p rw private,anon\nA write s 1\nA write s+0xffc 2");
    expect(costs[2].cpus).toEqual({
      0: { accesses: 3, misses: 1, faults: 1, entryLoads: 4, walkCycles: 400 },
    });
  });

  test.each([
    ["kept", PROCESSOR, { accesses: 1 }],
    ["not kept", NO_PCIDS, { accesses: 1, misses: 1, entryLoads: 3, walkCycles: 300 }],
  ])("PCIDs that are %s over a switch", async (_, processor, expected) => {
    const other = "B mmap a 1h rw private,anon,huge\nB write a 1\n";
    const costs = await run(`${THREE}${other}A read a+2h\nB read a`, { processor });
    expect(costs[5].cpus).toEqual({ 0: expected });
    expect(costs[6].cpus).toEqual({ 0: expected });
  });

  test("what is invalidated while another runs leaves before the process runs again", async () => {
    // The last free page is copied; then the child's is taken.
    const costs = await run(
      `${THREE}A fork C\nC touch read a 3\nA write a 1\nA write a+1h 2\nC read a\nC read a+2h`,
    );
    expect(costs[6]).toEqual({
      text: "A write a+1h 2",
      cpus: {
        0: { accesses: 1, misses: 1, refills: 1, faults: 1, entryLoads: 3, walkCycles: 300 },
      },
      operations: {
        fork: { refills: 1, refillCycles: 300 },
        steal: { times: 1, invalidations: 1 },
        write: { times: 1, invalidations: 1 },
      },
    });
    expect(costs[7]).toEqual({
      text: "C read a",
      cpus: {
        0: {
          accesses: 1,
          misses: 1,
          refills: 1,
          entryLoads: 3,
          walkCycles: 300,
          droppedLate: 3,
        },
      },
      operations: { steal: { dropped: 3, refills: 1, refillCycles: 300 } },
    });
    expect(costs[8].operations).toEqual({ steal: { refills: 1, refillCycles: 300 } });
  });

  test("a new process has nothing to refill, though its PCID and addresses were another's", async () => {
    const again = "B mmap a 3h rw private,anon,huge\nB touch write a 3";
    const costs = await run(
      `${THREE}A exit 0\n${again}\nB exec\nB mmap c 1h rw private,anon,huge\nB write c 1`,
    );
    expect(costs[3].operations).toEqual({ exit: { times: 1, invalidations: 1, dropped: 3 } });
    const { cpus } = {
      cpus: { 0: { accesses: 3, misses: 3, faults: 3, entryLoads: 9, walkCycles: 900 } },
    };
    expect(costs[5].cpus).toEqual(cpus);
    expect(costs[6].operations).toEqual({ exec: { times: 1, invalidations: 1, dropped: 3 } });
    expect(costs[8].cpus).toEqual({
      0: { accesses: 1, misses: 1, faults: 1, entryLoads: 3, walkCycles: 300 },
    });
  });
});

describe("on two CPUs", () => {
  const STEAL = `${THREE}A fork C\nC touch read a 3\nA write a 1\n`;

  test("each has a TLB of its own, and a fork asks for nothing from the other", async () => {
    const costs = await run(`${THREE}A fork C\nC touch read a 3`, { cpus: 2 });
    expect(costs[3].cpus).toEqual({ 0: { dropped: 3 } });
    expect(costs[4].cpus).toEqual({
      1: { accesses: 3, misses: 3, entryLoads: 9, walkCycles: 900 },
    });
  });

  test("a steal interrupts the CPU that runs who is robbed", async () => {
    const costs = await run(`${STEAL}A write a+1h 2\nC read a`, { cpus: 2 });
    expect(costs[6]).toEqual({
      text: "A write a+1h 2",
      cpus: {
        0: { accesses: 1, misses: 1, refills: 1, faults: 1, entryLoads: 3, walkCycles: 300 },
        1: { interrupts: 1, dropped: 1 },
      },
      operations: {
        fork: { refills: 1, refillCycles: 300 },
        steal: { times: 1, invalidations: 1, interrupts: 1, dropped: 1 },
        write: { times: 1, invalidations: 1 },
      },
    });
    // The other two stay.
    expect(costs[7].cpus).toEqual({ 1: { accesses: 1 } });
  });

  test("but not if that CPU has gone over to another process", async () => {
    // X is PID 102, on CPU 0; Y is PID 103.
    const costs = await run(`${STEAL}X vmas 0 1p\nY vmas 0 1p\nA write a+1h 2\nC read a`, {
      cpus: 2,
    });
    expect(costs[8]).toMatchObject({
      cpus: { 0: { accesses: 1, misses: 1 } },
      operations: { steal: { times: 1, invalidations: 1 } },
    });
    expect(costs[8].cpus).not.toHaveProperty("1");
    expect(costs[9].cpus).toMatchObject({ 1: { droppedLate: 3, misses: 1, refills: 1 } });
  });

  test("who is killed from elsewhere ends on its own CPU", async () => {
    const costs = await run(`${THREE}A fork C\nC touch read a 3\nA read a\nhost kill C 9`, {
      cpus: 2,
    });
    expect(costs[6]).toEqual({
      text: "host kill C 9",
      cpus: { 1: { dropped: 3 } },
      operations: { kill: { times: 1, invalidations: 1, dropped: 3 } },
    });
  });
});

test.each(["6.18/03-fork.txt", "6.18/28-userfaultfd-4k.txt", "6.12/02-cow-steal.txt"])(
  "accesses of %s are those that the emulated CPUs count",
  async (file) => {
    const script = readScript(`test/recorded/${file}`);
    const machine = createMachine({
      ramBytes: script.machine.memoryBytes,
      linearBytes: 2 ** 26,
      cpus: 3,
      exactTlb: true,
    });
    // CPUs that have nothing cached walk for each page of each access.
    const onAccess: typeof machine.onAccess = (listener) =>
      machine.onAccess((cpu, ...access) => {
        cpu.flush();
        listener?.(cpu, ...access);
      });
    const profile = script.machine.kernel;
    const kernel = createKernel({ profile, machine: { ...machine, onAccess } });
    const driver = new EmulatedDriver(kernel, new MachineTlbs(kernel, PROCESSOR));
    const total = new TlbCosts();
    for await (const { tlb } of runScript(script, driver)) if (tlb) total.add(tlb);
    expect(total.cpus.size).toBe(3);
    for (const { index, counts } of machine.cpus) {
      const { accesses, faults } = total.onCpu(index);
      const nrFaults = Object.values(counts.faults).reduce((sum, n) => sum + n, 0);
      expect([index, accesses, faults]).toEqual([index, counts.walks - nrFaults, nrFaults]);
    }
  },
);
