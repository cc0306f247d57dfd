/**
 * A transcript as read: every line with its place, comments and blank lines included, so that
 * a run can print the text it came from.
 */
import type { InputError, Place } from "../errors.ts";
import type { MapFlag, Protection } from "./driver.ts";
import type { OperationSpec } from "./grammar.ts";

/** `NAME+N+N`, or a number when there is no name. */
export interface AddressExpression {
  readonly name?: string;
  readonly offset: number;
}

/** One argument, checked as far as it can be before a run. */
export type Argument =
  | { readonly kind: "word"; readonly word: string }
  | { readonly kind: "address"; readonly address: AddressExpression }
  | { readonly kind: "number"; readonly number: number }
  | { readonly kind: "value"; readonly value: bigint }
  | { readonly kind: "protection"; readonly protection: Protection }
  | { readonly kind: "flags"; readonly flags: ReadonlySet<MapFlag>; readonly hugeSize?: number };

/** One huge page of an expected `pagemap`; undefined: `[-]`. */
export type ExpectedPage =
  | undefined
  | {
      readonly label: number;
      readonly backing: "anon" | "file";
      readonly sharing: "exclusive" | "shared";
    };

/** What follows `=>`. */
export interface Expectation {
  /** As written, white space collapsed. */
  readonly text: string;
  readonly result: string;
  /** The result of a `pagemap`, when it is a list of pages. */
  readonly pages?: readonly ExpectedPage[];
  /** The counters that change; undefined: there was no `;`, and nothing is asserted of them. */
  readonly counters?: ReadonlyMap<string, bigint>;
}

export interface OperationLine {
  readonly kind: "operation";
  readonly place: Place;
  /** Actor, operation and arguments as written. */
  readonly text: string;
  /** From `#` on. */
  readonly comment?: string;
  readonly actor: string;
  readonly spec: OperationSpec;
  /** By the label of a parameter (`ADDR`), the key of an option (`at`) or a bare word. */
  readonly args: ReadonlyMap<string, Argument>;
  readonly expectation?: Expectation;
}

/** A `machine` line, a comment or a blank line. */
export interface OtherLine {
  readonly kind: "machine" | "comment" | "blank";
  readonly text: string;
}

export type ScriptLine = OperationLine | OtherLine;

export type MachineKey =
  | "memory"
  | "kernel"
  | "cpu"
  | "cpus"
  | "nodes"
  | "hugepages"
  | "hugepages_1G";

/** RAM of a machine whose header does not say. */
export const DEFAULT_MEMORY_BYTES = 4 * 2 ** 30;

/** What the `machine` lines say; undefined: left out. */
export interface MachineHeader {
  readonly memoryBytes?: number;
  readonly kernel?: string;
  readonly cpu?: string;
  readonly nrCpus?: number;
  /** NUMA nodes, among which memory is divided evenly. */
  readonly nrNodes?: number;
  /** The pools at the start, as the kernel's command line asks for them. */
  readonly nrHugePages?: number;
  readonly nrHugePages1G?: number;
  /** Where the values stand. */
  readonly places: ReadonlyMap<MachineKey, Place>;
}

export interface Script {
  readonly file: string;
  readonly machine: MachineHeader;
  readonly lines: readonly ScriptLine[];
  readonly operations: readonly OperationLine[];
  /** What the emulated kernel does not carry out yet, when that was no error. */
  readonly unimplemented: readonly InputError[];
}
