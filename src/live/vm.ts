/** Real kernels in virtual machines: as anyone, and without effect on this machine. */
import { ResourceError } from "../errors.ts";
import type { Driver } from "../transcript/driver.ts";
import { DEFAULT_MEMORY_BYTES, type MachineHeader } from "../transcript/script.ts";
import { buildAgent } from "./agent.ts";
import { Connection } from "./connection.ts";
import type { KernelImage } from "./images.ts";
import { isKvmKnownToFail, rememberThatKvmFails } from "./kvm.ts";
import {
  hasQemu,
  startMachine,
  type Accelerator,
  type Hardware,
  type VirtualMachine,
} from "./qemu.ts";
import { fillPools, type RealKernel } from "./real-kernel.ts";
import { Session, type Patience } from "./session.ts";

/** Some machines have a KVM that starts a kernel and never gets anywhere. */
const BOOT_MS: Readonly<Record<Accelerator, number>> = { kvm: 10_000, tcg: 120_000 };
/**
 * An answer takes two watchdogs at most, eight times as long while pages of 1G are in use.
 * Emulated, everything takes longer, and other programs may want the same processors. */
const PATIENCE: Readonly<Record<Accelerator, Patience>> = {
  kvm: { watchdogMs: 5_000, answerMs: 100_000 },
  tcg: { watchdogMs: 15_000, answerMs: 300_000 },
};

export interface VmOptions {
  readonly image: KernelImage;
  readonly env?: NodeJS.ProcessEnv;
}

/** Throws `ResourceError` when QEMU or a compiler is missing. */
export async function openVm({ image, env }: VmOptions): Promise<RealKernel> {
  if (!(await hasQemu(env))) {
    throw new ResourceError(
      "no qemu-system-x86_64: install qemu-system-x86 (on Fedora qemu-system-x86-core)",
    );
  }
  const agent = await buildAgent(env);
  return new VirtualKernel(image, agent, (await isKvmKnownToFail(env)) ? "tcg" : "kvm", env);
}

interface Booted {
  readonly hardware: Hardware;
  readonly machine: VirtualMachine;
  readonly connection: Connection;
}

class VirtualKernel implements RealKernel {
  readonly release: string;
  readonly lostPages = new Map<number, number>();
  readonly #image: KernelImage;
  readonly #agent: string;
  readonly #env: NodeJS.ProcessEnv | undefined;
  #accelerator: Accelerator;
  #booted: Booted | undefined;
  #session: Session | undefined;

  constructor(
    image: KernelImage,
    agent: string,
    accelerator: Accelerator,
    env: NodeJS.ProcessEnv | undefined,
  ) {
    this.release = image.release;
    this.#image = image;
    this.#agent = agent;
    this.#accelerator = accelerator;
    this.#env = env;
  }

  get description(): string {
    return `Linux ${this.release} in a virtual machine`;
  }

  async driver(machine: MachineHeader): Promise<Driver> {
    const hardware = {
      memoryBytes: machine.memoryBytes ?? DEFAULT_MEMORY_BYTES,
      nrCpus: machine.nrCpus ?? 1,
      nrNodes: machine.nrNodes ?? 1,
    };
    await this.#endSession();
    if (this.#booted && !canGoOn(this.#booted.hardware, hardware)) await this.close();
    const { connection } = (this.#booted ??= await this.#boot(hardware));
    this.#session = await Session.begin(connection, PATIENCE[this.#accelerator]);
    if (!this.#session) throw await this.#failure("does not answer");
    await fillPools(this.#session, machine);
    return this.#session;
  }

  async close(): Promise<void> {
    this.#session = undefined;
    await this.#booted?.machine.kill();
    this.#booted = undefined;
  }

  /** A kernel that is not as it was is not used again. */
  async #endSession(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session && (session.hasStuck || (await session.end()) !== "clean")) await this.close();
  }

  async #boot(hardware: Hardware): Promise<Booted> {
    const accelerator = this.#accelerator;
    const machine = await startMachine(this.#image.path, this.#agent, hardware, accelerator);
    const connection = new Connection(machine.input, machine.output);
    this.#booted = { hardware, machine, connection };
    const hello = await connection.request(undefined, BOOT_MS[accelerator]);
    if (hello?.result === "ready") return this.#booted;
    if (accelerator === "tcg") throw await this.#failure("does not boot");
    await this.close();
    this.#accelerator = "tcg";
    await rememberThatKvmFails(this.#env);
    return this.#boot(hardware);
  }

  async #failure(reason: string): Promise<ResourceError> {
    const messages = (await this.#booted?.machine.messages()) ?? "";
    const last = messages.trim().split("\n").at(-1) ?? "";
    await this.close();
    return new ResourceError(`${this.#image.path}: ${reason}${last ? `: ${last}` : ""}`);
  }
}

/**
 * Whether a machine that is up serves for the next script. With several nodes it does not: the pool
 * remembers the node that it grew or shrank on last.
 */
function canGoOn(a: Hardware, b: Hardware): boolean {
  if (b.nrNodes > 1) return false;
  return a.memoryBytes === b.memoryBytes && a.nrCpus === b.nrCpus && a.nrNodes === b.nrNodes;
}
