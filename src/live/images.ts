/** Kernel images: files that a boot loader could start (Documentation/arch/x86/boot.rst). */
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { HugewalkError } from "../errors.ts";
import { cacheDirectory } from "./agent.ts";
import { profileOf } from "./real-kernel.ts";

export interface KernelImage {
  readonly path: string;
  /** As its `uname -r` will say. */
  readonly release: string;
}

/** How deep below a directory an image may be: `dpkg -x PACKAGE DIRECTORY` makes DIRECTORY/boot. */
const DEEPEST = 3;
const IMAGE_NAME = /^(?:vmlinuz|bzImage|linux)/i;

/** Where images are looked for. */
export function imageDirectories(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const own = (env["HUGEWALK_KERNELS"] ?? "").split(":").filter(Boolean);
  return [...own, join(cacheDirectory(env), "kernels"), "/boot"];
}

/** Every image found, the newest release first. */
export async function findImages(env: NodeJS.ProcessEnv = process.env): Promise<KernelImage[]> {
  const images: KernelImage[] = [];
  for (const directory of imageDirectories(env)) {
    for (const path of await listImages(directory, DEEPEST)) {
      const release = await readRelease(path).catch(() => undefined);
      if (release !== undefined) images.push({ path, release });
    }
  }
  const order = new Intl.Collator("en", { numeric: true });
  return images.toSorted((a, b) => order.compare(b.release, a.release));
}

/** The image at a path. Throws `HugewalkError` if it is none. */
export async function readImage(path: string): Promise<KernelImage> {
  let release: string | undefined;
  try {
    release = await readRelease(path);
  } catch (error) {
    throw new HugewalkError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (release === undefined) throw new HugewalkError(`${path}: not the image of an x86 kernel`);
  return { path, release };
}

/** The newest image whose kernel has that profile. */
export function imageFor(images: readonly KernelImage[], profile: string): KernelImage | undefined {
  return images.find(({ release }) => profileOf(release) === profile);
}

async function listImages(directory: string, depth: number): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.map((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return depth > 1 ? listImages(path, depth - 1) : [];
      return IMAGE_NAME.test(entry.name) ? [path] : [];
    }),
  );
  return found.flat();
}

/** The setup header's `HdrS` and kernel_version; undefined: no such header. */
async function readRelease(path: string): Promise<string | undefined> {
  const file = await open(path);
  try {
    const start = Buffer.alloc(0x8000);
    await file.read(start, 0, start.length, 0);
    if (start.toString("latin1", 0x202, 0x206) !== "HdrS") return undefined;
    const version = start.readUInt16LE(0x20e) + 0x200;
    const text = start.toString("latin1", version, version + 128);
    return /^[^\0 ]+/.exec(text)?.[0];
  } finally {
    await file.close();
  }
}
