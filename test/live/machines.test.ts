/** Images, and what is said when something is missing. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildAgent } from "../../src/live/agent.ts";
import { findImages, imageFor, readImage } from "../../src/live/images.ts";
import { openLive } from "../../src/live/live.ts";
import { openVm } from "../../src/live/vm.ts";

let directory: string;

/** What a boot loader looks at. */
function image(release: string): Buffer {
  const bytes = Buffer.alloc(0x4000);
  bytes.write("HdrS", 0x202, "latin1");
  bytes.writeUInt16LE(0x3000 - 0x200, 0x20e);
  bytes.write(`${release} (builder@host) #1 SMP\0`, 0x3000, "latin1");
  return bytes;
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hugewalk-"));
  mkdirSync(join(directory, "unpacked", "boot"), { recursive: true });
  mkdirSync(join(directory, "bin"));
  writeFileSync(join(directory, "vmlinuz-old"), image("6.1.9-1-amd64"));
  writeFileSync(join(directory, "unpacked", "boot", "vmlinuz-new"), image("6.12.3"));
  writeFileSync(join(directory, "unpacked", "boot", "vmlinuz-newer"), image("6.12.10"));
  writeFileSync(join(directory, "vmlinuz-text"), "no image");
  writeFileSync(join(directory, "bin", "qemu-system-x86_64"), "#!/bin/sh\nexit 1\n");
  chmodSync(join(directory, "bin", "qemu-system-x86_64"), 0o755);
});

afterAll(() => rmSync(directory, { recursive: true }));

function env(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const cache = join(directory, "cache");
  return { HUGEWALK_KERNELS: directory, XDG_CACHE_HOME: cache, HOME: directory, ...more };
}

test("images are found by what they are, the newest first", async () => {
  const images = (await findImages(env())).filter(({ path }) => path.startsWith(directory));
  expect(images.map(({ release }) => release)).toEqual(["6.12.10", "6.12.3", "6.1.9-1-amd64"]);
  expect(imageFor(images, "6.12")?.release).toBe("6.12.10");
  expect(imageFor(images, "6.1")?.release).toBe("6.1.9-1-amd64");
  expect(imageFor(images, "6.18")).toBeUndefined();
});

test("what is no image says so", async () => {
  await expect(readImage(join(directory, "vmlinuz-text"))).rejects.toThrow(
    /vmlinuz-text: not the image of an x86 kernel/,
  );
  await expect(readImage(join(directory, "missing"))).rejects.toThrow(/missing: ENOENT/);
});

test("without a compiler", async () => {
  await expect(buildAgent(env({ PATH: "/nowhere" }))).rejects.toThrow(
    /^no C compiler: .* install gcc and libc6-dev/,
  );
});

test("without QEMU", async () => {
  const options = { image: { path: "x", release: "6.1" }, env: env({ PATH: "/nowhere" }) };
  await expect(openVm(options)).rejects.toThrow(/^no qemu-system-x86_64: install qemu-system-x86/);
});

test("without root", async () => {
  await expect(openLive({ uid: 1000 })).rejects.toThrow(/^--live needs root/);
});
