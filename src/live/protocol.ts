/**
 * What the agent is asked, and what it answers: lines of words set apart by tabs
 * (`agent/agent.h`). Names stay on this side; the agent gets numbers.
 */
import { PAGE_2M, formatBytes } from "../address.ts";
import { InternalError } from "../errors.ts";
import type { Counters, HostOperation, Outcome, ProcessOperation } from "../transcript/driver.ts";
import { Names, encodeFile, encodeMemory, encodeUserfault } from "./encode.ts";

export { Names };

/** The request of an operation of a process. */
export function encodeProcess(actor: string, operation: ProcessOperation, names: Names): string {
  const words =
    encodeMemory(operation, names) ??
    encodeFile(operation, names) ??
    encodeUserfault(operation, names);
  if (!words) throw new InternalError(`no request for ${operation.op}`);
  return [names.number(`actor ${actor}`), ...words].join("\t");
}

/** The request of an operation of the administrator. */
export function encodeHost(operation: HostOperation, names: Names): string {
  return ["host", ...hostWords(operation, names)].join("\t");
}

function hostWords(operation: HostOperation, names: Names): readonly (string | number)[] {
  const { op } = operation;
  switch (op) {
    case "nr_hugepages":
    case "nr_overcommit_hugepages":
      return ["pool", operation.hugeSize ?? PAGE_2M, -1, op, operation.text];
    case "node_nr_hugepages": {
      const { hugeSize = PAGE_2M, node, text } = operation;
      return ["pool", hugeSize, node, "nr_hugepages", text];
    }
    case "node_hugepages":
      return [op, operation.node, operation.hugeSize ?? PAGE_2M];
    case "sysctl_nr_hugepages":
      return [op, operation.text];
    case "mount":
    case "remount":
      return [op, operation.path, operation.options];
    case "umount":
    case "statfs":
      return [op, operation.path];
    case "cgroup_create":
    case "cgroup_remove":
      return [op, operation.cgroup];
    case "cgroup_attach":
      return [op, operation.cgroup, names.number(`actor ${operation.actor}`)];
    case "cgroup_set":
      return [op, operation.cgroup, cgroupFile(operation), operation.text];
    case "cgroup_get":
      return [op, operation.cgroup, cgroupFile(operation)];
    case "kill":
      return [op, names.number(`actor ${operation.target}`), operation.signal];
  }
}

function cgroupFile({ hugeSize = PAGE_2M, file }: { hugeSize?: number; file: string }): string {
  return `hugetlb.${formatBytes(hugeSize)}B.${file}`;
}

/** An answer of the agent. */
export interface Reply {
  /** Undefined: as in the reply before. */
  readonly counters?: Counters;
  readonly result: string;
  /** `at`, `fault`, `id`, `pages`; of a guard's greeting `release` and `nodes`. */
  readonly values: ReadonlyMap<string, string>;
}

const COUNTER_NAMES = ["total", "free", "rsvd", "surp"];

/** Throws `InternalError` for what is no reply. */
export function decodeReply(line: string): Reply {
  const [numbers, result, ...pairs] = line.split("\t");
  if (result === undefined || !/^(?:=|[0-9,]*)$/.test(numbers)) {
    throw new InternalError(`the agent answers in replies, not "${line}"`);
  }
  const counters = numbers === "=" ? undefined : decodeCounters(numbers);
  const values = new Map<string, string>();
  for (const pair of pairs) {
    const [key, ...words] = pair.split(" ");
    values.set(key, words.join(" "));
  }
  return { counters, result, values };
}

function decodeCounters(numbers: string): Counters {
  const counters = new Map<string, bigint>();
  numbers.split(",").forEach((number, i) => {
    const pool = i < COUNTER_NAMES.length ? "" : "1G.";
    if (number !== "") counters.set(pool + COUNTER_NAMES[i % COUNTER_NAMES.length], BigInt(number));
  });
  return counters;
}

/** What a reply says of an operation. */
export function outcomeOf(operation: ProcessOperation, { result, values }: Reply): Outcome {
  const pages = values.get("pages");
  if (pages !== undefined) return { result: "", pagemap: pages.split(" ").map(decodePage) };
  const fault = values.get("fault");
  if (fault !== undefined && "address" in operation) {
    return { result, faultOffset: Number(fault) - operation.address };
  }
  const at = values.get("at");
  if (at === undefined) return { result };
  const bound = Number(at);
  return { result: `${result}${describePlace(operation, bound)}`, bound };
}

function describePlace(operation: ProcessOperation, bound: number): string {
  if (operation.op === "mremap") return bound === operation.address ? " inplace" : " moved";
  if (operation.op !== "mmap" || operation.at === undefined) return "";
  return bound === operation.at ? " at" : " moved";
}

/** `1234ax`: the frame, `a`non or `f`ile, e`x`clusive or `s`hared. */
function decodePage(word: string): NonNullable<Outcome["pagemap"]>[number] {
  const match = /^([0-9]+)([af])([xs])$/.exec(word);
  if (match === null) return undefined;
  const [, frame, backing, sharing] = match;
  return {
    frame: Number(frame),
    backing: backing === "f" ? "file" : "anon",
    sharing: sharing === "x" ? "exclusive" : "shared",
  };
}
