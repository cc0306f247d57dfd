/**
 * Everything that happens, as typed, numbered events. With nobody listening none is made:
 * `if (events.isHeard) events.emit({ … })`.
 */
import { formatAddress, formatBytes } from "../address.ts";
import { type Fault, describeFault } from "../fault.ts";
import { type WalkStep, describeWalk } from "../hardware/inspect.ts";

export type KernelEvent =
  | {
      readonly kind: "fault";
      readonly pid: number;
      readonly fault: Fault;
      /** The entries that the walk read. */
      readonly walk: readonly WalkStep[];
    }
  | {
      readonly kind: "allocate";
      readonly frame: number;
      readonly bytes: number;
      readonly from: "reservation" | "pool" | "surplus" | "buddy";
    }
  | {
      readonly kind: "free";
      readonly frame: number;
      readonly bytes: number;
      readonly to: "pool" | "buddy";
      readonly restoresReservation: boolean;
    }
  | { readonly kind: "reserve"; readonly pages: number; readonly bytes: number }
  | { readonly kind: "surplus"; readonly pages: number; readonly bytes: number }
  | {
      /** The administrator asked for a pool; RAM may have had less. */
      readonly kind: "resize";
      readonly asked: number;
      readonly pages: number;
      readonly bytes: number;
    }
  | { readonly kind: "map"; readonly pid: number; readonly address: number; readonly frame: number }
  | { readonly kind: "copy"; readonly from: number; readonly to: number; readonly bytes: number }
  | { readonly kind: "reuse"; readonly pid: number; readonly frame: number }
  | { readonly kind: "steal"; readonly pid: number; readonly frame: number }
  | { readonly kind: "rob"; readonly pid: number; readonly name: string; readonly address: number }
  | {
      readonly kind: "invalidate";
      readonly pid: number;
      readonly pcid: number;
      readonly start: number;
      readonly end: number;
      /** CPUs that may cache it. */
      readonly cpus: readonly number[];
      /** Those that drop it now; the others drop all of the process before they run it again. */
      readonly atOnce: readonly number[];
      /** The CPU that asks; the others of `atOnce` are interrupted. */
      readonly asker: number;
    }
  | {
      /** A CPU runs another process from now on. */
      readonly kind: "switch";
      readonly pid: number;
      readonly pcid: number;
      readonly cpu: number;
      /** What becomes of the translations that it has of the process; none: it cannot have any. */
      readonly cached: "none" | "kept" | "dropped";
    }
  | {
      readonly kind: "signal";
      readonly pid: number;
      readonly name: string;
      readonly signal: string;
    }
  | { readonly kind: "exit"; readonly pid: number; readonly name: string; readonly status: string }
  | { readonly kind: "stuck"; readonly pid: number; readonly address: number; readonly why: string }
  | { readonly kind: "log"; readonly text: string };

/** An event with its number, counted from 1 in the order of happening. */
export type NumberedEvent = KernelEvent & { readonly number: number };

export type EventListener = (event: NumberedEvent) => void;

export class EventStream {
  readonly #listeners = new Set<EventListener>();
  #number = 0;
  /** Whether anyone listens. */
  isHeard = false;

  /** Calls `listener` with each event from now on; the result ends that. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    this.isHeard = true;
    return () => {
      this.#listeners.delete(listener);
      this.isHeard = this.#listeners.size > 0;
    };
  }

  emit(event: KernelEvent): void {
    const numbered = { ...event, number: ++this.#number };
    for (const listener of this.#listeners) listener(numbered);
  }
}

const SOURCES = {
  reservation: "the pool, by its reservation",
  pool: "the pool, unreserved",
  surplus: "the buddy allocator, as surplus",
  buddy: "the buddy allocator",
} as const;

const pagesOf = (nr: number, bytes: number): string =>
  `${nr} ${nr === 1 ? "page" : "pages"} of ${formatBytes(bytes)}`;

const frameName = (address: number, bytes?: number): string =>
  `${bytes === undefined ? "" : `${formatBytes(bytes)} `}frame ${formatAddress(address)}`;

/** One line for people. */
export function describeEvent(event: KernelEvent): string {
  switch (event.kind) {
    case "fault":
      return `${describeFault(event.fault)}: ${describeWalk(event.walk)}`;
    case "allocate":
      return `takes the ${frameName(event.frame, event.bytes)} from ${SOURCES[event.from]}`;
    case "free": {
      const restored = event.restoresReservation ? "; its reservation comes back" : "";
      return `the ${frameName(event.frame, event.bytes)} goes back to the ${event.to}${restored}`;
    }
    case "reserve":
      return event.pages > 0
        ? `reserves ${pagesOf(event.pages, event.bytes)}`
        : `gives back the reservation of ${pagesOf(-event.pages, event.bytes)}`;
    case "surplus":
      return event.pages > 0
        ? `surplus: ${pagesOf(event.pages, event.bytes)} from the buddy allocator`
        : `surplus: ${pagesOf(-event.pages, event.bytes)} back to the buddy allocator`;
    case "resize": {
      const short = event.pages < event.asked ? ": RAM has no room for more" : "";
      return `the pool has ${pagesOf(event.pages, event.bytes)} of ${event.asked} asked${short}`;
    }
    case "map":
      return `maps the ${frameName(event.frame)} at ${formatAddress(event.address)}`;
    case "copy":
      return `copies ${formatBytes(event.bytes)} from the ${frameName(event.from)} to the ${frameName(event.to)}`;
    case "reuse":
      return `the ${frameName(event.frame)} has one user: made writable in place, no copy`;
    case "steal":
      return `no page is free: takes the ${frameName(event.frame)} back from those who share it`;
    case "rob":
      return `robbed: ${event.name} (PID ${event.pid}) loses its page at ${formatAddress(event.address)}; its mapping is marked`;
    case "invalidate": {
      const cpus = event.cpus.length ? `CPU ${event.cpus.join(", ")}` : "no CPU";
      return `invalidates ${formatAddress(event.start)}-${formatAddress(event.end)} in the TLB of ${cpus}`;
    }
    case "switch":
      return `CPU ${event.cpu} runs PID ${event.pid}; translations it has of it: ${event.cached}`;
    case "signal":
      return `${event.signal} to ${event.name} (PID ${event.pid})`;
    case "exit":
      return `${event.name} (PID ${event.pid}) is gone: ${event.status}`;
    case "stuck":
      return `stuck at ${formatAddress(event.address)}: ${event.why}`;
    case "log":
      return `kernel log: ${event.text}`;
  }
}
