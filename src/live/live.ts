/** This machine's own kernel: needs root, and is put back as it was whatever happens. */
import { spawn, type ChildProcess } from "node:child_process";
import { release } from "node:os";
import { ResourceError } from "../errors.ts";
import type { Driver } from "../transcript/driver.ts";
import type { MachineHeader } from "../transcript/script.ts";
import { buildAgent } from "./agent.ts";
import { endOf } from "./child.ts";
import { Connection } from "./connection.ts";
import { lostPagesOf, withoutLostPages } from "./lost-pages.ts";
import { fillPools, type RealKernel } from "./real-kernel.ts";
import { Session } from "./session.ts";

/** Another one may have to end first. */
const START_MS = 45_000;
/** Pools, groups and mounts are put back. */
const RESTORE_MS = 60_000;
const PATIENCE = { watchdogMs: 5_000, answerMs: 100_000 };

const REASONS: Readonly<Record<string, string>> = {
  busy: "huge pages are in use on this machine",
  taken: "another hugewalk is at it on this machine",
};

export interface LiveOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** The user that runs; default: this process's. */
  readonly uid?: number;
}

/** Throws `ResourceError` without root, a compiler, or pools that nobody uses. */
export async function openLive({ env, uid = process.geteuid?.() }: LiveOptions = {}) {
  if (uid !== 0) {
    throw new ResourceError("--live needs root: it changes this machine's pools of huge pages");
  }
  const agent = await buildAgent(env);
  // Its own session: what interrupts this process leaves it be, and it sees our end on its input.
  const child = spawn(agent, ["guard"], { stdio: ["pipe", "pipe", "inherit"], detached: true });
  const connection = new Connection(child.stdin, child.stdout);
  const hello = await connection.request(undefined, START_MS);
  if (hello?.result === "ready") {
    const nrNodes = Number(hello.values.get("nodes"));
    return new LiveKernel(child, connection, nrNodes, lostPagesOf(hello.counters ?? new Map()));
  }
  child.stdin.end();
  throw new ResourceError(`--live: ${REASONS[hello?.result ?? ""] ?? "the agent does not start"}`);
}

class LiveKernel implements RealKernel {
  readonly release = release();
  readonly description = `Linux ${this.release}, this machine's own`;
  readonly lostPages: ReadonlyMap<number, number>;
  readonly #child: ChildProcess;
  readonly #connection: Connection;
  readonly #nrNodes: number;
  #session: Session | undefined;

  constructor(
    child: ChildProcess,
    connection: Connection,
    nrNodes: number,
    lostPages: ReadonlyMap<number, number>,
  ) {
    this.#child = child;
    this.#connection = connection;
    this.#nrNodes = nrNodes;
    this.lostPages = lostPages;
  }

  async driver(machine: MachineHeader): Promise<Driver> {
    await this.#endSession();
    const { nrNodes = 1 } = machine;
    if (nrNodes !== this.#nrNodes) {
      throw new ResourceError(`this machine has NUMA nodes: ${this.#nrNodes}, not ${nrNodes}`);
    }
    this.#session = await Session.begin(this.#connection, PATIENCE);
    if (!this.#session) throw new ResourceError("--live: the agent does not answer");
    const driver = withoutLostPages(this.#session, this.lostPages);
    await fillPools(driver, machine);
    return driver;
  }

  async close(): Promise<void> {
    try {
      await this.#endSession();
    } finally {
      await this.#endAgent();
    }
  }

  async #endAgent(): Promise<void> {
    this.#child.stdin?.end();
    await endOf(this.#child, RESTORE_MS);
  }

  async #endSession(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session && (await session.end()) !== "clean") {
      throw new ResourceError("--live: the last script has left huge pages behind, until a reboot");
    }
  }
}
