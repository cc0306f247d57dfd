/** The emulator as a subject of comparison, through its public face only. */
import {
  createMachine,
  type Cpu,
  type Fault,
  type Machine,
  type MachineOptions,
} from "../../src/index.ts";
import { PAT_AFTER_RESET, type Access, type Processor } from "./processor.ts";
import { RAM_BYTES, TABLE_BYTES } from "./scene.ts";
import type { Instruction } from "./caches.ts";
import type { Context, SequenceSubject } from "./sequence.ts";
import type { Outcome } from "./subject.ts";

const CR0_WP = 1n << 16n;
const EFER_NXE = 1n << 11n;
const CR4_PGE = 1n << 7n;
const CR4_PCIDE = 1n << 17n;
const CR3_KEEP = 1n << 63n;
const CR4_FLAGS = [
  ["la57", 1n << 12n],
  ["smep", 1n << 20n],
  ["smap", 1n << 21n],
  ["pke", 1n << 22n],
  ["cet", 1n << 23n],
  ["pks", 1n << 24n],
  ["lamSup", 1n << 28n],
] as const;
const CR4_OURS = CR4_FLAGS.reduce((all, [, flag]) => all | flag, 0n);
const CR3_LAM_U57 = 1n << 61n;
const CR3_LAM_U48 = 1n << 62n;

export class LibrarySubject implements SequenceSubject {
  readonly machine: Machine;
  readonly cpu: Cpu;
  readonly words: Uint32Array;
  #processor: Processor | undefined;

  constructor(options: Partial<MachineOptions> = {}) {
    this.machine = createMachine({
      cpus: 1,
      maxPhysicalAddressBits: 46,
      pages1G: true,
      ...options,
      ramBytes: RAM_BYTES,
    });
    this.cpu = this.machine.cpus[0];
    const view = this.machine.ram.view(0, TABLE_BYTES);
    this.words = new Uint32Array(view.buffer, view.byteOffset, view.byteLength / 4);
  }

  configure(processor: Processor): void {
    const old = this.#processor;
    if (processor === old) return;
    this.#processor = processor;
    const { cpu } = this;
    let cr4 = cpu.cr4 & ~CR4_OURS;
    for (const [name, flag] of CR4_FLAGS) if (processor[name]) cr4 |= flag;
    const needsCr4 = cr4 !== cpu.cr4;
    // Vol. 3A §2.5: CR4.CET = 1 needs CR0.WP = 1, at every moment.
    if (needsCr4 && !processor.cet) cpu.cr4 = cr4;
    if (processor.wp !== old?.wp) cpu.cr0 = processor.wp ? cpu.cr0 | CR0_WP : cpu.cr0 & ~CR0_WP;
    if (needsCr4 && processor.cet) cpu.cr4 = cr4;
    if (processor.nxe !== old?.nxe) {
      cpu.efer = processor.nxe ? cpu.efer | EFER_NXE : cpu.efer & ~EFER_NXE;
    }
    const cr3 = cr3Of(processor);
    if (old === undefined || cr3 !== cr3Of(old)) cpu.cr3 = cr3;
    if (processor.ac !== old?.ac) cpu.ac = processor.ac;
    if (processor.pkru !== old?.pkru) cpu.pkru = processor.pkru;
    if (processor.pkrs !== old?.pkrs) cpu.pkrs = processor.pkrs;
    if (processor.pat !== (old?.pat ?? PAT_AFTER_RESET)) cpu.pat = processor.pat;
    const { maxPhysicalAddressBits, pages1G, leafAccessedOnFault } = processor;
    if (
      maxPhysicalAddressBits !== old?.maxPhysicalAddressBits ||
      pages1G !== old.pages1G ||
      leafAccessedOnFault !== old.leafAccessedOnFault
    ) {
      cpu.setFeatures({ maxPhysicalAddressBits, pages1G, leafAccessedOnFault });
    }
  }

  flush(): void {
    this.cpu.flush();
  }

  access({ address, kind, manner, cpl }: Access, outcome: Outcome): void {
    const { cpu } = this;
    cpu.cpl = cpl;
    const physicalAddress = cpu.access(address, kind, 1, manner);
    if (physicalAddress === -1) return faulted(outcome, cpu.fault);
    outcome.vector = 0;
    outcome.physicalAddress = physicalAddress;
    outcome.translation = undefined;
  }

  probe({ address, kind, manner, cpl }: Access, outcome: Outcome): void {
    const { cpu } = this;
    cpu.cpl = cpl;
    const result = cpu.probe(address, kind, manner);
    if ("vector" in result) return faulted(outcome, result);
    outcome.vector = 0;
    outcome.physicalAddress = result.physicalAddress;
    outcome.translation = result;
  }

  begin(processor: Processor, { pge, pcide, pcid }: Context): void {
    const { cpu } = this;
    this.configure(processor);
    const cr4 =
      (cpu.cr4 & ~(CR4_PGE | CR4_PCIDE)) | (pge ? CR4_PGE : 0n) | (pcide ? CR4_PCIDE : 0n);
    if (cr4 !== cpu.cr4) {
      // Vol. 3A §4.10.1: CR4.PCIDE changes to 1 only while the PCID is 0.
      cpu.cr3 = cr3Of(processor);
      cpu.cr4 = cr4;
    }
    const cr3 = cr3Of(processor) | BigInt(pcid);
    if (cr3 !== cpu.cr3) cpu.cr3 = cr3;
    cpu.flush();
  }

  execute(instruction: Instruction): void {
    const { cpu } = this;
    switch (instruction.name) {
      case "INVLPG":
        cpu.invalidatePage(instruction.linear);
        return;
      case "INVPCID": {
        const { type, pcid, linear } = instruction;
        const fault = cpu.invpcid(type, pcid, linear);
        if (fault !== undefined) throw new Error(`INVPCID ${type} faulted: ${fault.reason}`);
        return;
      }
      case "CR3":
        cpu.cr3 =
          cr3Of(this.#processor!) | BigInt(instruction.pcid) | (instruction.keeps ? CR3_KEEP : 0n);
        return;
      case "PGE":
        cpu.cr4 ^= CR4_PGE;
        cpu.cr4 ^= CR4_PGE;
    }
  }

  /** Where memory is not zero outside the tables: the emulator wrote what it must not. */
  strayWrites(): number[] {
    const found: number[] = [];
    for (let at = TABLE_BYTES; at < RAM_BYTES; at += 8) {
      if (this.machine.ram.load(at, 8) !== 0n) found.push(at);
    }
    return found;
  }
}

function cr3Of({ root, lamU48, lamU57 }: Processor): bigint {
  return BigInt(root) | (lamU48 ? CR3_LAM_U48 : 0n) | (lamU57 ? CR3_LAM_U57 : 0n);
}

function faulted(outcome: Outcome, fault: Fault): void {
  outcome.vector = fault.vector;
  outcome.errorCode = fault.errorCode;
  outcome.fault = fault;
}
