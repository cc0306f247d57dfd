/**
 * Everything that can be wrong with a text: the exact message, and the exact place.
 */
import { describe, expect, test } from "vitest";
import { parseTranscript } from "../../src/transcript/parse.ts";

function errorsOf(text: string): readonly string[] {
  return parseTranscript(text, "f").errors?.map((error) => error.message) ?? [];
}

const MMAP = "mmap NAME LEN PROT FLAGS [fd=FD] [off=N] [at=ADDR]";
const BOUND = "A mmap a 1h rw private,anon,huge\n";

const CASES: Record<string, [text: string, ...errors: string[]][]> = {
  shape: [
    ["", "f:1:1: no operation in this file"],
    ["# only words\n\n", "f:2:1: no operation in this file"],
    ["machine memory=4G\n", "f:1:1: no operation in this file"],
    ["A exec\nA re\0ad 0", "f:2:5: not a text file: a NUL byte"],
    ["A", 'f:1:1: "A" is all there is: ACTOR OP ARG... is a line'],
    ["  => ok", 'f:1:3: no operation before "=>"'],
    ["1A exec", 'f:1:1: "1A" cannot be the name of a process'],
    ["A ; exec", 'f:1:3: unknown operation ";"'],
  ],
  operation: [
    ["A raed 0", 'f:1:3: unknown operation "raed" (did you mean "read"?)'],
    ["A  xyzzy 0", 'f:1:4: unknown operation "xyzzy"'],
    ["host nr_hugepage 3", 'f:1:6: unknown operation "nr_hugepage" (did you mean "nr_hugepages"?)'],
    ["host mmap a", 'f:1:6: "mmap" is an operation of a process, not of host'],
    ["A nr_hugepages 3", 'f:1:3: "nr_hugepages" is an operation of host, not of a process'],
    [`A ${"x".repeat(99)}`, `f:1:3: unknown operation "${"x".repeat(40)}…"`],
    ["A \u001b[31m", 'f:1:3: unknown operation "\\u001b[31m"'],
  ],
  count: [
    ["A mmap", `f:1:3: NAME is missing; usage: A ${MMAP}`],
    ["B mmap a 1h rw", `f:1:3: FLAGS is missing; usage: B ${MMAP}`],
    ["B mmap a 1h rw at=0", `f:1:3: FLAGS is missing; usage: B ${MMAP}`],
    ["A mmap a 1h rw anon,huge 7", `f:1:26: unexpected argument "7"; usage: A ${MMAP}`],
    ["A read", "f:1:3: ADDR is missing; usage: A read ADDR"],
    ["A read 0 1", 'f:1:10: unexpected argument "1"; usage: A read ADDR'],
    ["A exec now", 'f:1:8: unexpected argument "now"; usage: A exec'],
    ["A pagemap 0 1 2", 'f:1:15: unexpected argument "2"; usage: A pagemap ADDR [PAGES]'],
    ["host nr_hugepages", "f:1:6: COUNT is missing; usage: host nr_hugepages [SIZE] COUNT..."],
    ["A exec ; free=1", 'f:1:8: counters follow a result: "=> RESULT ; COUNTERS"'],
    [`${BOUND}A mremap b a 1h 1h maymove maymove`, 'f:2:28: "maymove" is given twice'],
    [
      `${BOUND}A mremap b a 1h 1h fixed`,
      'f:2:3: "fixed" goes with "at"; ' +
        "usage: A mremap NAME ADDR OLDLEN NEWLEN [maymove] [fixed at=ADDR] [dontunmap]",
    ],
    ["A mmap a 1h rw anon at=0 at=0", 'f:1:26: "at=" is given twice'],
  ],
  names: [
    ["A read a", 'f:1:8: no earlier line of A binds "a"'],
    [`${BOUND}B read a+1h`, 'f:2:8: no earlier line of B binds "a"'],
    [`A fork C\n${BOUND}C read a`, 'f:3:8: no earlier line of C binds "a"'],
    [`${BOUND}A fork C\nC fork G\nG read a`],
    [`B mmap b 1h rw anon\nB fork C\nA fork C\nC read b`, 'f:4:8: no earlier line of C binds "b"'],
    ["A mremap b b 1h 1h", 'f:1:12: no earlier line of A binds "b"'],
    ["A let b b", 'f:1:9: no earlier line of A binds "b"'],
    ["A let b 0x1000\nA read b"],
    ["A mmap a 1h rw anon at=b", 'f:1:24: no earlier line of A binds "b"'],
    ["A fork A", "f:1:8: A cannot fork itself"],
    ["A fork host", 'f:1:8: "host" is reserved: it cannot be the name of a process'],
    ["A wait C", 'f:1:8: no earlier line starts "C"'],
    ["host kill C 9\nC exec", 'f:1:11: no earlier line starts "C"'],
    ["A exec\nhost kill A 9"],
    ["A fork C\nA wait C"],
    // What a line that was not understood would have bound is not held against the others.
    ["A mmap a 1h rw anno\nA read a", 'f:1:16: unknown flag "anno" (did you mean "anon"?)'],
    ["A mmpa a 1h rw anon\nA read a", 'f:1:3: unknown operation "mmpa" (did you mean "mmap"?)'],
    [`${BOUND}A frok C\nC read a`, 'f:2:3: unknown operation "frok" (did you mean "fork"?)'],
    ["A mmap 1 1h rw anon\nA read a", 'f:1:8: "1" is not a name'],
  ],
  numbers: [
    ["A read 0x1z", 'f:1:8: "0x1z" is not a number'],
    ["A read 1.5", 'f:1:8: "1.5" is not a number'],
    ["A read 12q", 'f:1:8: "12q" is not a number'],
    ["A read -1", 'f:1:8: "-1" is not an address: NAME, NAME+N or a number'],
    [`${BOUND}A read a-1h`, 'f:2:8: "a-1h" is not an address: NAME, NAME+N or a number'],
    [`${BOUND}A read a+`, 'f:2:8: "a+" is not a number'],
    [`${BOUND}A read a+1h+x`, 'f:2:8: "a+1h+x" is not a number'],
    ["A read 0x1fffffffffffff"],
    ["A read 0x20000000000000", 'f:1:8: "0x20000000000000" is out of range: 0 to 9007199254740991'],
    [
      `${BOUND}A read a+0x10000000000000`,
      'f:2:8: "a+0x10000000000000" is out of range: 0 to 4503599627370495',
    ],
    [
      `A munmap 0 ${"9".repeat(50)}`,
      `f:1:12: "${"9".repeat(40)}…" is out of range: 0 to 9007199254740991`,
    ],
    ["A munmap 0 0x800000000000"],
    ["A munmap 0 1h+1"],
    ["A write 0 18446744073709551615"],
    [
      "A write 0 18446744073709551616",
      'f:1:11: "18446744073709551616" is out of range: 0 to 18446744073709551615',
    ],
    ["A write 0 -1", 'f:1:11: "-1" is not a number'],
    ["A mmap a 1h rw anon off=0x7fffffffffe00000"],
    [
      "A mmap a 1h rw anon off=0x7fffffffffffffff",
      'f:1:25: "0x7fffffffffffffff" is out of range: too many digits that matter',
    ],
    [
      "A mmap a 1h rw anon off=0x8000000000000000",
      'f:1:25: "0x8000000000000000" is out of range: 0 to 9223372036854775807',
    ],
    ["A exit 256", 'f:1:8: "256" is out of range: 0 to 255'],
    ["A pagemap 0 0", 'f:1:13: "0" is out of range: 1 to 1048576'],
    ["A touch read 0 1m+1", 'f:1:16: "1m+1" is not a number'],
    ["A exec\nhost kill A 16", 'f:2:13: "16" is out of range: 0 to 15'],
    ["A exec\nhost kill A SIGKILL", 'f:2:13: "SIGKILL" is not a number'],
  ],
  words: [
    ["A mmap a 1h rq anon", 'f:1:13: "rq" is not a protection: letters of r w x, or none'],
    ["A mmap a 1h rr anon", 'f:1:13: "rr" is not a protection: letters of r w x, or none'],
    ["A mmap a 1h rw private,anom,huge", 'f:1:24: unknown flag "anom" (did you mean "anon"?)'],
    ["A mmap a 1h rw private,,huge", 'f:1:24: unknown flag ""'],
    ["A mmap a 1h rw anon,anon", 'f:1:21: flag "anon" is given twice'],
    ["A mmap a 1h rw anon,huge,huge=1G", 'f:1:26: flag "huge" is given twice'],
    ["A mmap a 1h rw anon,huge=3M", 'f:1:26: "3M" is not a power of two'],
    ["A mmap a 1h rw anon,huge=", 'f:1:26: "" is not a page size, such as 2M or 1G'],
    ["A signals ctch", 'f:1:11: unknown word "ctch" (did you mean "catch"?)'],
    ["A signals x", 'f:1:11: unknown word "x"; one of catch default'],
    ["A madvise 0 1h dontned", 'f:1:16: unknown advice "dontned" (did you mean "dontneed"?)'],
    [
      "host mount huge sze=4M",
      'f:1:12: "huge" is not a path: it must start with /',
      'f:1:17: unknown mount option "sze=" (did you mean "size="?)',
    ],
    ["host mount /m size=4M,size=5M", 'f:1:23: mount option "size=" is given twice'],
    ["host mount /m size=4M,size=", 'f:1:23: mount option "size=" has no value'],
  ],
  results: [
    ["A exec =>", 'f:1:8: the line is cut off: no result after "=>"'],
    ["A exec   => ; free=1", 'f:1:10: the line is cut off: no result after "=>"'],
    ["A exec => ok ; fre=1", 'f:1:16: unknown counter "fre" (did you mean "free"?)'],
    ["A exec => ok ; 2M.free=1", 'f:1:16: unknown counter "2M.free" (did you mean "1G.free"?)'],
    ["A exec => ok ; free", 'f:1:16: counter "free" has no value'],
    [
      "A exec => ok ; total=1 free=",
      'f:1:29: "" is not a counter\'s value: 0 to 18446744073709551615',
    ],
    ["A exec => ok ; free=-1", 'f:1:21: "-1" is not a counter\'s value: 0 to 18446744073709551615'],
    [
      "A exec => ok ; rsvd=18446744073709551616",
      'f:1:21: "18446744073709551616" is not a counter\'s value: 0 to 18446744073709551615',
    ],
    ["A exec => ok ; free=1 free=1", 'f:1:23: counter "free" is given twice'],
    ["A exec => ok ; free=1 ; rsvd=0", 'f:1:23: unknown counter ";"'],
    [
      "A pagemap 0 2 => [-] [#1 anon excl",
      'f:1:22: "[#1 anon excl" is not a page: [-] or [#1 anon exclusive]',
    ],
    ["A pagemap 0 => [-] ok", 'f:1:20: "ok" is not a page: [-] or [#1 anon exclusive]'],
    [
      "A pagemap 0 => [#x file shared]",
      'f:1:16: "[#x file shared]" is not a page: [-] or [#1 anon exclusive]',
    ],
    ["A read 0 =>   [-]", "f:1:15: a list of pages is the result of pagemap only"],
  ],
  machine: [
    ["machine\nA exec", "f:1:1: usage: machine KEY=VALUE..."],
    ["A exec\nmachine memory=4G", "f:2:1: machine lines come before the first operation"],
    ["machine memroy=4G\nA exec", 'f:1:9: unknown key "memroy" (did you mean "memory"?)'],
    [
      "machine x=1\nA exec",
      'f:1:9: unknown key "x"; one of memory kernel cpu cpus nodes hugepages hugepages_1G',
    ],
    ["machine memory\nA exec", 'f:1:9: machine key "memory" has no value'],
    ["machine kernel=\nA exec", 'f:1:9: machine key "kernel" has no value'],
    ["machine memory=4G\nmachine memory=5G\nA exec", 'f:2:9: machine key "memory" is given twice'],
    ["machine memory=lots\nA exec", 'f:1:16: "lots" is not a number'],
    ["machine memory=0\nA exec", 'f:1:16: "0" is out of range: 4096 to 4503599627370496'],
    ["machine memory=4097\nA exec", 'f:1:16: "4097" is not a multiple of 4K'],
    ["machine cpus=0\nA exec", 'f:1:14: "0" is out of range: 1 to 4096'],
    ["machine hugepages=-1\nA exec", 'f:1:19: "-1" is not a number'],
    ["machine cpu=a/b\nA exec", 'f:1:13: "a/b" is not the name of a cpu'],
    ["machine memory=4G => ok\nA exec", "f:1:19: a machine line has no result"],
  ],
};

