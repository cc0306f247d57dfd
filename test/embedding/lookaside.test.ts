/**
 * What a register gives or takes is so at the next access, though the lookaside has served the
 * page.
 */
import { beforeEach, describe, expect, test } from "vitest";
import { type AccessKind, type Fault } from "../../src/index.ts";
import { CR4, READ_ONLY, SUPERVISOR, type Scene, boot, setCr4, slowAccesses } from "./scene.ts";

const AT = 0x40000000;
const FRAME = 0x200000;
const DENIED = { vector: 14, reason: "denied" };

let scene: Scene;

beforeEach(() => {
  scene = boot();
  scene.map(AT, FRAME);
  scene.machine.ram.store(FRAME, 8, 5n);
  warm();
});

/** Loads and stores until the lookaside serves both. */
function warm(address: number | bigint = AT): void {
  const { cpu } = scene;
  for (let i = 0; i < 3; i++) {
    cpu.load(address, 8);
    cpu.store(address, 8, 5n);
  }
  const again = (): void => {
    cpu.load(address, 8);
    cpu.store(address, 8, 5n);
  };
  expect(slowAccesses(cpu, again)).toBe(0);
}

/** What a load and a store say: the value or the fault's reason. */
function both(address: number | bigint = AT): (bigint | string)[] {
  const { cpu } = scene;
  const told = (result: bigint | Fault): bigint | string =>
    typeof result === "bigint" ? result : result.reason;
  return [told(cpu.load(address, 8)), told(cpu.store(address, 8, 5n) ?? 0n)];
}

describe("linear-address masking", () => {
  const TAG = 0x2an << 57n;
  const tagged = BigInt(AT) | TAG;
  const LAM_U57 = 1n << 61n;
  const LAM_U48 = 1n << 62n;

  test("tagged and untagged pointers mean the same page, each served by the lookaside", () => {
    const { cpu } = scene;
    cpu.cr3 |= LAM_U57;
    warm(tagged);
    cpu.store(tagged, 8, 6n);
    expect(cpu.load(AT, 8)).toBe(6n);
    cpu.store(AT, 8, 7n);
    expect(cpu.load(tagged, 8)).toBe(7n);
    expect(cpu.load(BigInt(AT) | (0x15n << 57n), 8)).toBe(7n);
    expect(cpu.access(tagged + 4n, "read", 4)).toBe(FRAME + 4);
  });

  test("one invalidation is enough for all pointers to the page", () => {
    const { cpu } = scene;
    cpu.cr3 |= LAM_U57;
    warm(tagged);
    scene.changeLeaf(AT, () => 0n);
    cpu.invalidatePage(AT);
    expect(both(tagged)).toEqual(["not present", "not present"]);
    expect(cpu.fault.address).toBe(BigInt(AT));
  });

  test("a fetch's pointer is not masked, whatever loads have left in the lookaside", () => {
    const { cpu } = scene;
    cpu.cr3 |= LAM_U57;
    warm(tagged);
    expect(cpu.access(tagged, "fetch")).toBe(-1);
    expect(cpu.fault).toMatchObject({ vector: 13 });
    expect(cpu.access(AT, "fetch")).toBe(FRAME);
  });

  test("without it, or beyond its bits, a tagged pointer is not canonical", () => {
    const { cpu, root } = scene;
    cpu.cr3 |= LAM_U57;
    warm(tagged);
    cpu.cr3 = BigInt(root);
    expect(both(tagged)).toEqual(["non-canonical", "non-canonical"]);
    const in48 = BigInt(AT) | (1n << 50n);
    cpu.cr3 = BigInt(root) | LAM_U57;
    expect(both(in48)).toEqual(["non-canonical", "non-canonical"]);
    cpu.cr3 = BigInt(root) | LAM_U48;
    expect(both(in48)).toEqual([5n, 0n]);
  });

  test("of supervisor pointers by CR4.LAM_SUP", () => {
    const { cpu } = scene;
    const address = -0x200000;
    const pointer = BigInt.asUintN(64, BigInt(address)) ^ (0x2an << 50n);
    scene.tables.install(scene.root, address, 1, FRAME, SUPERVISOR);
    cpu.cpl = 0;
    expect(both(pointer)).toEqual(["non-canonical", "non-canonical"]);
    setCr4(cpu, CR4.lamSup);
    warm(pointer);
    expect(both(pointer)).toEqual([5n, 0n]);
    setCr4(cpu, CR4.lamSup, false);
    expect(both(pointer)).toEqual(["non-canonical", "non-canonical"]);
  });
});

