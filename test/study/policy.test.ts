/** Policies as the command line has them, and mappings as /proc tells them. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../../src/errors.ts";
import { parseMaps } from "../../src/study/mappings.ts";
import { parsePolicy } from "../../src/study/policy.ts";
import type { PageRule } from "../../src/tlb/page-policy.ts";

const MAPS = `00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/app
00651000-00652000 rw-p 00051000 08:02 173521      /usr/bin/app
00e03000-40e24000 rw-p 00000000 00:00 0           [heap]
7f0000000000-7f0040000000 rw-p 00000000 00:00 0
7f0040000000-7f0060000000 rw-s 00000000 00:01 5   /dev/shm/my pool
7f0060000000-7f0070000000 rw-p 00000000 00:05 9   /tmp/gone (deleted)
7f0080000000-7f0090000000 rw-s 00000000 00:01 0   /SYSV00000000 (deleted)
7f0070000000-7f0080000000 ---p 00000000 00:00 0
7fff00000000-7fff00021000 rw-p 00000000 00:00 0   [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]
`;
const mappings = parseMaps(MAPS, "maps");

const FILES: Readonly<Record<string, string>> = {
  good: `# what the pool has
0-40000000 1G
0x7f0000000000-0x7F0040000000 2M available=12.5% delay=1000  # the rest

7f0040000000-7f0060000000 2M delay=0
`,
  "no-size": "\n\n0-40000000\n",
  "no-range": "[heap] 2M",
  "bad-size": "0-200000 4K",
  "bad-term": "0-200000 2M available=101%",
  empty: "200000-200000 2M",
  "late-1G": "0-200000 2M\n0-40000000 1G delay=5",
  high: "0-1000000000001 2M",
  many: "0-200000 2M\n".repeat(4097),
};

function policyOf(text: string, context: { mappings?: typeof mappings } = { mappings }) {
  const read = async (path: string) => FILES[path];
  return parsePolicy(text, { ...context, read });
}

const rule = (from: number, to: number, rest: Partial<PageRule> = {}): PageRule => {
  return { from, to, pageSize: "2M", availability: 1, delay: Infinity, ...rest };
};
const HEAP = [0xe03000, 0x40e24000] as const;
const ANONYMOUS = [0x7f0000000000, 0x7f0040000000] as const;
const STACK = [0x7fff00000000, 0x7fff00021000] as const;

describe("forms", () => {
  test.each([
    { text: "4K", policy: "4K" },
    { text: "2M", policy: "2M" },
    { text: "1G", policy: "1G" },
    { text: "thp", policy: [rule(...HEAP), rule(...ANONYMOUS), rule(...STACK)] },
    {
      text: "thp:available=50%",
      policy: [HEAP, ANONYMOUS, STACK].map(([from, to]) => rule(from, to, { availability: 0.5 })),
    },
    {
      text: "thp:delay=7:available=0%",
      policy: [HEAP, ANONYMOUS, STACK].map(([from, to]) =>
        rule(from, to, { availability: 0, delay: 7 }),
      ),
    },
    { text: "hugetlb:200000-400000", policy: [rule(0x200000, 0x400000)] },
    { text: "hugetlb:0x200000-0X4fFFff", policy: [rule(0x200000, 0x4fffff)] },
    { text: "hugetlb:0-1000000000000=1G", policy: [rule(0, 2 ** 48, { pageSize: "1G" })] },
    {
      text: "hugetlb:[heap]=1G+0-200000=2M",
      policy: [rule(...HEAP, { pageSize: "1G" }), rule(0, 0x200000)],
    },
    { text: "hugetlb:app", policy: [rule(0x400000, 0x452000), rule(0x651000, 0x652000)] },
    { text: "hugetlb:/usr/bin/app", policy: [rule(0x400000, 0x452000), rule(0x651000, 0x652000)] },
    { text: "hugetlb:my pool", policy: [rule(0x7f0040000000, 0x7f0060000000)] },
    { text: "hugetlb:gone", policy: [rule(0x7f0060000000, 0x7f0070000000)] },
    {
      text: "ranges:good",
      policy: [
        rule(0, 2 ** 30, { pageSize: "1G" }),
        rule(0x7f0000000000, 0x7f0040000000, { availability: 0.125, delay: 1000 }),
        rule(0x7f0040000000, 0x7f0060000000, { delay: 0 }),
      ],
    },
  ])("$text", async ({ text, policy }) => {
    expect(await policyOf(text)).toEqual({ name: text, policy });
  });

  test("thp without --maps is everywhere", async () => {
    const { policy } = await policyOf("thp:delay=7", {});
    expect(policy).toEqual([rule(0, 2 ** 48, { delay: 7 })]);
  });

  test("thp where nothing can have it", async () => {
    const none = parseMaps("0-1000 r--s 00000000 00:00 0", "maps");
    expect((await policyOf("thp", { mappings: none })).policy).toEqual([]);
  });
});

describe("what is no policy", () => {
  const FORMS =
    "one of 4K, 2M, 1G, thp, thp:available=50%:delay=1000000, hugetlb:RANGE[=SIZE], ranges:FILE";
  test.each([
    { text: "4k", message: `policy: unknown policy "4k"; ${FORMS}` },
    { text: "thp2", message: `policy: unknown policy "thp2"; ${FORMS}` },
    { text: "hugetlb", message: `policy: unknown policy "hugetlb"; ${FORMS}` },
    { text: "hugetlb:", message: `policy: unknown policy "hugetlb:"; ${FORMS}` },
    { text: "ranges:", message: `policy: unknown policy "ranges:"; ${FORMS}` },
    { text: "2M:available=5%", message: `policy: unknown policy "2M:available=5%"; ${FORMS}` },
    { text: "\u001b[31m", message: `policy: unknown policy "\\u001b[31m"; ${FORMS}` },
    { text: "thp:50%", message: 'policy: "50%": available=0% to 100%, or delay=N' },
    {
      text: "thp:available=101%",
      message: 'policy: "available=101%": available=0% to 100%, or delay=N',
    },
    {
      text: "thp:available=-1%",
      message: 'policy: "available=-1%": available=0% to 100%, or delay=N',
    },
    { text: "thp:delay=1e6", message: 'policy: "delay=1e6": available=0% to 100%, or delay=N' },
    {
      text: "thp:delay=9999999999999999",
      message: 'policy: "delay=9999999999999999": available=0% to 100%, or delay=N',
    },
    { text: "hugetlb:5-5", message: 'policy: "5-5" is an empty range' },
    { text: "hugetlb:6-5", message: 'policy: "6-5" is an empty range' },
    { text: "hugetlb:0-1000000000001", message: 'policy: "0-1000000000001" is not below 2^48' },
    { text: "hugetlb:0-200000=4K", message: 'policy: no size of huge pages: "4K"; 2M or 1G' },
    { text: "hugetlb:0-200000=", message: 'policy: no size of huge pages: ""; 2M or 1G' },
    { text: "hugetlb:0-200000+", message: 'policy: "": no range, and no name' },
    { text: "hugetlb:[data]", message: 'policy: no mapping is called "[data]"' },
    {
      text: "ranges:no-size",
      message: "policy: no-size:3: expected FROM-TO SIZE [available=N%] [delay=N]",
    },
    {
      text: "ranges:no-range",
      message: "policy: no-range:1: expected FROM-TO SIZE [available=N%] [delay=N]",
    },
    {
      text: "ranges:bad-size",
      message: 'policy: bad-size:1: no size of huge pages: "4K"; 2M or 1G',
    },
    {
      text: "ranges:bad-term",
      message: 'policy: bad-term:1: "available=101%": available=0% to 100%, or delay=N',
    },
    { text: "ranges:empty", message: 'policy: empty:1: "200000-200000" is an empty range' },
    { text: "ranges:high", message: 'policy: high:1: "0-1000000000001" is not below 2^48' },
    {
      text: "ranges:late-1G",
      message:
        'policy: late-1G:2: "0-40000000 1G delay=5": pages of 1G are there at once, or not at all',
    },
    { text: "ranges:many", message: 'policy: "ranges:many": more than 4096 rules' },
  ])("$text", async ({ text, message }) => {
    const error = await policyOf(text).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toHaveProperty("message", message);
  });

  test("a name without --maps", async () => {
    await expect(policyOf("hugetlb:[heap]", {})).rejects.toThrow(
      'policy: "[heap]" is no range FROM-TO; for names, give --maps',
    );
  });
});

describe("/proc/PID/maps", () => {
  test("what mappings are called, and where huge pages can be", () => {
    expect(mappings.map(({ name, isThpEligible }) => [name, isThpEligible])).toEqual([
      ["/usr/bin/app", false],
      ["/usr/bin/app", false],
      ["[heap]", true],
      ["", true],
      ["/dev/shm/my pool", false],
      ["/tmp/gone (deleted)", false],
      ["/SYSV00000000 (deleted)", false],
      ["", false],
      ["[stack]", true],
    ]);
    expect(mappings[2]).toEqual({
      from: 0xe03000,
      to: 0x40e24000,
      name: "[heap]",
      isThpEligible: true,
    });
  });

  test("lines that end as on Windows", () => {
    expect(parseMaps(MAPS.replaceAll("\n", "\r\n"), "maps")).toEqual(mappings);
  });

  test("nothing", () => {
    expect(parseMaps("", "maps")).toEqual([]);
  });

  test.each([
    "hello",
    "00400000-00452000",
    "00400000-00452000 r-xp",
    "00452000-00400000 r-xp 00000000 08:02 173521 /usr/bin/app",
    "00400000-00400000 r-xp 00000000 08:02 173521 /usr/bin/app",
    "Size:                328 kB",
    "\0\0\0",
  ])("%j is no line of it", (line) => {
    expect(() => parseMaps(`0-1000 rw-p 0 00:00 0\n${line}\n`, "m")).toThrow(
      "maps: m:2: no line of /proc/PID/maps",
    );
  });
});
