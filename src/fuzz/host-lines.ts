/** What the administrator does, at random: what follows the operation's name. */
import type { Scene } from "./scene.ts";
import { wordsOf } from "./vocabulary.ts";

const MOUNTS = ["/mnt/a", "/mnt/b"];
const MOST_CGROUPS = 2;

export const HOST: Readonly<Record<string, (scene: Scene) => string | undefined>> = {
  nr_hugepages(scene) {
    const { random } = scene;
    if (scene.options.hasGigantic && random.chance(25)) return `1G ${random.below(3)}`;
    return random.chance(2) ? random.pick(["-1", "x"]) : `${scene.poolPages()}`;
  },
  nr_overcommit_hugepages: ({ random }) => `${random.below(4)}`,
  sysctl_nr_hugepages: (scene) => `${scene.poolPages()}`,
  kill(scene) {
    const { random } = scene;
    const signal = random.chance(80) ? 9 : random.pick([0, 7, 11, 15]);
    if (scene.actors.length === 1) return undefined;
    const actor = random.pick(scene.actors);
    if (signal === 9 || signal === 15) scene.end(actor);
    return `${actor.name} ${signal}`;
  },
  mount(scene) {
    const path = scene.random.pick(MOUNTS);
    // Once more where it was tried before, and perhaps failed or was unmounted.
    if (scene.mounts.includes(path) && !scene.random.chance(20)) return undefined;
    scene.mounts.push(path);
    return `${path} ${mountOptions(scene)}`;
  },
  remount(scene) {
    const path = scene.random.tryPick(scene.mounts);
    return path && `${path} size=${scene.random.below(6) * 2}M`;
  },
  umount(scene) {
    const path = scene.random.tryPick(scene.mounts);
    // It stays among the mounts: it may be busy.
    return path;
  },
  statfs: (scene) => scene.random.tryPick(scene.mounts),
  node_nr_hugepages: ({ random }) => `${random.below(2)} ${random.below(5)}`,
  node_hugepages: ({ random }) => `${random.below(2)}`,
  cgroup_create(scene) {
    if (scene.cgroups.length >= MOST_CGROUPS) return undefined;
    const name = scene.newName("g");
    scene.cgroups.push(name);
    return name;
  },
  cgroup_remove(scene) {
    const name = scene.random.tryPick(scene.cgroups);
    if (name !== undefined && scene.random.chance(50)) {
      scene.cgroups.splice(scene.cgroups.indexOf(name), 1);
    }
    return name;
  },
  cgroup_attach(scene) {
    const name = scene.random.tryPick(scene.cgroups);
    return name && `${name} ${scene.random.pick(scene.actors).name}`;
  },
  cgroup_set(scene) {
    const { random } = scene;
    const name = random.tryPick(scene.cgroups);
    const file = random.pick(wordsOf("host", "cgroup_set", "max|rsvd.max"));
    return name && `${name} ${file} ${random.pick(["max", "0", "2M", "4M", "8M", "3M"])}`;
  },
  cgroup_get(scene) {
    const name = scene.random.tryPick(scene.cgroups);
    const files = wordsOf("host", "cgroup_get", "max|rsvd.max|current|rsvd.current|events");
    return name && `${name} ${scene.random.pick(files)}`;
  },
};

function mountOptions({ random }: Scene): string {
  const options: string[] = [];
  if (random.chance(50)) options.push(`size=${random.below(5) * 2}M`);
  if (random.chance(25)) options.push(`min_size=${random.below(4) * 2}M`);
  if (random.chance(10)) options.push(`nr_inodes=${random.between(1, 3)}`);
  if (random.chance(3)) options.push("pagesize=4M");
  return options.join(",") || "rw";
}
