/** The archive as cpio's own tools and the kernel read it. */
import { expect, test } from "vitest";
import { packArchive, S_IFDIR, S_IFREG } from "../../src/live/cpio.ts";

interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly content: string;
}

/** A reader from the format's description: no field is taken for granted. */
function unpack(archive: Uint8Array): Entry[] {
  const bytes = Buffer.from(archive);
  const entries: Entry[] = [];
  for (let at = 0; ;) {
    expect(bytes.toString("latin1", at, at + 6)).toBe("070701");
    const field = (i: number) =>
      parseInt(bytes.toString("latin1", at + 6 + 8 * i, at + 14 + 8 * i), 16);
    const [mode, length, nameLength] = [field(1), field(6), field(11)];
    const name = bytes.toString("latin1", at + 110, at + 110 + nameLength - 1);
    expect(bytes[at + 110 + nameLength - 1]).toBe(0);
    const start = Math.ceil((at + 110 + nameLength) / 4) * 4;
    if (name === "TRAILER!!!") {
      expect(start).toBe(bytes.length);
      return entries;
    }
    entries.push({ name, mode, content: bytes.toString("latin1", start, start + length) });
    at = Math.ceil((start + length) / 4) * 4;
  }
}

test.each(["", "a", "ab", "abc", "abcd"])("a file of %j, and what follows it", (content) => {
  const entries = [
    { name: "dev", mode: S_IFDIR | 0o755, content: "" },
    { name: "init", mode: S_IFREG | 0o755, content },
    { name: "x", mode: S_IFREG | 0o600, content: "y" },
  ];
  const packed = packArchive(
    entries.map((entry) => ({ ...entry, content: Buffer.from(entry.content, "latin1") })),
  );
  expect(unpack(packed)).toEqual(entries);
});
