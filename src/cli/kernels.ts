/** `hugewalk kernels`: the kernels that `verify` can boot, and how to get more. */
import { profileOf } from "../live/real-kernel.ts";
import { EXIT_AGREES } from "./exit-code.ts";
import { Output } from "./streams.ts";
import type { VerifyContext } from "./verify.ts";

/** Prints an image a line, with the profile that `verify` compares it with, and returns 0. */
export async function listKernels({ io, emulator, real }: VerifyContext): Promise<number> {
  const out = new Output(io.stdout);
  const images = await real.findImages();
  for (const { release, path } of images) {
    const profile = profileOf(release);
    const known = emulator.profileNames.includes(profile) ? profile : "-";
    await out.line(`${known.padEnd(6)} ${release.padEnd(24)} ${path}`);
  }
  if (images.length === 0) await out.line("# no kernel image found");
  for (const line of howToGet(real.imageDirectories())) await out.line(`# ${line}`);
  await out.flush();
  return EXIT_AGREES;
}

function howToGet(directories: readonly string[]): string[] {
  const cache = directories.at(-2) ?? "";
  return [
    `looked for in ${directories.join(" ")} (and HUGEWALK_KERNELS=DIRECTORY:…)`,
    "on Debian and Ubuntu one more, without installing it, is",
    "    apt-get download linux-image-6.1.0-50-amd64-unsigned    # apt-cache search linux-image",
    `    dpkg -x linux-image-*.deb ${cache}`,
  ];
}
