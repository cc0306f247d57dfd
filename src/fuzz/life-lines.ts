/** Random accesses, and how processes begin and end: what follows the operation's name. */
import type { Maker } from "./memory-lines.ts";
import { type Actor, MOST_ACTORS, type Scene } from "./scene.ts";

const address: Maker = (scene, actor) => scene.address(actor);

export const ACCESSES: Readonly<Record<string, Maker>> = {
  read: address,
  increment: address,
  copy_from_user: address,
  write: (scene, actor) => withValue(scene, actor),
  procmem_write: (scene, actor) => withValue(scene, actor),
  copy_to_user(scene, actor) {
    const address = scene.address(actor);
    return address && (scene.random.chance(50) ? address : `${address} 1h`);
  },
  touch(scene, actor) {
    const mapping = scene.random.tryPick(actor.mappings);
    if (mapping === undefined || mapping.unit === "g") return undefined;
    return `${scene.random.pick(["read", "write"])} ${mapping.name} ${mapping.pages}`;
  },
  vmsplice(scene, actor) {
    const page = scene.page(actor);
    if (page === undefined) return undefined;
    const name = scene.random.tryPick(actor.pipes) ?? scene.newName("pipe");
    if (!actor.pipes.includes(name)) actor.pipes.push(name);
    return `${name} ${page}`;
  },
  piperead: (scene, actor) => scene.random.tryPick(actor.pipes),
  pin(scene, actor) {
    const range = scene.range(actor);
    if (range === undefined) return undefined;
    const name = scene.newName("pin");
    actor.pins.push(name);
    return `${name} ${range}`;
  },
  unpin(scene, actor) {
    const name = scene.random.tryPick(actor.pins);
    if (name !== undefined) actor.pins.splice(actor.pins.indexOf(name), 1);
    return name;
  },
};

export const LIFE: Readonly<Record<string, Maker>> = {
  fork(scene, actor) {
    if (scene.actors.length >= MOST_ACTORS) return undefined;
    const name = scene.newName("C");
    scene.fork(actor, name);
    return name;
  },
  wait(scene, actor) {
    const child = scene.random.tryPick(actor.children);
    const isGone = scene.actors.every(({ name }) => name !== child);
    if (child === undefined || (!isGone && !scene.random.chance(10))) return undefined;
    if (isGone) actor.children.splice(actor.children.indexOf(child), 1);
    return child;
  },
  exit(scene, actor) {
    if (scene.actors.length === 1) return undefined;
    scene.end(actor);
    return scene.random.pick(["", "7"]);
  },
  exec(_scene, actor) {
    // A real program needs data of its own to begin.
    if (actor.limits.includes("data")) return undefined;
    actor.mappings.length = 0;
    actor.pins.length = 0;
    actor.hasLockedAll = false;
    return "";
  },
  signals: ({ random }) => (random.chance(70) ? "catch" : "default"),
  setuid(_scene, actor) {
    // All that a real process has mapped counts against a user's limit.
    if (actor.hasLockedAll) return undefined;
    actor.isUser = true;
    return "1000";
  },
  rlimit({ random }, actor) {
    const resource = random.pick(["memlock", "memlock", "fsize", "data"]);
    // Not every machine's root may raise what was lowered.
    if (actor.limits.includes(resource)) return undefined;
    actor.limits.push(resource);
    const values = resource === "memlock" ? ["0", "2m", "8m"] : ["0", "1g"];
    return `${resource} ${random.pick(values)}`;
  },
};

function withValue(scene: Scene, actor: Actor): string | undefined {
  const address = scene.address(actor);
  return address && `${address} ${scene.value()}`;
}
