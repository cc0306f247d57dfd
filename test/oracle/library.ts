/**
 * The emulator as a subject of comparison, through its public face only; and subjects with faults planted,
 * to show that the comparison finds them.
 */
import { createMachine, type Fault, type Machine } from "../../src/index.ts";
import { RW } from "./manual.ts";
import {
  CR3,
  RAM_BYTES,
  type Features,
  type Outcome,
  type Place,
  type Scene,
  type Subject,
} from "./scene.ts";

const CR0_WP = 1n << 16n;
const EFER_NXE = 1n << 11n;

function translated(physicalAddress: number, pageBytes: number): Outcome {
  return {
    vector: 0,
    errorCode: 0,
    cr2: 0n,
    level: 0,
    entryAddress: 0,
    physicalAddress,
    pageBytes,
  };
}

function faulted({ vector, errorCode, address, level, entryAddress }: Fault): Outcome {
  return { vector, errorCode, cr2: address, level, entryAddress, physicalAddress: 0, pageBytes: 0 };
}

export class LibrarySubject implements Subject {
  readonly machine: Machine;
  readonly #features: { -readonly [name in keyof Features]: Features[name] } = {
    maxPhysicalAddressBits: 46,
    pages1G: true,
  };
  #wp: boolean;
  #nxe: boolean;
  #placed: Place | undefined;

  constructor() {
    this.machine = createMachine({ ramBytes: RAM_BYTES, cpus: 1, ...this.#features });
    const cpu = this.#cpu;
    cpu.cr3 = CR3;
    this.#wp = (cpu.cr0 & CR0_WP) !== 0n;
    this.#nxe = (cpu.efer & EFER_NXE) !== 0n;
  }

  get #cpu() {
    return this.machine.cpus[0];
  }

  place(scene: Scene): void {
    const { ram } = this.machine;
    if (this.#placed !== undefined && this.#placed !== scene.place) {
      for (const at of this.#placed.atNumber) ram.store(at, 8, 0n);
    }
    this.#placed = scene.place;
    for (let i = 0; i < 4; i++) ram.store(scene.place.atNumber[i], 8, scene.entries[i]);
    this.#configure(scene);
    this.#cpu.flush();
  }

  access(scene: Scene): Outcome {
    this.#configure(scene);
    const cpu = this.#cpu;
    const physicalAddress = cpu.access(scene.address, scene.access);
    return physicalAddress === -1 ? faulted(cpu.fault) : translated(physicalAddress, 0);
  }

  probe(scene: Scene): Outcome {
    this.#configure(scene);
    const result = this.#cpu.probe(scene.address, scene.access);
    if ("vector" in result) return faulted(result);
    return translated(result.physicalAddress, result.pageBytes);
  }

  entries(scene: Scene): bigint[] {
    return scene.place.atNumber.map((at) => this.machine.ram.load(at, 8));
  }

  /** Where memory is not zero outside the entries placed last: the emulator wrote what it must not. */
  strayWrites(): number[] {
    const found: number[] = [];
    for (let at = 0; at < RAM_BYTES; at += 8) {
      if (this.machine.ram.load(at, 8) !== 0n && !this.#placed?.atNumber.includes(at))
        found.push(at);
    }
    return found;
  }

  /** Controls are written only when they change. */
  #configure(scene: Scene): void {
    const cpu = this.#cpu;
    cpu.cpl = scene.user ? 3 : 0;
    if (scene.wp !== this.#wp) {
      this.#wp = scene.wp;
      cpu.cr0 = scene.wp ? cpu.cr0 | CR0_WP : cpu.cr0 & ~CR0_WP;
    }
    if (scene.nxe !== this.#nxe) {
      this.#nxe = scene.nxe;
      cpu.efer = scene.nxe ? cpu.efer | EFER_NXE : cpu.efer & ~EFER_NXE;
    }
    const { maxPhysicalAddressBits, pages1G } = scene;
    const features = this.#features;
    if (
      maxPhysicalAddressBits !== features.maxPhysicalAddressBits ||
      pages1G !== features.pages1G
    ) {
      features.maxPhysicalAddressBits = maxPhysicalAddressBits;
      features.pages1G = pages1G;
      cpu.setFeatures({ maxPhysicalAddressBits, pages1G });
    }
  }
}

// ---------------------------------------------------------------- planted faults

function withOutcomes(subject: Subject, change: (outcome: Outcome) => Outcome): Subject {
  return {
    place: (scene) => subject.place(scene),
    access: (scene) => change(subject.access(scene)),
    probe: (scene) => change(subject.probe(scene)),
    entries: (scene) => subject.entries(scene),
  };
}

/** Page faults for reserved bits that come with P = 0. */
export function plantReservedWithoutPresent(subject: Subject): Subject {
  return withOutcomes(subject, (outcome) =>
    (outcome.errorCode & 8) === 0 ? outcome : { ...outcome, errorCode: outcome.errorCode & ~1 },
  );
}

/** Write rights taken from the PTE alone: the emulator sees upper entries with R/W set, the comparison the true ones. */
export function plantLeafOnlyWriteRights(subject: Subject): Subject {
  const isUpper = (level: number): boolean => level > 1;
  return {
    place: (scene) => {
      const entries = scene.entries.map((entry, i) => (isUpper(i + 1) ? entry | RW : entry));
      subject.place({ ...scene, entries });
    },
    access: (scene) => subject.access(scene),
    probe: (scene) => subject.probe(scene),
    entries: (scene) =>
      subject
        .entries(scene)
        .map((entry, i) => (isUpper(i + 1) ? (entry & ~RW) | (scene.entries[i] & RW) : entry)),
  };
}
