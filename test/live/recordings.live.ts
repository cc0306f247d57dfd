/** Real kernels, asked again what was recorded on them: in virtual machines, and this machine's. */
import { readFileSync, readdirSync } from "node:fs";
import { release } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findImages } from "../../src/live/images.ts";
import { openLive } from "../../src/live/live.ts";
import { profileOf, type RealKernel } from "../../src/live/real-kernel.ts";
import { openVm } from "../../src/live/vm.ts";
import { parseTranscript } from "../../src/transcript/parse.ts";
import { runScript } from "../../src/transcript/run.ts";

const RECORDED = "test/recorded";

/** On 6.18 a child was seen to lose a page of 1G in one fork of ten. */
const TRIES_WITH_1G = 5;

/**
 * Lines that depend on more than the script. On 6.12 smaps of a page of 1G asks for the sharing of
 * a page table in a field that nobody has set (mm/hugetlb.c: hugetlb_pmd_shared()).
 */
const UNSTEADY: readonly string[] = ["6.12/15-1g.txt:11"];

interface Candidate {
  readonly name: string;
  readonly profile: string;
  readonly open: () => Promise<RealKernel>;
}

const images = await findImages();
const candidates: Candidate[] = images.map((image) => ({
  name: image.path,
  profile: profileOf(image.release),
  open: () => openVm({ image }),
}));
if (images.length === 0) console.warn('no virtual machine: "hugewalk kernels" says how to get one');
if (process.geteuid?.() === 0) {
  candidates.push({ name: "this machine", profile: profileOf(release()), open: () => openLive() });
} else {
  console.warn("this machine's own kernel is not asked: that needs root");
}

/** The lines on which the kernel differs from the recording. */
async function differingLines(file: string, kernel: RealKernel): Promise<string[]> {
  const { script, errors } = parseTranscript(readFileSync(file, "utf8"), file, {
    refuseUnmodelled: false,
  });
  if (!script) throw errors[0];
  const uses1G = script.operations.some(({ text }) => /\b1G\b/.test(text));
  let differing: string[] = [];
  for (let tries = uses1G ? TRIES_WITH_1G : 1; tries > 0; tries--) {
    differing = [];
    const driver = await kernel.driver(script.machine);
    for await (const { line, result, differs } of runScript(script, driver)) {
      const isUnsteady = UNSTEADY.some((place) => `${file}:${line.place.line}`.endsWith(place));
      if (differs && !isUnsteady) differing.push(`${line.place.line}: ${line.text} => ${result}`);
    }
    if (differing.length === 0) break;
  }
  return differing;
}

const recorded = readdirSync(RECORDED);

describe.each(candidates.filter(({ profile }) => recorded.includes(profile)))(
  "$name",
  ({ profile, open }) => {
    let kernel: RealKernel;
    beforeAll(async () => {
      kernel = await open();
    });
    afterAll(() => kernel.close());
    test.each(readdirSync(`${RECORDED}/${profile}`))("%s", async (file) => {
      expect(await differingLines(`${RECORDED}/${profile}/${file}`, kernel)).toEqual([]);
    });
  },
);