describe("privilege", () => {
  test("a supervisor's page is denied to user mode, and back", () => {
    const { cpu } = scene;
    scene.map(AT + 0x1000, FRAME, SUPERVISOR);
    for (let round = 0; round < 3; round++) {
      cpu.cpl = 0;
      warm(AT + 0x1000);
      cpu.cpl = 3;
      expect(both(AT + 0x1000)).toEqual(["denied", "denied"]);
      expect(cpu.fault.errorCode).toBe(7);
    }
  });

  test("each mode has its own entries: going to and fro costs a look, not a wrong answer", () => {
    const { cpu } = scene;
    cpu.cpl = 0;
    expect(both()).toEqual([5n, 0n]);
    expect(slowAccesses(cpu, both)).toBe(0);
    cpu.cpl = 3;
    expect(slowAccesses(cpu, both)).toBeGreaterThan(0);
    expect(both()).toEqual([5n, 0n]);
  });
});

describe("SMAP and RFLAGS.AC", () => {
  beforeEach(() => {
    setCr4(scene.cpu, CR4.smap);
    scene.cpu.cpl = 0;
  });

  test("AC on and off, many times", () => {
    const { cpu } = scene;
    for (let round = 0; round < 5; round++) {
      cpu.ac = true;
      expect([...both(), ...both()]).toEqual([5n, 0n, 5n, 0n]);
      expect(slowAccesses(cpu, both)).toBe(0);
      cpu.ac = false;
      expect(both()).toEqual(["denied", "denied"]);
      expect(cpu.fault.errorCode).toBe(3);
    }
  });

  test("an implicit access is denied whatever AC is, and does not spoil the lookaside", () => {
    const { cpu } = scene;
    cpu.ac = true;
    both();
    expect(cpu.access(AT, "read", 8, "implicit")).toBe(-1);
    expect(both()).toEqual([5n, 0n]);
    cpu.cpl = 3;
    expect(cpu.access(AT, "read", 8, "implicit")).toBe(-1);
    expect(both()).toEqual([5n, 0n]);
  });

  test("user mode does not care for AC", () => {
    const { cpu } = scene;
    cpu.cpl = 3;
    cpu.ac = false;
    warm();
    cpu.ac = true;
    expect(slowAccesses(cpu, both)).toBe(0);
  });

  test("turned on after the page was served", () => {
    const { cpu } = scene;
    setCr4(cpu, CR4.smap, false);
    warm();
    setCr4(cpu, CR4.smap);
    expect(both()).toEqual(["denied", "denied"]);
  });
});

describe("protection keys", () => {
  beforeEach(() => {
    setCr4(scene.cpu, CR4.pke);
    scene.changeLeaf(AT, (entry) => entry | (2n << 59n));
    scene.cpu.invalidatePage(AT);
    warm();
  });

  test("PKRU denies writes, then everything, then nothing, without an invalidation", () => {
    const { cpu } = scene;
    cpu.pkru = 0x20;
    expect(both()).toEqual([5n, "protection key"]);
    cpu.pkru = 0x10;
    expect(both()).toEqual(["protection key", "protection key"]);
    expect(cpu.access(AT, "fetch")).toBe(FRAME);
    cpu.pkru = 0xffffffcf;
    warm();
    expect(both()).toEqual([5n, 0n]);
  });

  test("without CR4.PKE it does not count", () => {
    const { cpu } = scene;
    cpu.pkru = 0x10;
    expect(both()).toEqual(["protection key", "protection key"]);
    setCr4(cpu, CR4.pke, false);
    expect(both()).toEqual([5n, 0n]);
  });
});

