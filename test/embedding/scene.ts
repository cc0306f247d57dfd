/** A machine with one address space, as an embedder sets it up. */
import {
  type Cpu,
  type LeafLevel,
  type Machine,
  type MachineOptions,
  type PageTables,
  type Rights,
  createMachine,
  traceWalk,
} from "../../src/index.ts";

export const MIB = 2 ** 20;
export const CR4 = { pge: 7n, la57: 12n, pcide: 17n, smap: 21n, pke: 22n, lamSup: 28n } as const;
const USER: Rights = { writable: true, executable: true, user: true };
export const READ_ONLY: Rights = { writable: false, executable: true, user: true };
export const SUPERVISOR: Rights = { writable: true, executable: true, user: false };

export interface Scene {
  readonly machine: Machine;
  readonly cpu: Cpu;
  readonly tables: PageTables;
  readonly root: number;
  map(address: number, physicalAddress: number, rights?: Rights, level?: LeafLevel): void;
  /** Empties the leaf of a page; nothing is invalidated. */
  unmap(address: number): void;
  /** Where the entry of `address` is, at a level. */
  entryAddress(address: number | bigint, level?: number): number;
  /** Changes the leaf's entry; nothing is invalidated. */
  changeLeaf(address: number, change: (entry: bigint) => bigint): void;
}

/** User mode, CR3 set, frames of tables from 64K on, nothing mapped. */
export function boot(options: MachineOptions = {}): Scene {
  const machine = createMachine({ ramBytes: 64 * MIB, linearBytes: 128 * MIB, ...options });
  return withTables(machine);
}

export function withTables(machine: Machine): Scene {
  const [cpu] = machine.cpus;
  let frame = 0xf000;
  const tables = machine.createPageTables({ allocate: () => (frame += 0x1000), free: () => {} });
  const root = tables.createRoot();
  for (const each of machine.cpus) {
    each.cr3 = BigInt(root);
    each.cpl = 3;
  }
  const entryAddress = (address: number | bigint, level = 1): number => {
    const topLevel = (cpu.cr4 >> CR4.la57) & 1n ? 5 : 4;
    const step = traceWalk(machine.ram, root, address, topLevel).find((one) => one.level === level);
    if (!step) throw new Error(`no entry of level ${level} for ${address}`);
    return step.address;
  };
  return {
    machine,
    cpu,
    tables,
    root,
    map(address, physicalAddress, rights = USER, level = 1) {
      tables.install(root, address, level, physicalAddress, rights);
    },
    unmap: (address) => tables.remove(root, address, address + 0x1000, () => {}),
    entryAddress,
    changeLeaf(address, change) {
      const at = entryAddress(address);
      machine.ram.store(at, 8, change(machine.ram.load(at, 8)));
    },
  };
}

/** Sets or clears a bit of CR4. */
export function setCr4(cpu: Cpu, index: bigint, isSet = true): void {
  cpu.cr4 = isSet ? cpu.cr4 | (1n << index) : cpu.cr4 & ~(1n << index);
}

/** How many accesses of `run` were not served by the lookaside: those that asked TLB or tables. */
export function slowAccesses(cpu: Cpu, run: () => void): number {
  const asked = (): number => {
    const { l1Hits, l2Hits, walks } = cpu.counts;
    return l1Hits + l2Hits + walks;
  };
  const before = asked();
  run();
  return asked() - before;
}
