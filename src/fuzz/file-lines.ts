/** Random operations on files, shared memory and userfaultfd: what follows the operation's name. */
import type { Maker } from "./memory-lines.ts";
import type { Actor, OpenFile, Scene } from "./scene.ts";
import { wordsOf } from "./vocabulary.ts";

const MOST_PATHS = 3;
const MOST_SEGMENTS = 3;

export const FILES: Readonly<Record<string, Maker>> = {
  open(scene, actor) {
    const { random } = scene;
    const mount = random.tryPick(scene.mounts);
    if (mount === undefined) return undefined;
    const known = random.tryPick(scene.paths);
    const isNew = known === undefined || (scene.paths.length < MOST_PATHS && random.chance(50));
    const path = isNew ? `${mount}/${scene.newName("f")}` : known;
    if (isNew) scene.paths.push(path);
    const fd = scene.newName("fd");
    scene.addFile(actor, { fd, isHuge: true, pages: 0 });
    const words = [fd, path];
    if (isNew || random.chance(50)) words.push("creat");
    if (random.chance(8)) words.push("rdonly");
    if (random.chance(8)) words.push("trunc");
    if (random.chance(4)) words.splice(1, 3, mount, "tmpfile");
    return words.join(" ");
  },
  close(scene, actor) {
    const file = scene.random.tryPick(actor.files);
    if (file) actor.files.splice(actor.files.indexOf(file), 1);
    return file?.fd;
  },
  unlink(scene) {
    const path = scene.random.tryPick(scene.paths);
    if (path !== undefined) scene.paths.splice(scene.paths.indexOf(path), 1);
    return path;
  },
  ftruncate(scene, actor) {
    const file = scene.random.tryPick(actor.files);
    if (file === undefined) return undefined;
    file.pages = scene.random.below(scene.options.maxPages + 1);
    return `${file.fd} ${scene.random.chance(5) ? "5000" : `${file.pages}h`}`;
  },
  fallocate(scene, actor) {
    const modes = ["alloc", "alloc", "alloc", "keep", "punch", "punch", "punch", "punchonly"];
    const mode = scene.random.pick(scene.random.chance(5) ? ["zero", "collapse"] : modes);
    const file = scene.random.tryPick(actor.files);
    return file && `${file.fd} ${mode} ${offset(scene, file)} ${scene.pages()}h`;
  },
  pread(scene, actor) {
    const file = scene.random.tryPick(actor.files);
    return file && `${file.fd} ${offset(scene, file)}`;
  },
  pwrite(scene, actor) {
    const file = scene.random.tryPick(actor.files);
    return file && `${file.fd} ${offset(scene, file)} ${scene.value()}`;
  },
  fstat: (scene, actor) => scene.random.tryPick(actor.files)?.fd,
  memfd(scene, actor) {
    const { random } = scene;
    const fd = scene.newName("fd");
    const isHuge = random.chance(90);
    scene.addFile(actor, { fd, isHuge, pages: 0 });
    return [fd, ...(isHuge ? ["huge"] : []), ...(random.chance(30) ? ["seal"] : [])].join(" ");
  },
  seals(scene, actor) {
    const file = scene.random.tryPick(actor.files);
    return file && `${file.fd} ${scene.random.pick([1, 2, 4, 8, 16])}`;
  },
  shmget(scene) {
    if (scene.segments.length >= MOST_SEGMENTS) return undefined;
    const id = scene.newName("s");
    scene.segments.push(id);
    return `${id} ${scene.pages()}h huge${scene.random.chance(20) ? " noreserve" : ""}`;
  },
  shmat(scene, actor) {
    const { random } = scene;
    const id = random.tryPick(scene.segments);
    if (id === undefined) return undefined;
    const name = scene.newName("m");
    const isInArena = random.chance(30);
    scene.addMapping(actor, { name, pages: 1, unit: "h", kind: "shared", isInArena });
    const words = [name, id];
    if (random.chance(10)) words.push("rdonly");
    if (isInArena && random.chance(20)) words.push("rnd");
    if (isInArena) words.push(`at=${scene.arenaAddress()}${random.chance(10) ? "+1p" : ""}`);
    return words.join(" ");
  },
  shmdt: (scene, actor) => scene.page(actor),
  shmrm(scene) {
    const id = scene.random.tryPick(scene.segments);
    if (id !== undefined && scene.random.chance(80)) {
      scene.segments.splice(scene.segments.indexOf(id), 1);
    }
    return id;
  },
  shmstat: (scene) => scene.random.tryPick(scene.segments),
};

export const USERFAULTS: Readonly<Record<string, Maker>> = {
  userfaultfd(scene, actor) {
    const name = scene.newName("u");
    actor.userfaults.push(name);
    return name;
  },
  uffd_register(scene, actor) {
    const range = onRange(scene, actor);
    const tracked = ["missing", "minor", "wp", "missing,wp", "minor,wp"];
    return range && `${range} ${scene.random.pick(tracked)}`;
  },
  uffd_unregister: (scene, actor) => onRange(scene, actor),
  uffd_zeropage: (scene, actor) => onRange(scene, actor),
  uffd_poison: (scene, actor) => onRange(scene, actor),
  uffd_continue: (scene, actor) => withWp(scene, onRange(scene, actor)),
  uffd_copy: (scene, actor) => withWp(scene, fromSource(scene, actor)),
  uffd_move: (scene, actor) => fromSource(scene, actor),
  uffd_wp(scene, actor) {
    const range = onRange(scene, actor);
    return range && `${range} ${scene.random.pick(wordsOf("process", "uffd_wp", "on|off"))}`;
  },
};

function offset({ random }: Scene, file: OpenFile): string {
  if (random.chance(6)) return random.pick(["4096", "100"]);
  return `${random.below(file.pages + 1)}h`;
}

function onRange(scene: Scene, actor: Actor): string | undefined {
  const fd = scene.random.tryPick(actor.userfaults);
  const range = scene.range(actor);
  return fd && range && `${fd} ${range}`;
}

function fromSource(scene: Scene, actor: Actor): string | undefined {
  const to = onRange(scene, actor)?.split(" ");
  const source = scene.page(actor);
  return to && source && `${to[0]} ${to[1]} ${source} ${scene.random.chance(90) ? "1h" : to[2]}`;
}

function withWp(scene: Scene, text: string | undefined): string | undefined {
  return text && (scene.random.chance(20) ? `${text} wp` : text);
}
