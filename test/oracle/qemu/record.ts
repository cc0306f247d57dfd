/**
 * Records what QEMU's MMU does with random cases: builds the guest in guest/ with the system's
 * compiler, boots it once for each processor, and writes ../qemu-recording.bin.gz.
 *
 *     npx tsx test/oracle/qemu/record.ts [cases per boot] [seed]
 *
 * Needs gcc, ld, objcopy and qemu-system-x86_64 (Debian: gcc binutils qemu-system-x86).
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Case, Processor, RecordedCase } from "./case.ts";
import {
  CASE_FILE,
  decodeOutcome,
  decodeReport,
  encodeCaseFile,
  type GuestReport,
} from "./case-file.ts";
import { BOOTS } from "./boots.ts";
import { encodeRecording } from "./encode.ts";
import { generateCases } from "./generate.ts";
import { Xorshift } from "./xorshift.ts";

const RAM_BYTES = 256 * 2 ** 20;
/** isa-debug-exit: twice the guest's code, plus one. */
const EXIT_DONE = 3;
const HERE = import.meta.dirname;

const CFLAGS =
  "-std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -fpie -mno-red-zone -mgeneral-regs-only " +
  "-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none";

/** Multiboot loads 32-bit ELF only; the code in it may be of any mode. */
function buildGuest(directory: string): string {
  const objects = ["boot.S", "enter.S", "stubs.S", "tables.c", "main.c"].map((source) => {
    const object = join(directory, `${source}.o`);
    execFileSync("gcc", [...CFLAGS.split(" "), "-c", join(HERE, "guest", source), "-o", object]);
    return object;
  });
  const elf64 = join(directory, "guest64");
  const elf32 = join(directory, "guest32");
  execFileSync("ld", [
    "-nostdlib",
    "-static",
    "-T",
    join(HERE, "guest/link.ld"),
    ...objects,
    "-o",
    elf64,
  ]);
  execFileSync("objcopy", ["-O", "elf32-i386", elf64, elf32]);
  return elf32;
}

function qemuOptions(guest: string, ram: string, processor: Processor): string[] {
  const options = {
    accel: "tcg",
    cpu: `max,phys-bits=${processor.maxPhysicalAddressBits}`,
    machine: "pc,memory-backend=ram",
    m: `${RAM_BYTES / 2 ** 20}M`,
    object: `memory-backend-file,id=ram,size=${RAM_BYTES},mem-path=${ram},share=on`,
    device: "isa-debug-exit,iobase=0xf4,iosize=1",
    display: "none",
    kernel: guest,
  };
  const flags = ["-nodefaults", "-no-reboot"];
  return [...flags, ...Object.entries(options).flatMap(([name, value]) => [`-${name}`, value])];
}

/** The guest's RAM is a file: cases are written into it before, results are read from it after. */
function runGuest(
  guest: string,
  directory: string,
  processor: Processor,
  cases: readonly Case[],
): { recorded: RecordedCase[]; report: GuestReport } {
  const ram = join(directory, "ram");
  writeFileSync(ram, "");
  truncateSync(ram, RAM_BYTES);
  const file = encodeCaseFile(processor.levels, cases);
  if (CASE_FILE + file.length > RAM_BYTES) throw new Error("too many cases for the guest's RAM");
  const handle = openSync(ram, "r+");
  writeSync(handle, file, 0, file.length, CASE_FILE);
  const run = spawnSync("qemu-system-x86_64", qemuOptions(guest, ram, processor), {
    encoding: "utf8",
    timeout: 600_000,
  });
  readSync(handle, file, 0, file.length, CASE_FILE);
  closeSync(handle);
  const report = decodeReport(file);
  if (run.status !== EXIT_DONE) {
    throw new Error(`QEMU ended with ${run.status} after case ${report.nrDone}: ${run.stderr}`);
  }
  if (report.maxPhysicalAddressBits !== processor.maxPhysicalAddressBits) {
    throw new Error(`the guest has ${report.maxPhysicalAddressBits} physical address bits`);
  }
  const recorded = cases.map((one, i) => ({ ...one, outcome: decodeOutcome(file, i, one) }));
  return { recorded, report };
}

function main(nrCasesPerBoot: number, seed: number): void {
  const directory = mkdtempSync(join(tmpdir(), "hugewalk-qemu-"));
  try {
    const guest = buildGuest(directory);
    const emulator = execFileSync("qemu-system-x86_64", ["--version"], { encoding: "utf8" });
    const boots = BOOTS.map((processor, i) => {
      const random = new Xorshift(seed + i);
      const cases = [...generateCases(processor, nrCasesPerBoot, random)];
      const { recorded, report } = runGuest(guest, directory, processor, cases);
      const nrDone = recorded.filter((one) => one.outcome.vector === undefined).length;
      console.log(
        `${processor.levels} levels, ${processor.maxPhysicalAddressBits} bits: ` +
          `${recorded.length} cases, ${nrDone} without a fault`,
      );
      return { processor, report, seed: seed + i, cases: recorded };
    });
    const bytes = gzipSync(encodeRecording(emulator.split("\n")[0], boots), { level: 9 });
    const path = join(HERE, "../qemu-recording.bin.gz");
    writeFileSync(path, bytes);
    console.log(`${path}: ${bytes.length} bytes`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

main(Number(process.argv[2] ?? 20_000), Number(process.argv[3] ?? 1));
