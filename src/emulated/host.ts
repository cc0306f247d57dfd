/** What the administrator does, as the language writes it. */
import { PAGE_2M } from "../address.ts";
import { InternalError } from "../errors.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Statfs } from "../kernel/mount.ts";
import { writeNrHugepages, writeNrOvercommit, writeSysctl } from "../kernel/pool-files.ts";
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
    default:
      return setPool(kernel, operation);
  }
}

function formatStatfs({ blockBytes, nrBlocks, nrFree, nrFiles, nrFilesFree }: Statfs): string {
  return (
    `bsize=${blockBytes} blocks=${nrBlocks} bfree=${nrFree} bavail=${nrFree} ` +
    `files=${nrFiles} ffree=${nrFilesFree}`
  );
}

function setPool(kernel: Kernel, operation: HostOperation): Outcome {
  const size = ("hugeSize" in operation ? operation.hugeSize : undefined) ?? PAGE_2M;
  const hstate = kernel.state.hstates.get(size);
  if (!hstate) return { result: "ENOENT" };
  switch (operation.op) {
    case "nr_hugepages":
      return { result: writeNrHugepages(hstate, operation.text) };
    case "nr_overcommit_hugepages":
      return { result: writeNrOvercommit(hstate, operation.text) };
    case "node_nr_hugepages":
      return { result: writeNrHugepages(hstate, operation.text, operation.node) };
    case "node_hugepages": {
      const node = hstate.nodeCounters(operation.node);
      if (!node) return { result: "ENOENT" };
      return { result: `total=${node.total} free=${node.free} surp=${node.surplus}` };
    }
    case "sysctl_nr_hugepages":
      return { result: writeSysctl(hstate, "pool", operation.text) };
    default:
      throw new InternalError(`the emulated kernel knows no operation ${operation.op}`);
  }
}
