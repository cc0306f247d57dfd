/** Lines of lackey against a pattern: what wasm reads, and what it leaves to JavaScript. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatNamed } from "../../src/trace/formats.ts";
import { read } from "./traces.ts";

const digits = (alphabet: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength });
const usual = fc
  .tuple(
    fc.constantFrom("I  ", " L ", " S ", " M "),
    digits("0123456789abcdef", 14),
    fc.integer({ min: 1, max: 20 }),
  )
  .map(([start, address, size]) => `${start}${address},${size}`);
/** Addresses about as long as they may be, canonical or not. */
const long = fc
  .tuple(
    fc.constantFrom("", "0", "00", "1", "f", "ff", "fe"),
    digits("018f", 2),
    fc.constantFrom("00ffffffffffff", "ff0f0f0f0f0f0f", "12"),
  )
  .map((parts) => ` L ${parts.join("").padEnd(14, "3")},8`);
const any = fc
  .tuple(
    fc.constantFrom(
      "I  ",
      " L ",
      " S ",
      " M ",
      "I L",
      " X ",
      "",
      "==",
      "--",
      "**",
      "vex ",
      "-",
      "vex",
      " L",
    ),
    digits("0123456789abcdefABCDEFgG/:`@", 17),
    fc.constantFrom(",", "", " ", ";"),
    fc.constantFrom("1", "8", "16", "17", "0", "08", "64", "1048577", "", "x", "1x", "8\r"),
  )
  .map((parts) => parts.join(""));
const spoiled = fc
  .tuple(usual, fc.nat(20), fc.constantFrom(..." ,:/gG@`0=\r"))
  .map(([line, at, byte]) => line.slice(0, at) + byte + line.slice(at + 1));

/** What a line says by the pattern of the format; undefined if it is broken. */
function meaning(line: string): string[] | undefined {
  if (line === "" || /^(==|--|[*][*]|vex )/.test(line)) return [];
  const parts = /^(I {2}| [LSM] )([0-9a-fA-F]{1,16}),(\d+)\r?$/.exec(line);
  if (parts === null) return undefined;
  const address = BigInt(`0x${parts[2]}`);
  const size = Number(parts[3]);
  const isCanonical = BigInt.asUintN(64, BigInt.asIntN(57, address)) === address;
  if (!isCanonical || size === 0 || size > 2 ** 20) return undefined;
  const kinds = { I: "F", L: "R", S: "W", M: "RW" }[parts[1].trim()] ?? "";
  return [...kinds].map((kind) => `0,${kind},0x${address.toString(16)},${size}`);
}

test("every line is read as the pattern says, or counted as broken", async () => {
  const format = formatNamed("lackey");
  const text = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: usual },
      { weight: 1, arbitrary: any },
      { weight: 1, arbitrary: spoiled },
      { weight: 1, arbitrary: long },
    ),
    { minLength: 1, maxLength: 300 },
  );
  await fc.assert(
    fc.asyncProperty(text, fc.constantFrom(5, 100, 100_000), async (all, nrBytes) => {
      const bytes = `${all.join("\n")}\n`;
      const { trace, lines } = await read(bytes, { format, isLenient: true, nrBytes });
      const meanings = all.map(meaning);
      expect(lines).toEqual(meanings.flatMap((one) => one ?? []));
      expect(trace.nrBroken).toBe(meanings.filter((one) => one === undefined).length);
      const first = meanings.indexOf(undefined) + 1;
      if (first > 0) expect(trace.firstBroken?.message).toContain(`line ${first}: `);
    }),
    { numRuns: 200 },
  );
});
