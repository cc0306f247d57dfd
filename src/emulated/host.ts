/** What the administrator does, as the language writes it. */
import { PAGE_2M } from "../address.ts";
import { InternalError } from "../errors.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Statfs } from "../kernel/mount.ts";
import type { HostOperation, Outcome } from "../transcript/driver.ts";

/** Every operation of `host` but those that need to know the actors: `kill` and groups. */
export function performHost(kernel: Kernel, operation: HostOperation): Outcome {
  switch (operation.op) {
    case "mount":
      return { result: kernel.mount(operation.path, operation.options) };
    case "remount":
      return { result: kernel.remount(operation.path, operation.options) };
    case "umount":
      return { result: kernel.umount(operation.path) };
    case "statfs": {
      const found = kernel.statfs(operation.path);
      return { result: typeof found === "string" ? found : formatStatfs(found) };
    }
    case "nr_hugepages":
    case "nr_overcommit_hugepages": {
      const path = `/sys/kernel/mm/${poolDirectory(operation.hugeSize)}/${operation.op}`;
      return { result: kernel.writeFile(path, operation.text) };
    }
    case "sysctl_nr_hugepages":
      return { result: kernel.writeFile("/proc/sys/vm/nr_hugepages", operation.text) };
    case "node_nr_hugepages": {
      const node = `/sys/devices/system/node/node${operation.node}`;
      const path = `${node}/${poolDirectory(operation.hugeSize)}/nr_hugepages`;
      return { result: kernel.writeFile(path, operation.text) };
    }
    case "node_hugepages": {
      const pool = kernel.nodePool(operation.hugeSize ?? PAGE_2M, operation.node);
      if (!pool) return { result: "ENOENT" };
      return { result: `total=${pool.total} free=${pool.free} surp=${pool.surplus}` };
    }
    default:
      throw new InternalError(`the emulated kernel knows no operation ${operation.op}`);
  }
}

function poolDirectory(hugeSize = PAGE_2M): string {
  return `hugepages/hugepages-${hugeSize / 1024}kB`;
}

function formatStatfs({ blockBytes, nrBlocks, nrFree, nrFiles, nrFilesFree }: Statfs): string {
  return (
    `bsize=${blockBytes} blocks=${nrBlocks} bfree=${nrFree} bavail=${nrFree} ` +
    `files=${nrFiles} ffree=${nrFilesFree}`
  );
}
