/** Random system calls on mappings: what follows the operation's name. */
import type { Actor, Mapping, Scene } from "./scene.ts";
import { wordsOf } from "./vocabulary.ts";

/** The arguments; undefined: it makes no sense now. */
export type Maker = (scene: Scene, actor: Actor) => string | undefined;

const range: Maker = (scene, actor) => scene.range(actor);

/** What a kernel with CONFIG_MEMORY_FAILURE really does, and others refuse. */
const POISON = ["hwpoison", "soft_offline"];

export const MEMORY: Readonly<Record<string, Maker>> = {
  mmap: (scene, actor) => mmap(scene, actor),
  munmap(scene, actor) {
    const mapping = scene.random.tryPick(actor.mappings);
    if (mapping === undefined) return undefined;
    const range = scene.rangeOf(mapping);
    // Some stay, so that unmapped memory is used.
    if (range === `${mapping.name} ${mapping.pages}${mapping.unit}` && scene.random.chance(70)) {
      actor.mappings.splice(actor.mappings.indexOf(mapping), 1);
    }
    return range;
  },
  mprotect(scene, actor) {
    const range = scene.range(actor);
    return range && `${range} ${scene.random.pick(["r", "rw", "rw", "none"])}`;
  },
  mremap: (scene, actor) => mremap(scene, actor),
  madvise(scene, actor) {
    const range = scene.range(actor);
    const words = wordsOf("process", "madvise", "ADVICE").filter((word) => !POISON.includes(word));
    return range && `${range} ${scene.random.chance(50) ? "dontneed" : scene.random.pick(words)}`;
  },
  mincore: range,
  mlock: range,
  mlock2: range,
  munlock: range,
  mlockall(scene, actor) {
    // Of a user it depends on what else a real process has mapped.
    if (actor.isUser) return undefined;
    actor.hasLockedAll = true;
    return scene.random.pick(["current", "future", "current,future", "future,onfault"]);
  },
  munlockall: () => "",
  msync(scene, actor) {
    const range = scene.range(actor);
    return range && `${range} ${scene.random.pick(["sync", "async", "inval"])}`;
  },
  let(scene, actor) {
    const mapping = scene.random.tryPick(actor.mappings);
    if (mapping === undefined || mapping.pages < 2) return undefined;
    const name = scene.newName("m");
    scene.addMapping(actor, { ...mapping, name, pages: mapping.pages - 1 });
    return `${name} ${mapping.name}+1${mapping.unit}`;
  },
  mbind(scene, actor) {
    const range = scene.range(actor);
    return range && `${range} ${policy(scene)}`;
  },
  set_mempolicy: (scene) => policy(scene),
  smaps: (scene, actor) => scene.page(actor),
  pagemap: (scene, actor) => pages(scene, actor),
  nodes: (scene, actor) => pages(scene, actor),
  status: () => "",
  vmas(scene, actor) {
    const mapping = scene.random.tryPick(actor.mappings);
    return mapping && `${mapping.name} ${mapping.pages}${mapping.unit}`;
  },
};

function pages(scene: Scene, actor: Actor): string | undefined {
  const mapping = scene.random.tryPick(actor.mappings);
  return mapping && `${mapping.name} ${mapping.unit === "g" ? 1 : mapping.pages}`;
}

function policy({ random }: Scene): string {
  const mode = random.pick(wordsOf("process", "mbind", "MODE"));
  const hasNoNodes = mode === "default" || mode === "local";
  return `${mode} ${hasNoNodes !== random.chance(5) ? "none" : random.pick(["0", "1", "0,1"])}`;
}

const ANONYMOUS = [
  ["private,anon,huge", 40],
  ["private,anon,huge,noreserve", 8],
  ["private,anon,huge,populate", 6],
  ["private,anon,huge,locked", 3],
  ["shared,anon,huge", 12],
  ["shared,anon,huge,noreserve", 5],
  ["shared,anon,huge,populate", 3],
  ["private,anon,huge,populate,nonblock", 1],
  ["private,anon,huge,growsdown", 1],
  ["private,anon,huge,stack", 1],
  ["shared_validate,anon,huge", 1],
  ["private,shared,anon,huge", 1],
  ["anon,huge", 1],
  ["private,anon", 10],
  ["private,anon,populate", 2],
  ["private,anon,noreserve", 1],
] as const;

