/**
 * Hooks: `onMiss` for what no TLB had, `onFault` for what faulted, `Machine.onAccess` for what is to
 * be done, and none for anything else.
 */
import { beforeEach, describe, expect, test } from "vitest";
import { describeFault, encodeReference } from "../../src/index.ts";
import { type Scene, boot, slowAccesses } from "./scene.ts";

const AT = 0x40000000;

let scene: Scene;
let seen: string[];

beforeEach(() => {
  scene = boot();
  seen = [];
  scene.map(AT, 0x200000);
  scene.map(AT + 0x1000, 0x201000);
});

describe("onMiss", () => {
  beforeEach(() => {
    scene.cpu.onMiss = (address) => seen.push(address.toString(16));
  });

  test("once for each access that walked", () => {
    const { cpu } = scene;
    cpu.load(AT, 8);
    cpu.load(AT, 8);
    cpu.load(AT + 8, 8);
    expect(seen).toEqual(["40000000"]);
    cpu.invalidatePage(AT);
    cpu.store(AT + 16, 8, 0n);
    cpu.flush();
    cpu.access(AT + 24, "fetch");
    expect(seen).toEqual(["40000000", "40000010", "40000018"]);
  });

  test("once for a crossing access, though both pages missed", () => {
    scene.cpu.load(AT + 0xffc, 8);
    expect(seen).toEqual(["40000ffc"]);
    scene.cpu.invalidatePage(AT + 0x1000);
    scene.cpu.load(AT + 0xffc, 8);
    expect(seen).toEqual(["40000ffc", "40000ffc"]);
  });

  test("for an access that faults, and for the first write to a clean page", () => {
    scene.cpu.load(AT + 0x2000, 1);
    scene.cpu.load(AT, 1);
    scene.cpu.store(AT, 1, 0n);
    expect(seen).toEqual(["40002000", "40000000", "40000000"]);
  });

  test("not for a probe, and no longer once it is gone", () => {
    scene.cpu.probe(AT, "read");
    scene.cpu.onMiss = undefined;
    scene.cpu.load(AT, 1);
    expect(seen).toEqual([]);
  });
});

describe("onFault", () => {
  beforeEach(() => {
    scene.cpu.onFault = (fault) => seen.push(describeFault(fault));
  });

  test("each fault, as it is returned", () => {
    const { cpu } = scene;
    const fault = cpu.load(AT + 0x2001, 1);
    expect(fault).toMatchObject({ vector: 14, errorCode: 4, address: BigInt(AT + 0x2001) });
    expect(cpu.store(AT + 0x1fff, 2, 0n)).toMatchObject({ address: BigInt(AT + 0x2000) });
    expect(cpu.access(2n ** 47n, "read")).toBe(-1);
    expect(cpu.access(AT + 0x2000, "fetch")).toBe(-1);
    expect(seen).toEqual([
      "#PF(U) at 0x40002001: not present",
      "#PF(W U) at 0x40002000: not present",
      "#GP(0) at 0x800000000000: non-canonical",
      "#PF(U I) at 0x40002000: not present",
    ]);
  });

  test("nothing that succeeds, and no probe", () => {
    const { cpu } = scene;
    cpu.load(AT, 8);
    cpu.store(AT, 8, 0n);
    expect(cpu.probe(AT + 0x2000, "read")).toMatchObject({ reason: "not present" });
    expect(seen).toEqual([]);
  });

  test("may map the page: the access is the caller's to make again", () => {
    const { cpu } = scene;
    cpu.onFault = ({ address }) => scene.map(Number(address), 0x202000);
    expect(cpu.load(AT + 0x2000, 8)).toMatchObject({ reason: "not present" });
    expect(cpu.load(AT + 0x2000, 8)).toBe(0n);
  });
});

describe("Machine.onAccess", () => {
  test("each single access of each CPU, before it is made, and once if it crosses pages", () => {
    const { machine, cpu } = scene;
    machine.onAccess(({ index, counts }, address, nrBytes, kind) => {
      seen.push(`${index}: ${kind} ${nrBytes} at ${address.toString(16)}, ${counts.walks} walks`);
    });
    cpu.resetCounts();
    cpu.load(AT, 8);
    cpu.store(BigInt(AT) + 0xffcn, 8, 0n);
    cpu.access(AT + 0x2000, "fetch");
    expect(seen).toEqual([
      "0: read 8 at 40000000, 0 walks",
      "0: write 8 at 40000ffc, 1 walks",
      "0: fetch 1 at 40002000, 3 walks",
    ]);
  });

  test("it may probe; no probe and no batch is seen, and nothing once it is gone", () => {
    const { machine, cpu } = scene;
    machine.onAccess((from, address, _, kind) => {
      const found = from.probe(address, kind);
      seen.push("vector" in found ? found.reason : `${found.physicalAddress}`);
    });
    expect(cpu.load(AT + 0x2000, 1)).toMatchObject({ reason: "not present" });
    expect(cpu.load(AT + 1, 1)).toBe(0n);
    cpu.probe(AT, "read");
    cpu.replay(BigUint64Array.of(encodeReference(AT, "read")));
    machine.onAccess(undefined);
    cpu.load(AT, 1);
    expect(seen).toEqual(["not present", `${0x200001}`]);
  });
});

test("with hooks set, hits are still served by the lookaside", () => {
  const { cpu } = scene;
  cpu.onMiss = () => {};
  cpu.onFault = () => {};
  cpu.load(AT, 8);
  expect(slowAccesses(cpu, () => cpu.load(AT, 8))).toBe(0);
});
