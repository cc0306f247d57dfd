/**
 * The TLBs of an emulated machine's CPUs, as a model of a real processor's: each CPU's does what
 * that CPU does, and it is written down what it costs, and which operation makes it cost that.
 *
 * The model sees every access that CPUs make, in the page size that the tables give it then, and
 * what the kernel says of them: which address space a CPU runs in, and what it drops. An access
 * without a translation fills nothing. The kernel's own look at page tables is no access.
 */
import { roundDown } from "../address.ts";
import type { AccessKind } from "../hardware/access-kind.ts";
import type { Cpu } from "../hardware/cpu.ts";
import { linearAddress } from "../hardware/linear-address.ts";
import type { KernelEvent } from "../kernel/event.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { ADDRESS_BITS, PAGE_SIZES, type Processor, type ReferenceKind } from "../tlb/config.ts";
import type { TlbMeter } from "../transcript/driver.ts";
import { type TlbCost, TlbCosts } from "../transcript/tlb-cost.ts";
import { CpuTlb, type ReferenceCost } from "./cpu-tlb.ts";

type EventOf<Kind extends KernelEvent["kind"]> = Extract<KernelEvent, { kind: Kind }>;

const REFERENCES: Readonly<Record<AccessKind, ReferenceKind>> = {
  read: "load",
  write: "store",
  fetch: "fetch",
  "shadow-read": "load",
  "shadow-write": "store",
};
const PCID_MASK = 0xfffn;

export class MachineTlbs implements TlbMeter {
  readonly #kernel: Kernel;
  readonly #processor: Processor;
  /** By CPU; one that has done nothing has none. */
  readonly #tlbs = new Map<number, CpuTlb>();
  /** By CPU and PCID: the operation that invalidated while the CPU ran another. */
  readonly #late = new Map<string, string>();
  #costs = new TlbCosts();
  #operation = "";
  /** PIDs that lost a page in the operation, by a steal. */
  readonly #robbed = new Set<number>();

  /** Listens to the kernel and its machine from now on. Throws OptionError as `TlbModel` does. */
  constructor(kernel: Kernel, processor: Processor) {
    this.#kernel = kernel;
    this.#processor = processor;
    kernel.state.machine.onAccess((...access) => this.#see(...access));
    kernel.onEvent((event) => this.#hear(event));
  }

  /** What happens from now on is this operation's doing. */
  begin(operation: string): void {
    this.#operation = operation;
    this.#robbed.clear();
  }

  take(): TlbCost {
    const costs = this.#costs;
    this.#costs = new TlbCosts();
    return costs;
  }

  #tlbOf(index: number): CpuTlb {
    let tlb = this.#tlbs.get(index);
    if (!tlb) {
      tlb = new CpuTlb(this.#processor);
      tlb.switchToNew(Number(this.#kernel.state.machine.cpus[index].cr3 & PCID_MASK));
      this.#tlbs.set(index, tlb);
    }
    return tlb;
  }

  #see(cpu: Cpu, pointer: number | bigint, nrBytes: number, kind: AccessKind): void {
    const costs = this.#costs.onCpu(cpu.index);
    const start = linearAddress(cpu, pointer, kind);
    for (let at = start; at < start + BigInt(nrBytes);) {
      const found = cpu.probe(at, kind);
      if ("vector" in found) {
        costs.faults++;
        return;
      }
      const address = Number(BigInt.asUintN(ADDRESS_BITS, at));
      const size = PAGE_SIZES[found.level - 1];
      this.#count(cpu.index, this.#tlbOf(cpu.index).refer(address, REFERENCES[kind], size));
      at += BigInt(roundDown(address, found.pageBytes) + found.pageBytes - address);
    }
  }

  #count(cpu: number, { isSecondLevelHit, walk }: ReferenceCost): void {
    const costs = this.#costs.onCpu(cpu);
    costs.accesses++;
    if (isSecondLevelHit) costs.secondLevelHits++;
    if (!walk) return;
    costs.misses++;
    costs.entryLoads += walk.entryLoads;
    costs.walkCycles += walk.cycles;
    if (walk.refillAfter === undefined) return;
    costs.refills++;
    const invalidation = this.#costs.by(walk.refillAfter);
    invalidation.refills++;
    invalidation.refillCycles += walk.cycles;
  }

  #hear(event: KernelEvent): void {
    if (event.kind === "switch") this.#switch(event);
    else if (event.kind === "rob") this.#robbed.add(event.pid);
    else if (event.kind === "invalidate") this.#invalidate(event);
  }

  #switch({ cpu, pcid, cached }: EventOf<"switch">): void {
    const tlb = this.#tlbOf(cpu);
    const key = `${cpu} ${pcid}`;
    const by = this.#late.get(key) ?? this.#operation;
    this.#late.delete(key);
    if (cached === "none") {
      tlb.switchToNew(pcid);
      return;
    }
    tlb.switchTo(pcid);
    if (cached === "dropped") this.#countDropped(cpu, by, tlb.flush(by), "droppedLate");
  }

  #invalidate({ pid, pcid, start, end, cpus, atOnce, asker }: EventOf<"invalidate">): void {
    const by = this.#robbed.has(pid) ? "steal" : this.#operation;
    const invalidation = this.#costs.by(by);
    invalidation.times = 1;
    invalidation.invalidations++;
    for (const cpu of cpus) {
      const key = `${cpu} ${pcid}`;
      if (!atOnce.includes(cpu)) {
        if (!this.#late.has(key)) this.#late.set(key, by);
        continue;
      }
      if (cpu !== asker) {
        invalidation.interrupts++;
        this.#costs.onCpu(cpu).interrupts++;
      }
      this.#countDropped(cpu, by, this.#tlbOf(cpu).invalidate(start, end, by), "dropped");
    }
  }

  #countDropped(cpu: number, by: string, nr: number, when: "dropped" | "droppedLate"): void {
    if (nr === 0) return;
    this.#costs.onCpu(cpu)[when] += nr;
    this.#costs.by(by).dropped += nr;
  }
}
