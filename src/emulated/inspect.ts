/** What /proc shows of a process, as the language writes it. */
import { PAGE_2M, PAGE_4K } from "../address.ts";
import type { UserProcess } from "../kernel/user-process.ts";
import { unsigned } from "../kernel/procfs.ts";
import type { Outcome, ProcessOperation } from "../transcript/driver.ts";
import type { Operation } from "./operation.ts";

/** Undefined: the operation is none of these. */
export function tryInspect(process: UserProcess, operation: ProcessOperation): Outcome | undefined {
  switch (operation.op) {
    case "smaps":
      return smaps(process, operation.address);
    case "pagemap":
      return pagemap(process, operation);
    case "nodes": {
      const nodes = process.nodesOf(operation.address, operation.nrPages);
      return { result: nodes.map((node) => node ?? "-").join(" ") };
    }
    case "status":
      return { result: `HugetlbPages=${unsigned(process.hugetlbBytes / 1024)}kB` };
    case "vmas":
      return { result: `${process.nrMappings(operation.address, operation.length)}` };
    default:
      return undefined;
  }
}

function smaps(process: UserProcess, address: number): Outcome {
  const found = process.smaps(address);
  if (!found) return { result: "none" };
  const kB = (bytes: number): string => `${bytes / 1024}kB`;
  const length = found.end - found.start;
  const len = length % PAGE_2M === 0 ? `${length / PAGE_2M}h` : `${length / PAGE_4K}p`;
  return {
    result: [
      `len=${len} ${found.permissions} off=${found.offset.toString(16).padStart(8, "0")}`,
      `KernelPageSize=${kB(found.kernelPageSize)}`,
      `Shared_Hugetlb=${kB(found.sharedHugetlb)} Private_Hugetlb=${kB(found.privateHugetlb)}`,
      `VmFlags=${found.flags.join(",")}`,
    ].join(" "),
  };
}

function pagemap(process: UserProcess, operation: Operation<"pagemap">): Outcome {
  return {
    result: "",
    pagemap: process.pagemap(operation.address, operation.nrPages).map(
      (page) =>
        page && {
          frame: page.life,
          backing: page.isFile ? "file" : "anon",
          sharing: page.isExclusive ? "exclusive" : "shared",
        },
    ),
  };
}
