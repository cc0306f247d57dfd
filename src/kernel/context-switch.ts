/** Which address space a CPU runs in (arch/x86/mm/tlb.c: switch_mm_irqs_off()). */
import type { Process } from "./process.ts";
import type { KernelState } from "./state.ts";

/** CR3, bit 63: what is cached of the PCID stays (SDM Vol. 3A §4.10.4.1). */
const NO_FLUSH = 1n << 63n;

/**
 * Makes the process's address space the one that its CPU runs in. What is cached of it is used on,
 * unless something was invalidated while the CPU ran another.
 */
export function switchTo(kernel: KernelState, { cpu: index, space }: Process): void {
  if (kernel.running[index] === space) return;
  const { root, pid, pcid, ranOn, behindOn } = space;
  const cpu = kernel.machine.cpus[index];
  const mayBeCached = pcid !== 0 && ranOn.has(index);
  const isKept = mayBeCached && !behindOn.has(index);
  cpu.cr3 = BigInt(root + pcid) | (isKept ? NO_FLUSH : 0n);
  kernel.running[index] = space;
  ranOn.add(index);
  behindOn.delete(index);
  if (kernel.events.isHeard) {
    const cached = isKept ? "kept" : mayBeCached ? "dropped" : "none";
    kernel.events.emit({ kind: "switch", pid, pcid, cpu: index, cached });
  }
}
