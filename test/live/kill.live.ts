/** However hugewalk ends, nothing of what it did is left. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findImages } from "../../src/live/images.ts";
import { hasQemu } from "../../src/live/qemu.ts";

const KILLS = 20;
const LONGEST_RUN_MS = 2500;
const CLEAN_UP_MS = 20_000;

/** Everything that outlives a process which is killed, over and over. */
const BLOCK = `
host nr_hugepages 6
host nr_overcommit_hugepages 2
host mount /mnt/huge size=8M
host cgroup_create g
P open f /mnt/huge/f creat
P mmap s 2h rw shared fd=f
P write s 1
P mmap a 2h rw private,anon,huge
P touch write a 2
P shmget m 1h huge
P shmat n m
P write n 1
host cgroup_attach g P
P fork C
P write a 3
C open t /tmp/file creat
C exit
P wait C
P munmap s 2h
P munmap a 2h
P shmdt n
P shmrm m
P close f
host umount /mnt/huge
host nr_hugepages 3
`;

let directory: string;
let script: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hugewalk-test-"));
  script = join(directory, "long.txt");
  writeFileSync(script, BLOCK.repeat(400));
});

afterAll(() => rmSync(directory, { recursive: true }));

function start(...args: string[]): ChildProcess {
  const command = [
    "--import",
    "tsx",
    "src/cli/main.ts",
    "verify",
    ...args,
    "--record",
    "-",
    script,
  ];
  return spawn(process.execPath, command, { stdio: "ignore" });
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Processes whose command line has the word. */
function processes(word: string): string[] {
  return list("/proc").filter(
    (pid) => /^[0-9]+$/.test(pid) && read(`/proc/${pid}/cmdline`).includes(word),
  );
}

function machineState() {
  const pools = list("/sys/kernel/mm/hugepages").flatMap((pool) =>
    ["nr_hugepages", "nr_overcommit_hugepages"].map(
      (file) => `${pool} ${file} ${read(`/sys/kernel/mm/hugepages/${pool}/${file}`)}`,
    ),
  );
  const groups = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].flatMap((path) =>
    list(path).filter((name) => name.startsWith("hugewalk")),
  );
  const controllers = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map((path) =>
    read(`${path}/cgroup.subtree_control`),
  );
  return {
    pools,
    groups,
    controllers,
    agents: processes("hugewalk/agent-"),
    memory: (read("/proc/meminfo").match(/^HugePages.*/gm) ?? []).map((line) => line.trim()),
    mounts: read("/proc/self/mounts"),
    segments: read("/proc/sysvipc/shm"),
    files: [...list("/mnt"), ...list("/tmp").filter((name) => name === "file")],
  };
}

/** Fails with what is left when it does not become equal. */
async function expectSoon<T>(look: () => T, wanted: T): Promise<void> {
  const end = Date.now() + CLEAN_UP_MS;
  while (Date.now() < end && JSON.stringify(look()) !== JSON.stringify(wanted)) await sleep(50);
  expect(look()).toEqual(wanted);
}

async function killAfter(child: ChildProcess, ms: number, signal: NodeJS.Signals): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await sleep(ms);
  child.kill(signal);
  await ended;
}

describe.skipIf(process.geteuid?.() !== 0)("this machine (needs root)", () => {
  test("what is being killed has begun to change the machine", async () => {
    const before = machineState();
    const child = start("--live");
    const pool = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_overcommit_hugepages";
    await expectSoon(() => read(pool).trim(), "2");
    await killAfter(child, 0, "SIGKILL");
    await expectSoon(machineState, before);
  });

  test.each(Array.from({ length: KILLS }, (_, i) => i + 1))("kill %i", async (i) => {
    const before = machineState();
    const signal = i % 4 === 0 ? "SIGINT" : i % 4 === 1 ? "SIGTERM" : "SIGKILL";
    const ms = Math.floor(Math.random() * LONGEST_RUN_MS);
    await killAfter(start("--live"), ms, signal);
    try {
      await expectSoon(machineState, before);
    } catch (error) {
      throw new Error(`${signal} after ${ms} ms`, { cause: error });
    }
  });
});

const images = await findImages();

describe.skipIf(images.length === 0 || !(await hasQemu()))("a virtual machine", () => {
  const leftovers = (machine: string) => ({
    machines: processes(machine).length,
    directories: list(directory).filter((name) => name.startsWith("hugewalk-vm-")).length,
  });

  test.each([300, 1500, 4000, 15000])("killed after %i ms", async (ms) => {
    const image = images[0].path;
    const command = ["--import", "tsx", "src/cli/main.ts", "verify", "--vm", image, script];
    const env = { ...process.env, TMPDIR: directory };
    const child = spawn(process.execPath, command, { stdio: "ignore", env });
    await killAfter(child, ms, "SIGKILL");
    await expectSoon(() => leftovers(directory), { machines: 0, directories: 0 });
  });
});
