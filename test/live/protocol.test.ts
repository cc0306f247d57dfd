/** Requests and replies, word by word. */
import { expect, test } from "vitest";
import { decodeReply, encodeHost, encodeProcess, outcomeOf } from "../../src/live/protocol.ts";
import { Names } from "../../src/live/encode.ts";
import { resolveHost, resolveProcess } from "../../src/transcript/resolve.ts";
import { OPERATIONS } from "../../src/transcript/grammar.ts";
import { parseTranscript } from "../../src/transcript/parse.ts";

function parse(text: string) {
  const { script, errors } = parseTranscript(text, "x", { refuseUnmodelled: false });
  if (!script) throw errors[0];
  return script.operations;
}

/** The request of the last line; `a` is at 1M, and tabs are shown as spaces. */
function request(text: string): string {
  const line = parse(text).at(-1);
  if (!line) throw new Error("no line");
  const names = new Names();
  const words =
    line.spec.role === "host"
      ? encodeHost(resolveHost(line), names)
      : encodeProcess(line.actor, resolveProcess(line, new Map([["a", 2 ** 20]])), names);
  return words.replaceAll("\t", " ");
}

test.each([
  ["A mmap a 1h rw private,anon,huge", "0 mmap 2097152 3 262178 0 0 -1"],
  [
    "A mmap a 1g none shared,huge=1G fd=f off=1g at=0x1000",
    "1 mmap 1073741824 0 2013528065 4096 1073741824 0",
  ],
  [
    "A mmap a 1h r shared fd=f off=0x7fffffffffe00000",
    "1 mmap 2097152 1 1 0 9223372036852678656 0",
  ],
  ["A let a 1m\nA mremap b a 1h 2h fixed at=0x1000", "0 mremap 1048576 2097152 4194304 3 4096"],
  ["A let a 1m\nA touch write a 3", "0 touch write 1048576 3 100"],
  ["A let a 1m\nA write a+8 0xffffffffffffffff", "0 write 1048584 18446744073709551615"],
  ["A let a 1m\nA madvise a 1h guard_install", "0 madvise 1048576 2097152 102"],
  ["A open f /mnt/f creat trunc", "1 open 0 578 /mnt/f"],
  ["A open f /mnt/f rdonly", "1 open 0 0 /mnt/f"],
  ["A open f /mnt tmpfile", "1 open 0 4259842 /mnt"],
  ["A fallocate f punch 1h 1h", "1 fallocate 0 3 2097152 2097152"],
  ["A memfd f huge=1G seal", "1 memfd 0 2013265926"],
  ["A shmget s 2h huge=2M noreserve", "0 shmget 4194304 1409292672"],
  ["A shmat a s rdonly rnd", "0 shmat -1 12288 0"],
  ["A let a 1m\nA uffd_register u a 1h missing,wp", "1 uffd_register 0 1048576 2097152 3"],
  ["A let a 1m\nA mbind a 1h bind 0,2", "0 mbind 1048576 2097152 2 5"],
  ["A rlimit memlock 0", "0 rlimit 8 0"],
  ["host nr_hugepages 1G 2", "host pool 1073741824 -1 nr_hugepages 2"],
  ["host sysctl_nr_hugepages 3 4", "host sysctl_nr_hugepages 3 4"],
  ["host node_nr_hugepages 1 8", "host pool 2097152 1 nr_hugepages 8"],
  ["host mount /mnt/a size=2M", "host mount /mnt/a size=2M"],
  ["host cgroup_set g 1G rsvd.max max", "host cgroup_set g hugetlb.1GB.rsvd.max max"],
  ["host cgroup_get g current", "host cgroup_get g hugetlb.2MB.current"],
  ["A exec\nhost kill A 9", "host kill 0 9"],
])("%j is asked as %j", (text, words) => {
  expect(request(text)).toBe(words);
});

test("every operation of the language has a request", () => {
  const samples: Readonly<Record<string, string>> = {
    address: "a",
    bytes: "1h",
    offset: "0",
    size: "2M",
    protection: "rw",
    flags: "private,anon",
    number: "1",
    value: "1",
    path: "/mnt/x",
    name: "n",
    child: "C",
    actor: "A",
    text: "1",
    nodes: "0",
  };
  for (const role of ["process", "host"] as const) {
    for (const { name, parameters } of OPERATIONS[role].values()) {
      if (name === "let") continue;
      const words = parameters
        .filter(({ isOptional }) => !isOptional)
        .map(({ kind }) =>
          "words" in kind
            ? `${kind.words[0]}${kind.words[0].endsWith("=") ? "2M" : ""}`
            : samples[kind.kind],
        );
      const actor = role === "host" ? "host" : "A";
      expect(request(`A let a 1m\n${actor} ${name} ${words.join(" ")}`)).not.toMatch(
        /undefined|NaN/,
      );
    }
  }
});

test("a reply", () => {
  const reply = decodeReply("8,7,1,0,2,2,0,0\tok\tat 4096");
  expect([...(reply.counters ?? [])].map(([name, value]) => `${name}=${value}`).join(" ")).toBe(
    "total=8 free=7 rsvd=1 surp=0 1G.total=2 1G.free=2 1G.rsvd=0 1G.surp=0",
  );
  expect([reply.result, reply.values.get("at")]).toEqual(["ok", "4096"]);
  expect(decodeReply("=\tkilled SIGBUS")).toMatchObject({
    counters: undefined,
    result: "killed SIGBUS",
  });
  for (const line of ["", "ok", "[ 1.0] BUG: x\ty"]) {
    expect(() => decodeReply(line)).toThrow(/the agent answers in replies/);
  }
});

test.each([
  ["A mmap a 1h rw private,anon,huge", "ok\tat 8192", { result: "ok", bound: 8192 }],
  ["A mmap a 1h rw private,anon,huge at=8192", "ok\tat 8192", { result: "ok at", bound: 8192 }],
  ["A mmap a 1h rw private,anon,huge at=4096", "ok\tat 8192", { result: "ok moved", bound: 8192 }],
  ["A let a 1m\nA mremap a a 1h 1h", "ok\tat 1048576", { result: "ok inplace", bound: 2 ** 20 }],
  ["A let a 1m\nA mremap a a 1h 1h", "ok\tat 8192", { result: "ok moved", bound: 8192 }],
  ["A mmap a 1h rw private,anon,huge", "ENOMEM", { result: "ENOMEM" }],
  [
    "A let a 1m\nA read a",
    "SIGBUS ADRERR\tfault 1048584",
    { result: "SIGBUS ADRERR", faultOffset: 8 },
  ],
  [
    "A let a 1m\nA pagemap a 3",
    "ok\tpages 512ax - 1024fs",
    {
      result: "",
      pagemap: [
        { frame: 512, backing: "anon", sharing: "exclusive" },
        undefined,
        { frame: 1024, backing: "file", sharing: "shared" },
      ],
    },
  ],
])("to %j the reply %j", (text, reply, outcome) => {
  const line = parse(text).at(-1);
  if (!line) throw new Error("no line");
  const operation = resolveProcess(line, new Map([["a", 2 ** 20]]));
  expect(outcomeOf(operation, decodeReply(`=\t${reply}`))).toEqual(outcome);
});
