/** The virtual machine as a process: QEMU, and what ends it when hugewalk ends. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { findExecutable } from "../executable.ts";
import { endOf } from "./child.ts";
import { packArchive, S_IFDIR, S_IFREG } from "./cpio.ts";

const QEMU = "qemu-system-x86_64";

export interface Hardware {
  readonly memoryBytes: number;
  readonly nrCpus: number;
  readonly nrNodes: number;
}

export type Accelerator = "kvm" | "tcg";

export interface VirtualMachine {
  /** To the agent, and from it. */
  readonly input: Writable;
  readonly output: Readable;
  /** The kernel's messages so far. */
  messages(): Promise<string>;
  /** Ends it now. */
  kill(): Promise<void>;
}

/**
 * Starts QEMU and ends it when the fourth descriptor closes, which it does however this process
 * ends. The files are removed with it.
 */
const KEEPER = `
  directory=$1; shift
  exec 4<&0
  "$@" <&4 3<&- 4<&- &
  machine=$!
  exec <&- 4<&- >&- 2>&-
  read -r nothing <&3
  kill -9 $machine
  rm -f "$directory/initramfs" "$directory/messages"
  rmdir "$directory"`;

/** Whether QEMU is installed. */
export async function hasQemu(env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  return (await findExecutable(QEMU, env)) !== undefined;
}

/** Boots a kernel with the agent's program as init. */
export async function startMachine(
  image: string,
  agent: string,
  hardware: Hardware,
  accelerator: Accelerator,
): Promise<VirtualMachine> {
  const directory = await mkdtemp(join(tmpdir(), "hugewalk-vm-"));
  const messages = join(directory, "messages");
  const initramfs = join(directory, "initramfs");
  await writeFile(initramfs, packInitramfs(await readFile(agent)));
  const args = machineArgs(hardware, accelerator);
  args.push("-kernel", image, "-initrd", initramfs, "-append", KERNEL_COMMAND_LINE);
  args.push("-chardev", "stdio,id=agent,signal=off", "-serial", "chardev:agent");
  args.push("-serial", `file:${messages}`);
  const child = spawn("/bin/sh", ["-c", KEEPER, "hugewalk-vm", directory, QEMU, ...args], {
    stdio: ["pipe", "pipe", "ignore", "pipe"],
    detached: true,
  });
  return new RunningMachine(child, messages);
}

/** The agent's port is the first serial port; messages go to the second. */
const KERNEL_COMMAND_LINE = [
  "console=ttyS1 quiet panic=-1 nokaslr no5lvl mitigations=off",
  "transparent_hugepage=never numa_balancing=disable random.trust_cpu=on",
].join(" ");

/**
 * Emulated, a kernel that copies by bytes (ERMS) is eight times slower than one that does by words.
 */
const CPUS: Readonly<Record<Accelerator, string>> = { kvm: "host", tcg: "max,erms=off,fsrm=off" };

function machineArgs(hardware: Hardware, accelerator: Accelerator): string[] {
  const { memoryBytes, nrCpus, nrNodes } = hardware;
  const mebibytes = Math.floor(memoryBytes / nrNodes / 2 ** 20);
  const args = "-nodefaults -no-user-config -display none -no-reboot -M pc".split(" ");
  args.push("-accel", accelerator, "-cpu", CPUS[accelerator]);
  args.push("-m", `${mebibytes * nrNodes}M`, "-smp", `${nrCpus}`);
  if (nrNodes === 1) return args;
  for (let node = 0; node !== nrNodes; node += 1) {
    args.push("-object", `memory-backend-ram,id=node${node},size=${mebibytes}M`);
    args.push("-numa", `node,nodeid=${node},memdev=node${node}`);
  }
  return args;
}

function packInitramfs(agent: Uint8Array): Uint8Array {
  const directories = ["dev", "proc", "sys", "mnt", "tmp"];
  return packArchive([
    ...directories.map((name) => ({ name, mode: S_IFDIR | 0o755 })),
    { name: "init", mode: S_IFREG | 0o755, content: agent },
  ]);
}

const KILL_MS = 10_000;

class RunningMachine implements VirtualMachine {
  readonly input: Writable;
  readonly output: Readable;
  readonly #child: ChildProcess;
  readonly #lifeline: Writable;
  readonly #messages: string;

  constructor(child: ChildProcess, messages: string) {
    const [input, output, , lifeline] = child.stdio;
    this.input = input as Writable;
    this.output = output as Readable;
    this.#lifeline = lifeline as Writable;
    this.#lifeline.on("error", () => {});
    this.#child = child;
    this.#messages = messages;
  }

  async messages(): Promise<string> {
    return readFile(this.#messages, "latin1").catch(() => "");
  }

  async kill(): Promise<void> {
    this.#lifeline.end();
    await endOf(this.#child, KILL_MS);
  }
}
