/** What the administrator does with groups, as the language writes it. */
import { PAGE_2M, formatBytes } from "../address.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { UserProcess } from "../kernel/user-process.ts";
import type { HostOperation, Outcome } from "../transcript/driver.ts";

/** Undefined: the operation is none of these. `find` has the processes by name. */
export function tryPerformCgroup(
  kernel: Kernel,
  operation: HostOperation,
  find: (name: string) => UserProcess | undefined,
): Outcome | undefined {
  switch (operation.op) {
    case "cgroup_create":
      return { result: kernel.createCgroup(operation.cgroup) };
    case "cgroup_remove":
      return { result: kernel.removeCgroup(operation.cgroup) };
    case "cgroup_attach": {
      const process = find(operation.actor);
      if (!process || process.isReaped) return { result: "ESRCH" };
      const path = `/sys/fs/cgroup/${operation.cgroup}/cgroup.procs`;
      return { result: kernel.writeFile(path, `${process.pid}`) };
    }
    case "cgroup_set":
      return { result: kernel.writeFile(hugetlbFile(operation), operation.text) };
    case "cgroup_get":
      return { result: kernel.readFile(hugetlbFile(operation)).trimEnd() };
    default:
      return undefined;
  }
}

function hugetlbFile({
  cgroup,
  hugeSize = PAGE_2M,
  file,
}: Extract<HostOperation, { op: "cgroup_set" | "cgroup_get" }>): string {
  return `/sys/fs/cgroup/${cgroup}/hugetlb.${formatBytes(hugeSize)}B.${file}`;
}
