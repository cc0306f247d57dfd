/** What a policy, or a model's options, can be wrong in: one line each. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../../src/errors.ts";
import { TlbModel, type TlbModelOptions } from "../../src/tlb/model.ts";
import { ALL_ADDRESSES, type PagePolicy, type PageRule } from "../../src/tlb/page-policy.ts";
import { type Parts, smallProcessor } from "./small-processor.ts";

function createModel(options?: TlbModelOptions, parts?: Parts): TlbModel {
  return new TlbModel(smallProcessor(parts), options);
}

const PLAIN: PageRule = { ...ALL_ADDRESSES, pageSize: "2M", availability: 1, delay: Infinity };

function expectError(make: () => unknown, message: string): void {
  expect(make).toThrow(OptionError);
  expect(make).toThrow(new RegExp(`^${message.replaceAll(/[[\](){}^$.*+?]/g, "\\$&")}$`));
}

describe("a rule", () => {
  const top = 2 ** 48;
  test.each<[complaint: string, fields: object]>([
    [`no range of 48-bit addresses: -1 to ${top}`, { from: -1 }],
    [`no range of 48-bit addresses: 0.5 to ${top}`, { from: 0.5 }],
    [`no range of 48-bit addresses: NaN to ${top}`, { from: Number.NaN }],
    [`no range of 48-bit addresses: 0 to ${top + 1}`, { to: top + 1 }],
    ["no range of 48-bit addresses: 0 to 7.5", { to: 7.5 }],
    ["an empty range: 4096 to 4096", { from: 4096, to: 4096 }],
    ["an empty range: 8192 to 4096", { from: 8192, to: 4096 }],
    ["no size of huge pages: 4K", { pageSize: "4K" }],
    ["no size of huge pages: undefined", { pageSize: undefined }],
    ["availability -0.1: 0 to 1", { availability: -0.1 }],
    ["availability 1.1: 0 to 1", { availability: 1.1 }],
    ["availability NaN: 0 to 1", { availability: Number.NaN }],
    ["delay -1: a number of references", { delay: -1 }],
    ["delay 0.5: a number of references", { delay: 0.5 }],
    ["delay NaN: a number of references", { delay: Number.NaN }],
    ["delay -Infinity: a number of references", { delay: -Infinity }],
    [`delay ${2 ** 53}: a number of references`, { delay: 2 ** 53 }],
    ["pages of 1G are there at once, or not at all", { pageSize: "1G", availability: 0.5 }],
    ["pages of 1G are there at once, or not at all", { pageSize: "1G", delay: 0 }],
  ])("%s", (complaint, fields) => {
    const policy: PagePolicy = [PLAIN, { ...PLAIN, ...fields }];
    expectError(() => createModel({ policies: [policy] }), `policy[1]: ${complaint}`);
  });

  test("at its limits, is right", () => {
    const policy: PagePolicy = [
      { ...PLAIN, from: top - 1, to: top, availability: 0, delay: 2 ** 52 },
      { ...PLAIN, from: 0, to: 1, delay: 0 },
    ];
    expect(createModel({ policies: [policy] }).routes(policy)).toEqual([]);
  });
});

describe("policies", () => {
  test("a page size that there is not", () => {
    const policies = ["4M" as "2M"];
    expectError(() => createModel({ policies }), "policy: no page size: 4M");
  });

  test("more than 4096 rules", () => {
    const rules = (length: number) => [Array.from({ length }, () => PLAIN)];
    expect(() => createModel({ policies: rules(4096) })).not.toThrow();
    expectError(() => createModel({ policies: rules(4097) }), "policy: more than 4096 rules");
  });

  test("more than 16", () => {
    const policies = (length: number): PagePolicy[] => Array.from({ length }, () => [PLAIN]);
    expect(() => createModel({ policies: policies(16) })).not.toThrow();
    expectError(() => createModel({ policies: policies(17) }), "policies: 17 are more than 16");
  });

  test("one that is there twice", () => {
    expectError(() => createModel({ policies: ["4K", "2M", "4K"] }), "policies[2]: is twice");
  });

  test("one that is not modelled", () => {
    const model = createModel({ policies: ["4K"], hasRegions: true, hasInstructions: true });
    for (const ask of ["counts", "routes", "regions", "instructions"] as const) {
      expectError(() => model[ask]("2M"), "policy: it is not modelled");
    }
  });

  test("without tallies there are none", () => {
    const policies: PagePolicy[] = [[PLAIN]];
    const model = createModel({ policies });
    expect(model.regions(policies[0])).toBeUndefined();
    expect(model.instructions(policies[0])).toBeUndefined();
  });
});

describe("more ways than a replacement can do", () => {
  const array = (ways: number, replacement: string) => ({ entries: ways, ways, replacement });
  test.each<[complaint: string, parts: Parts]>([
    ["firstLevel[0].ways: 256 are more than 255", { first: array(256, "lru") }],
    ["firstLevel[0].ways: 256 are more than 255", { first: array(256, "fifo") }],
    ["secondLevel[0].ways: 128 are more than 64", { second: array(128, "plru") }],
    ["secondLevel[0].ways: 65 are more than 64", { second: array(65, "nru") }],
    ["secondLevel[0].ways: 96 are more than 48", { second: array(96, "mru3-plru") }],
    ["structureCaches.pd: 256 are more than 255", { processor: { structureCaches: { pd: 256 } } }],
    [
      "walkCost.caches[0].ways: 256 are more than 255",
      { processor: { walkCost: { caches: [{ name: "L1", lines: 256, ways: 256, cycles: 5 }] } } },
    ],
  ])("%s", (complaint, parts) => {
    expectError(() => createModel({}, parts), complaint);
  });

  test.each<Parts>([
    { first: array(255, "lru"), second: array(64, "plru") },
    { first: array(64, "nru"), second: array(48, "mru3-plru") },
    { first: array(1000, "random") },
  ])("as many as it can are right", (parts) => {
    expect(() => createModel({}, parts)).not.toThrow();
  });
});

describe("what a model is asked to do", () => {
  test.each([-1, 16_385, Number.NaN])("to replay %d words", (count) => {
    expectError(() => createModel().replay(count), `count: ${count} is no batch`);
  });

  test.each([
    [0, 0],
    [-1, 4096],
    [2 ** 48 - 1, 2],
    [Number.NaN, 1],
  ])("to invalidate from %d on %d bytes", (address, nrBytes) => {
    expectError(
      () => createModel().invalidate(address, nrBytes),
      `nrBytes: no 48-bit addresses: ${nrBytes} bytes from ${address} on`,
    );
  });
});
