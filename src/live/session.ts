/** A script's session with the agent, as the transcript runner's driver. */
import type {
  Counters,
  Driver,
  HostOperation,
  Outcome,
  ProcessOperation,
} from "../transcript/driver.ts";
import type { Connection } from "./connection.ts";
import { encodeHost, encodeProcess, Names, outcomeOf, type Reply } from "./protocol.ts";

export interface Patience {
  /** After this long an operation is `stuck`. */
  readonly watchdogMs: number;
  /** After this long without an answer so is the kernel. */
  readonly answerMs: number;
}

/** How a session ended. `lost`: nobody answers any more. */
export type Ending = "clean" | "dirty" | "lost";

export class Session implements Driver {
  readonly #connection: Connection;
  readonly #patience: Patience;
  readonly #names = new Names();
  #counters: Counters = new Map();
  #isLost = false;
  #hasStuck = false;

  private constructor(connection: Connection, patience: Patience) {
    this.#connection = connection;
    this.#patience = patience;
  }

  /** Undefined: nobody answers. */
  static async begin(connection: Connection, patience: Patience): Promise<Session | undefined> {
    const session = new Session(connection, patience);
    await session.#request(`begin\t${patience.watchdogMs}`);
    return session.#isLost ? undefined : session;
  }

  /** Whether an operation never returned: this kernel is of no use any more. */
  get hasStuck(): boolean {
    return this.#hasStuck;
  }

  /** Puts the kernel back into the state before the script. */
  async end(): Promise<Ending> {
    const reply = await this.#request("end");
    if (!reply) return "lost";
    return reply.result === "ok" && !this.#hasStuck ? "clean" : "dirty";
  }

  /** A frame's end is not to be seen: every frame has one name for the whole script. */
  isFrameAlive(): boolean {
    return true;
  }

  counters(): Counters {
    return this.#counters;
  }

  async process(actor: string, operation: ProcessOperation): Promise<Outcome> {
    const reply = await this.#request(encodeProcess(actor, operation, this.#names));
    if (!reply) return { result: "stuck" };
    const id = reply.values.get("id");
    if (operation.op === "shmget" && id !== undefined) {
      this.#names.bindSegment(operation.id, Number(id));
    }
    return outcomeOf(operation, reply);
  }

  async host(operation: HostOperation): Promise<Outcome> {
    const reply = await this.#request(encodeHost(operation, this.#names));
    return { result: reply?.result ?? "stuck" };
  }

  async #request(line: string): Promise<Reply | undefined> {
    if (this.#isLost) return undefined;
    const reply = await this.#connection.request(line, this.#patience.answerMs);
    // `lost` is the guard's: the process that carries the script out has died.
    if (!reply || reply.result === "lost") {
      this.#isLost = true;
      return undefined;
    }
    this.#counters = reply.counters ?? this.#counters;
    if (reply.result === "stuck") this.#hasStuck = true;
    return reply;
  }
}
