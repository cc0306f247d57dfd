/**
 * Random transcripts for the property tests. A script is made from a list of small choices, each
 * read against what the script has done so far (who lives, what is mapped), so that every list is
 * a sensible script and shrinking the list shrinks the script.
 */
import fc from "fast-check";

/** A kind of operation and three numbers that it reads as it needs. */
export type Choice = readonly [kind: number, a: number, b: number, c: number];

/** How often each kind of line comes up. */
const KINDS = [
  ...Array<"mmap">(3).fill("mmap"),
  ...Array<"write">(10).fill("write"),
  ...Array<"read">(8).fill("read"),
  ...Array<"fork">(4).fill("fork"),
  ...Array<"munmap">(2).fill("munmap"),
  ...Array<"dontneed">(2).fill("dontneed"),
  "pool",
  "pool",
  "overcommit",
  "exit",
  "kill",
  "exec",
  "mprotect",
  "mremap",
  "signals",
  "populate",
  "small",
  "replace",
] as const;

/** Few of each, so that they meet. */
const ACTORS_MAX = 4;
const MAPPINGS_MAX = 3;

interface Mapping {
  readonly name: string;
  readonly pages: number;
}

interface Actor {
  readonly name: string;
  readonly mappings: Mapping[];
}

export const choices = (maxLength: number): fc.Arbitrary<Choice[]> =>
  fc.array(
    fc.tuple(
      fc.nat({ max: KINDS.length - 1 }),
      fc.nat({ max: 7 }),
      fc.nat({ max: 7 }),
      fc.nat({ max: 7 }),
    ),
    { minLength: 1, maxLength, size: "max" },
  );

const FLAGS = [
  "private,anon,huge",
  "private,anon,huge",
  "private,anon,huge",
  "shared,anon,huge",
  "private,anon,huge,noreserve",
  "shared,anon,huge,noreserve",
  "private,anon,huge,populate",
  "private,anon,huge",
] as const;

/** The transcript that the choices make, without expectations; actors all end in the last lines. */
export function scriptOf(list: readonly Choice[], kernel: string): string {
  // A pool that is soon dry: what happens then is what there is to find.
  const nrHugePages = 1 + ((list[0]?.[1] ?? 0) % 4);
  const lines = [`machine memory=64M kernel=${kernel}`, `host nr_hugepages ${nrHugePages}`];
  const actors: Actor[] = [{ name: "P", mappings: [] }];
  let nrNames = 0;
  let nrActors = 0;
  lines.push("P signals catch");
  for (const [kind, a, b, c] of list) {
    const what = KINDS[kind];
    const actor = actors[a % actors.length];
    const mapping = actor.mappings[b % Math.max(1, actor.mappings.length)];
    const page = mapping ? c % mapping.pages : 0;
    const at = mapping && (page ? `${mapping.name}+${page}h` : mapping.name);
    switch (what) {
      case "mmap": {
        if (actor.mappings.length >= MAPPINGS_MAX) break;
        const name = `m${nrNames++}`;
        const pages = 1 + (c % 2);
        lines.push(`${actor.name} mmap ${name} ${pages}h rw ${FLAGS[b % FLAGS.length]}`);
        actor.mappings.push({ name, pages });
        break;
      }
      case "small": {
        if (actor.mappings.length >= MAPPINGS_MAX) break;
        const name = `m${nrNames++}`;
        lines.push(`${actor.name} mmap ${name} 1h rw private,anon`);
        actor.mappings.push({ name, pages: 1 });
        break;
      }
      case "replace":
        if (at) {
          const flags = `${FLAGS[b % FLAGS.length]},fixed at=${at}`;
          lines.push(`${actor.name} mmap r 1h rw ${flags}`);
        }
        break;
      case "write":
        if (at) lines.push(`${actor.name} write ${at} ${1 + lines.length}`);
        break;
      case "read":
        if (at) lines.push(`${actor.name} read ${at}`);
        break;
      case "fork": {
        if (actors.length >= ACTORS_MAX) break;
        const child = { name: `C${nrActors++}`, mappings: [...actor.mappings] };
        lines.push(`${actor.name} fork ${child.name}`);
        actors.push(child);
        break;
      }
      case "munmap":
        if (at) lines.push(`${actor.name} munmap ${at} 1h`);
        break;
      case "dontneed":
        if (at) lines.push(`${actor.name} madvise ${at} 1h dontneed`);
        break;
      case "pool":
        lines.push(`host nr_hugepages ${c % 5}`);
        break;
      case "overcommit":
        lines.push(`host nr_overcommit_hugepages ${c % 4}`);
        break;
      case "exit":
        if (actors.length > 1) {
          lines.push(`${actor.name} exit 0`);
          actors.splice(actors.indexOf(actor), 1);
        }
        break;
      case "kill":
        if (actors.length > 1) {
          lines.push(`host kill ${actor.name} 9`);
          actors.splice(actors.indexOf(actor), 1);
        }
        break;
      case "exec":
        lines.push(`${actor.name} exec`, `${actor.name} signals catch`);
        break;
      case "mprotect":
        if (at) {
          lines.push(`${actor.name} mprotect ${at} 1h r`, `${actor.name} mprotect ${at} 1h rw`);
        }
        break;
      case "mremap":
        if (at) {
          const to = `0x${(0x10_0000_0000 + b * 0x1000_0000 + c * 0x20_0000).toString(16)}`;
          lines.push(`${actor.name} mremap x ${at} 1h 1h maymove fixed at=${to}`);
        }
        break;
      case "signals":
        lines.push(`${actor.name} signals ${c % 4 === 0 ? "default" : "catch"}`);
        break;
      case "populate":
        if (at) lines.push(`${actor.name} mlock ${at} 1h`);
        break;
    }
  }
  for (const { name } of actors) lines.push(`host kill ${name} 9`);
  lines.push("host nr_overcommit_hugepages 0", "host nr_hugepages 0");
  return `${lines.join("\n")}\n`;
}