const OF_A_FILE = [
  ["shared", 40],
  ["private", 40],
  ["shared,noreserve", 6],
  ["private,noreserve", 6],
  ["shared,populate", 4],
  ["private,populate", 4],
  ["private,locked", 2],
] as const;

const PROTECTIONS = [
  ["rw", 85],
  ["r", 10],
  ["none", 3],
  ["rwx", 2],
] as const;

function mmap(scene: Scene, actor: Actor): string {
  const { random, options } = scene;
  const isOfFile = random.chance(40);
  const file = isOfFile ? random.tryPick(actor.files.filter(({ isHuge }) => isHuge)) : undefined;
  let flags: string = random.weighted(file ? OF_A_FILE : ANONYMOUS) ?? "";
  const isHuge = file !== undefined || flags.includes("huge");
  const isGigantic = options.hasGigantic && !file && isHuge && random.chance(30);
  if (isGigantic) flags = flags.replace("huge", "huge=1G");
  const unit = isGigantic ? "g" : "h";
  const pages = isGigantic ? 1 : scene.pages();
  const length = random.chance(4) ? random.pick(["0", "1p", `${pages}h+1p`]) : `${pages}${unit}`;
  const name = scene.newName("m");
  const where = place(scene, actor);
  if (where.flag !== undefined) flags += `,${where.flag}`;
  const words = [name, length, random.weighted(PROTECTIONS) ?? "rw", flags];
  if (file) words.push(`fd=${file.fd}`);
  if (file && random.chance(30)) words.push(`off=${random.pick(["1h", "1h", "2h", "1p"])}`);
  if (where.at !== undefined) words.push(`at=${where.at}`);
  const isShared = flags.includes("shared");
  scene.addMapping(actor, {
    name,
    pages,
    unit,
    kind: isHuge ? (isShared ? "shared" : "private") : "small",
    isInArena: where.isInArena,
  });
  return words.join(" ");
}

interface Place {
  readonly at?: string;
  readonly flag?: "fixed" | "fixed_noreplace";
  readonly isInArena: boolean;
}

function place(scene: Scene, actor: Actor): Place {
  const { random } = scene;
  const percent = random.below(100);
  if (percent < 60) return { isInArena: false };
  // A hint that is not followed puts the mapping among the kernel's own.
  if (percent < 66) return { at: scene.arenaAddress(), isInArena: false };
  if (percent < 68) return { at: `${scene.arenaAddress()}+1p`, isInArena: false };
  if (percent < 84) return { at: scene.arenaAddress(), flag: "fixed", isInArena: true };
  if (percent < 92) return { at: scene.arenaAddress(), flag: "fixed_noreplace", isInArena: true };
  const mapping = random.tryPick(actor.mappings.filter(({ isInArena }) => isInArena));
  if (!mapping) return { isInArena: false };
  return { at: scene.pageOf(mapping), flag: "fixed", isInArena: true };
}

function mremap(scene: Scene, actor: Actor): string | undefined {
  const { random, options } = scene;
  const isAllowed = ({ kind }: Mapping): boolean => !options.isSafe || kind !== "private";
  const mapping = random.tryPick(actor.mappings.filter(isAllowed));
  if (mapping === undefined) return undefined;
  const [start, length] = scene.rangeOf(mapping).split(" ");
  const newPages = random.between(1, mapping.pages + 1);
  const newLength = random.chance(60) ? length : `${newPages}${mapping.unit}`;
  const name = scene.newName("m");
  const words = [name, start, length, newLength];
  const isMoved = random.chance(60);
  if (isMoved || random.chance(50)) words.push("maymove");
  if (isMoved) words.push("fixed", `at=${scene.arenaAddress()}`);
  if (random.chance(5)) words.push("dontunmap");
  scene.addMapping(actor, { ...mapping, name, pages: newPages, isInArena: isMoved });
  return words.join(" ");
}
