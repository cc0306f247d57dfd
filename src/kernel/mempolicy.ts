/** Memory policies (mm/mempolicy.c): which node a page comes from, as a task or a mapping asks. */
import type { Errno } from "./errno.ts";
import type { NodeChoice, NodeMask, Nodes } from "./nodes.ts";

/** struct mempolicy; nothing of it changes. */
export interface Mempolicy {
  readonly mode: "local" | "preferred" | "preferred_many" | "bind" | "interleave";
  /** Empty for `local` alone, one node for `preferred`. */
  readonly mask: NodeMask;
}

/** `default`: no policy of its own. */
export type MempolicyMode = Mempolicy["mode"] | "default";

/** A task as far as it decides where memory comes from. */
export interface PolicyHolder {
  /** Index of the CPU that it runs on. */
  readonly cpu: number;
  /** What set_mempolicy asked for; undefined: its own node first. */
  policy: Mempolicy | undefined;
}

/** mpol_new(), mpol_set_nodemask(). Undefined: there is to be no policy. */
export function createPolicy(
  nodes: Nodes,
  mode: MempolicyMode,
  mask: NodeMask,
): Mempolicy | undefined | Errno {
  if (mode === "default") return mask === 0 ? undefined : "EINVAL";
  if (mode === "local" || (mode === "preferred" && mask === 0)) {
    return mask === 0 ? { mode: "local", mask } : "EINVAL";
  }
  const allowed = mask & nodes.all;
  if (allowed === 0) return "EINVAL";
  return { mode, mask: mode === "preferred" ? allowed & -allowed : allowed };
}

/** set_mempolicy */
export function setMempolicy(
  nodes: Nodes,
  task: PolicyHolder,
  mode: MempolicyMode,
  mask: NodeMask,
): "ok" | Errno {
  const policy = createPolicy(nodes, mode, mask);
  if (typeof policy === "string") return policy;
  task.policy = policy;
  return "ok";
}

/** mpol_equal() */
export function isSamePolicy(a: Mempolicy | undefined, b: Mempolicy | undefined): boolean {
  return a?.mode === b?.mode && a?.mask === b?.mask;
}

/**
 * huge_node(), policy_nodemask(): where a page of a mapping may come from. `index` is that of the
 * page in the mapping's file, in pages.
 */
export function chooseNodes(
  nodes: Nodes,
  task: PolicyHolder,
  ofMapping: Mempolicy | undefined,
  index: number,
): NodeChoice {
  const policy = ofMapping ?? task.policy;
  const local = nodes.nodeOfCpu(task.cpu);
  switch (policy?.mode) {
    case undefined:
    case "local":
      return nodes.anyFrom(local);
    case "bind":
      return { near: local, mask: policy.mask, isPreference: false };
    case "preferred_many":
      return { near: local, mask: policy.mask, isPreference: true };
    case "preferred":
    case "interleave":
      return nodes.anyFrom(nthNode(policy.mask, index));
  }
}

/** policy_mbind_nodemask(): the nodes that the task is bound to, whatever its mappings say. */
export function boundNodes(nodes: Nodes, { policy }: PolicyHolder): NodeMask {
  return policy?.mode === "bind" ? policy.mask : nodes.all;
}

/** offset_il_node(): counts round and round through the nodes of the mask. */
function nthNode(mask: NodeMask, index: number): number {
  const members: number[] = [];
  for (let node = 0; mask >> node !== 0; node++) if ((mask >> node) & 1) members.push(node);
  return members[index % members.length];
}