describe("the rest", () => {
  test("CR0.WP", () => {
    const { cpu } = scene;
    scene.map(AT + 0x1000, FRAME, READ_ONLY);
    cpu.cpl = 0;
    cpu.cr0 &= ~(1n << 16n);
    warm(AT + 0x1000);
    cpu.cr0 |= 1n << 16n;
    expect(both(AT + 0x1000)).toEqual([5n, "denied"]);
  });

  test("EFER.NXE", () => {
    const { cpu } = scene;
    scene.changeLeaf(AT, (entry) => entry | (1n << 63n));
    cpu.invalidatePage(AT);
    expect(cpu.access(AT, "fetch")).toBe(-1);
    expect(cpu.fault).toMatchObject(DENIED);
    cpu.efer &= ~(1n << 11n);
    cpu.flush();
    expect(cpu.access(AT, "read")).toBe(-1);
    expect(cpu.fault).toMatchObject({ reason: "reserved bit" });
  });

  test("a crossing access is looked up each time; both pages' rights count", () => {
    const { cpu } = scene;
    scene.map(AT + 0x1000, FRAME + 0x1000, READ_ONLY);
    const at = AT + 0xffc;
    cpu.load(at, 8);
    expect(slowAccesses(cpu, () => cpu.load(at, 8))).toBe(2);
    expect(cpu.store(at, 8, ~0n)).toMatchObject({ ...DENIED, address: BigInt(AT + 0x1000) });
    expect(cpu.load(at, 8)).toBe(0n);
  });

  test("two pages of one slot take turns, and both are right", () => {
    const { cpu } = scene;
    const other = AT + 512 * 0x1000;
    scene.map(other, FRAME + 0x1000);
    for (let i = 0; i < 4; i++) {
      expect(cpu.access(AT, "read")).toBe(FRAME);
      expect(cpu.access(other, "read")).toBe(FRAME + 0x1000);
    }
    expect(slowAccesses(cpu, () => cpu.access(AT, "read"))).toBe(1);
  });

  test("after thousands of invalidations nothing old is served", () => {
    const { cpu } = scene;
    const entry = scene.entryAddress(AT);
    for (let i = 0; i < 5000; i++) {
      const frame = FRAME + (i % 7) * 0x1000;
      scene.machine.ram.store(entry, 8, BigInt(frame) | 0x67n);
      cpu.invalidatePage(AT);
      if (i % 5 === 0) expect(cpu.access(AT, "read")).toBe(frame);
    }
  });

  test("nothing old is served when the generations begin anew", () => {
    const { cpu } = scene;
    const entry = scene.entryAddress(AT);
    for (let nrInvalidations = 1020; nrInvalidations < 1030; nrInvalidations++) {
      scene.machine.ram.store(entry, 8, 0x200067n);
      cpu.invalidatePage(AT);
      expect(cpu.access(AT, "read")).toBe(FRAME);
      scene.machine.ram.store(entry, 8, 0x201067n);
      for (let i = 0; i < nrInvalidations; i++) cpu.invalidatePage(AT);
      expect(cpu.access(AT, "read")).toBe(0x201000);
    }
  });

  test("a section that is backed, given back and backed again", () => {
    const { cpu, machine } = scene;
    scene.map(AT + 0x200000, 0x800000, undefined, 2);
    const at = AT + 0x200000;
    expect([cpu.load(at, 8), cpu.load(at, 8)]).toEqual([0n, 0n]);
    machine.ram.store(0x800000, 8, 9n);
    expect(cpu.load(at, 8)).toBe(9n);
    machine.ram.zeroFrame(0x800000, 2);
    expect(cpu.load(at, 8)).toBe(0n);
    cpu.store(at, 8, 3n);
    expect(machine.ram.load(0x800000, 8)).toBe(3n);
  });

  test.each(["read", "write", "fetch"] as const)(
    "hasLookaside = false: each %s asks the TLB",
    (kind: AccessKind) => {
      const { cpu } = scene;
      cpu.access(AT, kind);
      cpu.hasLookaside = false;
      for (let i = 0; i < 3; i++) expect(slowAccesses(cpu, () => cpu.access(AT, kind))).toBe(1);
    },
  );
});
