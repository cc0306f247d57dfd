/** What is not run on a machine that is needed afterwards. */
import { expect, test } from "vitest";
import { createEmulatedDriver } from "../../src/emulated/driver.ts";
import { refuseHarm } from "../../src/live/refusal.ts";
import { parseTranscript } from "../../src/transcript/parse.ts";

/** The refusal, without what all have in common; undefined: it may run. */
async function refusal(text: string, isEmulated = true): Promise<string | undefined> {
  const { script, errors } = parseTranscript(text, "x", { refuseUnmodelled: false });
  if (!script) throw errors[0];
  const emulator = createEmulatedDriver({ kernel: "6.18", memoryBytes: 2 ** 32, nrCpus: 1 });
  try {
    await refuseHarm(script, { maxPages: 64, emulator, isEmulated });
    return undefined;
  } catch (error) {
    return String(error).replace("InputError: x:", "").replace(" refused with --live:", "");
  }
}

const MAPPED = "host nr_hugepages 4\nP mmap a 3h rw private,anon,huge\n";
const PART = "mremap of a part of a private mapping loses its pages (--vm runs it)";

test.each([
  [
    "a part from the middle",
    `${MAPPED}P mremap b a+1h 1h 1h fixed at=0x700000000000`,
    `3:1: ${PART}`,
  ],
  ["the first part", `${MAPPED}P mremap b a 1h 1h fixed at=0x700000000000`, `3:1: ${PART}`],
  ["the last part", `${MAPPED}P mremap b a+2h 1h 1h fixed at=0x700000000000`, `3:1: ${PART}`],
  ["more than is moved", `${MAPPED}P mremap b a 3h 1h fixed at=0x700000000000`, `3:1: ${PART}`],
  ["the whole", `${MAPPED}P mremap b a 3h 3h fixed at=0x700000000000`, undefined],
  [
    "a part of 4K pages",
    "P mmap a 3p rw private,anon\nP mremap b a+1p 1p 1p fixed at=0x700000000000",
    undefined,
  ],
  [
    "a part of a shared one",
    "host nr_hugepages 3\nP mmap a 3h rw shared,anon,huge\nP mremap b a 1h 1h fixed at=0x700000000000",
    undefined,
  ],
  ["less, where it is", `${MAPPED}P mremap b a 3h 2h`, undefined],
  [
    "a piece that mprotect has made",
    `${MAPPED}P mprotect a 1h r\nP mremap b a 1h 1h fixed at=0x700000000000`,
    undefined,
  ],
  [
    "an endless fault",
    "host nr_hugepages 1\nP mmap a 1h rw private,anon,huge\nP write a 1\nP fork C\n" +
      "P mremap b a 1h 1h fixed at=0x700000000000\nP write b 2",
    "6:1: the kernel would never end it (--vm runs it)",
  ],
  [
    "a minimum that a mount never gets back",
    "host nr_hugepages 3\nP mmap a 2h rw private,anon,huge\n" +
      "host mount /mnt/b size=4M,min_size=2M\nP open fd /mnt/b/f creat\nP mmap c 2h rw private fd=fd",
    "1:1: the kernel would lose pages of its pools for good (--vm runs it)",
  ],
  [
    "a large pool",
    "host nr_hugepages 65",
    "1:1: more than 64 huge pages (--max-pages) (--vm runs it)",
  ],
  [
    "a page of 1G",
    "host nr_hugepages 1G 1",
    "1:1: more than 64 huge pages (--max-pages) (--vm runs it)",
  ],
  [
    "a large pool, in hex",
    "host sysctl_nr_hugepages 0x100",
    "1:1: more than 64 huge pages (--max-pages) (--vm runs it)",
  ],
  ["a pool", "host nr_hugepages 64\nhost nr_overcommit_hugepages 64", undefined],
  ["no pool", "host nr_hugepages -1", undefined],
  [
    "the machine's files",
    "P open f /etc/passwd trunc",
    "1:1: only files below /tmp and /mnt are its own (--vm runs it)",
  ],
  [
    "by a way around",
    "P unlink /tmp/../etc/passwd",
    "1:1: only files below /tmp and /mnt are its own (--vm runs it)",
  ],
  [
    "a mount over them",
    "host mount /etc rw",
    "1:1: only files below /tmp and /mnt are its own (--vm runs it)",
  ],
  ["its own", "host mount /mnt/huge rw\nP open f /mnt/huge/f creat", undefined],
  [
    "a broken frame",
    "P madvise 0x1000 1p hwpoison",
    "1:1: hwpoison takes memory from the machine until a reboot (--vm runs it)",
  ],
])("%s", async (_, text, expected) => {
  expect(await refusal(text)).toBe(expected);
});

test("what the emulator cannot run first may not move anything", async () => {
  const text = `${MAPPED}P mremap b a 3h 3h fixed at=0x700000000000`;
  expect(await refusal(text, false)).toBe(
    "3:1: mremap in a script that the emulator cannot run first (--vm runs it)",
  );
  expect(await refusal(MAPPED, false)).toBe(undefined);
});