for (const [group, cases] of Object.entries(CASES)) {
  describe(group, () => {
    test.each(cases.map(([text, ...errors]) => ({ text, errors })))("$text", ({ text, errors }) => {
      expect(errorsOf(text)).toEqual(errors);
    });
  });
}

test("all errors of a text are reported, in the order of their places", () => {
  const text = "A mmap 1 1z rq anom\nA exec =>\nhost kill Z 99\nA mremap b 0 1z 1h fixed";
  expect(errorsOf(text)).toEqual([
    'f:1:8: "1" is not a name',
    'f:1:10: "1z" is not a number',
    'f:1:13: "rq" is not a protection: letters of r w x, or none',
    'f:1:16: unknown flag "anom" (did you mean "anon"?)',
    'f:2:8: the line is cut off: no result after "=>"',
    'f:3:13: "99" is out of range: 0 to 15',
    expect.stringMatching(/^f:4:3: "fixed" goes with "at"; usage: /),
    'f:4:14: "1z" is not a number',
  ]);
});

test("twenty errors are enough", () => {
  const twenty = parseTranscript("A x\n".repeat(20), "f");
  expect([twenty.errors?.length, twenty.errors && twenty.isCut]).toEqual([20, false]);
  const more = parseTranscript("A x\n".repeat(21), "f");
  expect([more.errors?.length, more.errors && more.isCut]).toEqual([20, true]);
});

test("millions of digits are refused at once", { timeout: 1500 }, () => {
  expect(errorsOf(`A munmap 0 ${"9".repeat(8e6)}`).length).toBe(1);
});

test("columns count tabs as one, and lines may end in CR LF", () => {
  expect(errorsOf("\tA\texec\r\nA\tread\tx\r\n")).toEqual([
    'f:2:8: no earlier line of A binds "x"',
  ]);
});
