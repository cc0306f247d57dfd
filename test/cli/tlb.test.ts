/** `hugewalk tlb`: what it prints. */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { LACKEY } from "./shell.ts";
import { SMALL_CPU } from "./small-cpu.ts";
import { at, directory, loadsOf, small, tlb } from "./tlb-command.ts";

describe("text", () => {
  test("the answer, what it rests on, the table, what to back first", async () => {
    const out = `Larger pages help: 2M saves 70.0 % of what page walks cost, 5,072 to 10,145 of 7,246 to 14,493 cycles in 1,000 instructions.
1G saves 85.0 %: 6,159 to 12,319 cycles.
Ranges: from all walkers of a CPU always busy to one walk after another.
It rests on LACKEY (lackey): 138 instructions, 62 loads, 40 stores.
All threads are on one CPU that has nothing else to do; what a walk costs is the preset's, not measured.
All 14 walks with 4K on small are the first to their page: a longer run has relatively fewer.

| cpu   | policy | L1 misses | L2 misses | walks/1,000 | loads/walk | cycles/walk | cycles/1,000 | saved  |
| ----- | ------ | --------- | --------- | ----------- | ---------- | ----------- | ------------ | ------ |
| small | 4K     | 6.3 %     | 5.8 %     | 101         | 1.43       | 143         | 14,493       |        |
| small | 2M     | 1.3 %     | 1.3 %     | 21.7        | 2.00       | 200         | 4,348        | 70.0 % |
| small | 1G     | 0.8 %     | 0.8 %     | 14.5        | 1.50       | 150         | 2,174        | 85.0 % |
Misses are of all page accesses: L1, in the first level; L2, in both, so that pages are walked. 1,000: instructions.

What to back with 2M first (small; 3 regions are walked to):
| region    | 4K pages used of 512 | walks | cycles saved | of all | so far |
| --------- | -------------------- | ----- | ------------ | ------ | ------ |
| 0x400000  | 12                   | 12    | 1,200        | 85.7 % | 85.7 % |
| 0x4000000 | 1                    | 1     | 100          | 7.1 %  | 92.9 % |
1 region (2 MiB) makes up 50 % of what can be saved, 2 (4 MiB) 90 %, 3 (6 MiB) 100 %.

What to back with 1G first (small; 2 regions are walked to):
| region       | 4K pages used of 262,144 | walks | cycles saved | of all | so far  |
| ------------ | ------------------------ | ----- | ------------ | ------ | ------- |
| 0x0          | 13                       | 13    | 1,500        | 88.2 % | 88.2 %  |
| 0x1fc0000000 | 1                        | 1     | 200          | 11.8 % | 100.0 % |
1 region (1 GiB) makes up 50 % of what can be saved, 2 (2 GiB) 100 %.
`;
    expect(await small(["--top", "2", LACKEY])).toEqual({ code: 0, err: "", out });
  });

  test("policies of several sizes, intervals, instructions, names", async () => {
    const args = ["--policy", "4K,2M,hugetlb:app", "--maps", at("maps"), "--top", "1"];
    const out = `Larger pages help: 2M saves 70.0 % of what page walks cost, 5,072 to 10,145 of 7,246 to 14,493 cycles in 1,000 instructions.
hugetlb:app saves 60.0 %: 4,348 to 8,696 cycles.
Ranges: from all walkers of a CPU always busy to one walk after another.
It rests on LACKEY (lackey): 138 instructions, 62 loads, 40 stores.
All threads are on one CPU that has nothing else to do; what a walk costs is the preset's, not measured.
All 14 walks with 4K on small are the first to their page: a longer run has relatively fewer.

| cpu   | policy      | L1 misses | L2 misses | walks/1,000 | loads/walk | cycles/walk | cycles/1,000 | saved  |
| ----- | ----------- | --------- | --------- | ----------- | ---------- | ----------- | ------------ | ------ |
| small | 4K          | 6.3 %     | 5.8 %     | 101         | 1.43       | 143         | 14,493       |        |
| small | 2M          | 1.3 %     | 1.3 %     | 21.7        | 2.00       | 200         | 4,348        | 70.0 % |
| small | hugetlb:app | 1.3 %     | 1.3 %     | 21.7        | 2.67       | 267         | 5,797        | 60.0 % |
Misses are of all page accesses: L1, in the first level; L2, in both, so that pages are walked. 1,000: instructions.

| cpu   | policy      | pages | of accesses | L1 misses | L2 misses |
| ----- | ----------- | ----- | ----------- | --------- | --------- |
| small | hugetlb:app | 4K    | 20.0 %      | 4.2 %     | 4.2 %     |
| small | hugetlb:app | 2M    | 80.0 %      | 0.5 %     | 0.5 %     |

What to back with 2M first (small; 3 regions are walked to):
| region   | 4K pages used of 512 | walks | cycles saved | of all | so far | mapping      |
| -------- | -------------------- | ----- | ------------ | ------ | ------ | ------------ |
| 0x400000 | 12                   | 12    | 1,200        | 85.7 % | 85.7 % | /usr/bin/app |
1 region (2 MiB) makes up 50 % of what can be saved, 2 (4 MiB) 90 %, 3 (6 MiB) 100 %.

Walk cycles a reference, by intervals of 100 references; bars of a CPU have one scale:
| cpu   | policy      | over time | least | most |
| ----- | ----------- | --------- | ----- | ---- |
| small | 4K          | █▇▅       | 5.00  | 10.0 |
| small | 2M          | ▅▂▁       | 0     | 5.00 |
| small | hugetlb:app | ▆▃▁       | 0     | 6.00 |

Instructions by what walks for them cost (small, 4K):
| instruction | walks | cycles | of all |
| ----------- | ----- | ------ | ------ |
| 0x4014f0    | 1     | 400    | 20.0 % |
`;
    expect(await small([...args, "--interval", "100", "--instructions", LACKEY])).toEqual({
      code: 0,
      err: "",
      out,
    });
  });

  test("a part of a trace of data alone, with a broken record", async () => {
    const lines = loadsOf(2000).toSpliced(9, 0, " L ?");
    const args = ["--skip", "500", "--references", "1000", "--lenient", "--no-regions", "-"];
    const out = `Larger pages help: 2M saves 99.5 % of what page walks cost, 50,000 to 100,000 of 50,250 to 100,500 cycles in 1,000 references.
1G saves 99.8 %: 50,150 to 100,300 cycles.
Ranges: from all walkers of a CPU always busy to one walk after another.
It rests on <stdin> (lackey): 1,000 loads, 0 stores, behind the first 500 references, a part of the trace, without 1 broken record.
All threads are on one CPU that has nothing else to do; what a walk costs is the preset's, not measured.

| cpu   | policy | L1 misses | L2 misses | walks/1,000 | loads/walk | cycles/walk | cycles/1,000 | saved  |
| ----- | ------ | --------- | --------- | ----------- | ---------- | ----------- | ------------ | ------ |
| small | 4K     | 100.0 %   | 100.0 %   | 1,000       | 1.00       | 101         | 100,500      |        |
| small | 2M     | 0.3 %     | 0.3 %     | 3.00        | 1.67       | 167         | 500          | 99.5 % |
| small | 1G     | 0.1 %     | 0.1 %     | 1.00        | 2.00       | 200         | 200          | 99.8 % |
Misses are of all page accesses: L1, in the first level; L2, in both, so that pages are walked. 1,000: references.
`;
    const place = "<stdin>: line 10: no reference as lackey writes them";
    const err = `hugewalk: skipped 1 broken record; the first: ${place}: " L ?"\n`;
    expect(await small(args, lines.join("\n"))).toEqual({ code: 0, err, out });
  });

  test("nothing to compare", async () => {
    const out = `Nothing is compared: that needs pages of 4K and a policy with larger ones.
It rests on LACKEY (lackey): 138 instructions, 62 loads, 40 stores.
All threads are on one CPU that has nothing else to do; what a walk costs is the preset's, not measured.

| cpu   | policy | L1 misses | L2 misses | walks/1,000 | loads/walk | cycles/walk | cycles/1,000 | saved |
| ----- | ------ | --------- | --------- | ----------- | ---------- | ----------- | ------------ | ----- |
| small | 4K     | 6.3 %     | 5.8 %     | 101         | 1.43       | 143         | 14,493       |       |
Misses are of all page accesses: L1, in the first level; L2, in both, so that pages are walked. 1,000: instructions.
`;
    expect(await small(["--policy", "4K", "--no-regions", LACKEY])).toEqual({
      code: 0,
      err: "",
      out,
    });
  });

  test("a range that no large page fits into", async () => {
    const range = "hugetlb:401000-600000";
    const { out } = await small(["--policy", `4K,${range}`, "--no-regions", LACKEY]);
    expect(out).toMatch(new RegExp(`^These larger pages would hardly help: ${range} saves 0.0 % `));
    expect(out).toContain(
      `\n\n${range} gives no large page that is used: one must lie in its range as a whole.\n`,
    );
  });

  test("curves: as far as they fall", async () => {
    const lines = loadsOf(6).join("\n");
    const args = ["--policy", "4K", "--curves", "--no-regions", "-"];
    const { out } = await small(args, `${lines}\n${lines}\n`);
    expect(out).toContain(`
Misses of a fully associative LRU TLB, loads and stores, by its entries:
| entries | 4K      | 2M    | 1G    |
| ------- | ------- | ----- | ----- |
| 1       | 100.0 % | 8.3 % | 8.3 % |
| 2       | 100.0 % | 8.3 % | 8.3 % |
| 4       | 100.0 % | 8.3 % | 8.3 % |
| 8       | 50.0 %  | 8.3 % | 8.3 % |
TLBs with more entries miss as many.
`);
  });

  test("samples", async () => {
    const samples = `ls 7 cpu/mem-loads/P: 400040 401000
ls 7 cpu/mem-loads/P: 400048 401000
ls 7 cpu/mem-stores/P: 1ffee00000 401000
`;
    const out = `These are samples: they tell which regions are used most, but not what misses, nor what larger pages would save.
It rests on <stdin> (perf): 2 loads, 1 store.

Regions of 2M by samples (2 have any):
| region       | samples | of all | so far  | mapping      |
| ------------ | ------- | ------ | ------- | ------------ |
| 0x400000     | 2       | 66.7 % | 66.7 %  | /usr/bin/app |
| 0x1ffee00000 | 1       | 33.3 % | 100.0 % | [stack]      |
1 region (2 MiB) makes up 50 % of all samples, 2 (4 MiB) 100 %.

Regions of 1G by samples (2 have any):
| region       | samples | of all | so far  | mapping      |
| ------------ | ------- | ------ | ------- | ------------ |
| 0x0          | 2       | 66.7 % | 66.7 %  | /usr/bin/app |
| 0x1fc0000000 | 1       | 33.3 % | 100.0 % | [stack]      |
1 region (1 GiB) makes up 50 % of all samples, 2 (2 GiB) 100 %.
`;
    expect(await small(["--maps", at("maps"), "-"], samples)).toEqual({ code: 0, err: "", out });
  });

  test("is not wider than 120 columns with processors that are known", async () => {
    const { out } = await tlb([LACKEY]);
    const tables = out.split("\n").filter((line) => line.startsWith("|"));
    expect(Math.max(...tables.map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  test("larger pages that cost more", async () => {
    const [sizes4K, sizes2M] = [["4K"], ["2M"]];
    const processor = {
      ...JSON.parse(SMALL_CPU),
      firstLevel: [
        { name: "4K", entries: 4, ways: 4, pageSizes: sizes4K },
        { name: "2M", entries: 1, ways: 1, pageSizes: sizes2M },
      ],
      secondLevel: [],
    };
    writeFileSync(at("odd.json"), JSON.stringify(processor));
    const args = ["--cpu-file", at("odd.json"), "--policy", "4K,2M", "-"];
    const { out } = await tlb(args, " L 1000,8\n L 400000,8\n".repeat(1000));
    // With 4K 4 and 2 entries are loaded, with 2M 3 at first, and then one each time.
    expect(out.split("\n")[0]).toBe(
      "Larger pages would hardly help: 2M saves -33266.7 % of what page walks cost, -99,800 to " +
        "-49,900 of 150 to 300 cycles in 1,000 references.",
    );
    expect(out).toContain(
      "What to back with 2M first (small; 2 regions are walked to):\nNo region saves anything.\n",
    );
  });
});

test("--json: a study, whole", async () => {
  const args = ["--policy", "2M", "--json", "--instructions", "--interval", "200", LACKEY];
  const { code, out, err } = await small(args);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(/^.*\n$/);
  expect(JSON.parse(out)).toEqual({
    type: "study",
    version: 1,
    trace: {
      name: "LACKEY",
      format: "lackey",
      references: {
        fetch: 138,
        load: 62,
        store: 40,
      },
      nrBroken: 0,
      nrSkipped: 0,
      isCut: false,
    },
    runs: [
      {
        cpu: "small",
        policy: "2M",
        accesses: 240,
        firstLevel: [
          {
            hits: 237,
            misses: 3,
          },
        ],
        secondLevel: [
          {
            hits: 0,
            misses: 3,
          },
        ],
        walks: 3,
        prefetches: 0,
        entryLoads: [0, 3, 2, 1],
        loadsFrom: [6],
        hitCycles: 0,
        walkCycles: 600,
        names: {
          firstLevel: ["L1"],
          secondLevel: ["L2"],
          loadsFrom: ["memory"],
        },
        walkers: 2,
        routes: [
          {
            kind: "fetch",
            pageSize: "2M",
            accesses: 138,
            firstLevelMisses: 1,
            walks: 1,
          },
          {
            kind: "load",
            pageSize: "2M",
            accesses: 62,
            firstLevelMisses: 2,
            walks: 2,
          },
          {
            kind: "store",
            pageSize: "2M",
            accesses: 40,
            firstLevelMisses: 0,
            walks: 0,
          },
        ],
        intervals: [
          {
            references: 200,
            firstLevelMisses: 3,
            walks: 3,
            walkCycles: 600,
          },
          {
            references: 40,
            firstLevelMisses: 0,
            walks: 0,
            walkCycles: 0,
          },
        ],
        regions: [
          [4194304, 1, 300, 0],
          [67108864, 1, 100, 0],
          [137422176256, 1, 200, 0],
        ],
        instructions: [
          [4199664, 1, 300],
          [4199669, 1, 200],
          [4266432, 1, 100],
        ],
      },
    ],
  });
});

test("--csv: a row for each processor and policy", async () => {
  const { code, out } = await small(["--csv", LACKEY]);
  expect({ code, out }).toEqual({
    code: 0,
    out: `trace,cpu,policy,fetches,loads,stores,page_accesses,first_level_misses,second_level_hits,walks,prefetches,pte_loads,pde_loads,pdpte_loads,pml4e_loads,second_level_hit_cycles,walk_cycles,walkers
LACKEY,small,4K,138,62,40,240,15,1,14,0,14,3,2,1,7,2000,2
LACKEY,small,2M,138,62,40,240,3,0,3,0,0,3,2,1,0,600,2
LACKEY,small,1G,138,62,40,240,2,0,2,0,0,0,2,1,0,300,2
`,
  });
  writeFileSync(at('a,"b".lackey'), readFileSync(LACKEY));
  const odd = await small(["--csv", "--policy", "4K", at('a,"b".lackey')]);
  expect(odd.out.split("\n")[1]).toBe(
    `"${directory}/a,""b"".lackey",small,4K,138,62,40,240,15,1,14,0,14,3,2,1,7,2000,2`,
  );
});
