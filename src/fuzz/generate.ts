/**
 * Random scripts: the same seed and options give the same script.
 */
import { FILES, USERFAULTS } from "./file-lines.ts";
import { HOST } from "./host-lines.ts";
import { ACCESSES, LIFE } from "./life-lines.ts";
import { MEMORY } from "./memory-lines.ts";
import { Random } from "./random.ts";
import { Scene, type SceneOptions } from "./scene.ts";
import { DEFAULT_WEIGHTS, type Weights } from "./weights.ts";

export interface GenerateOptions extends SceneOptions {
  /** Lines, without those that set the scene and clear it. */
  readonly nrOperations: number;
  /** How often each operation comes, in proportion; 0: never. */
  readonly weights: Weights;
  /** How much RAM the machine has: `512M`. */
  readonly memory: string;
  /** NUMA nodes that it has. */
  readonly nrNodes: number;
}

export const DEFAULT_OPTIONS: GenerateOptions = {
  nrOperations: 80,
  weights: DEFAULT_WEIGHTS,
  memory: "512M",
  nrNodes: 1,
  maxPages: 4,
  isSafe: false,
  hasGigantic: false,
};

const PROCESS = { ...MEMORY, ...ACCESSES, ...LIFE, ...FILES, ...USERFAULTS };

/** How often an operation is drawn that makes no sense, before the line is given up. */
const TRIES = 20;

/** The lines of a script, without expectations; at its end nobody lives and the pools are empty. */
export function generateScript(seed: number, options: GenerateOptions): readonly string[] {
  const scene = new Scene(new Random(seed), options);
  const { random } = scene;
  const weights = [...options.weights];
  const { memory, nrNodes } = options;
  const machine = `machine memory=${memory}${nrNodes > 1 ? ` nodes=${nrNodes}` : ""}`;
  const lines = [machine, `host nr_hugepages ${scene.poolPages()}`];
  if (random.chance(30)) lines.push(`host nr_overcommit_hugepages ${random.between(1, 3)}`);
  lines.push("P signals catch");
  scene.spawn("P");
  const started = new Set(["P"]);
  for (let i = 0; i < options.nrOperations; i++) {
    const drawn = drawLine(scene, weights);
    if (drawn === undefined) continue;
    lines.push(drawn);
    for (const { name } of scene.actors) started.add(name);
    // What exec resets.
    if (drawn.endsWith(" exec")) lines.push(`${drawn.split(" ")[0]} signals catch`);
  }
  return [...lines, ...clear(scene, started)];
}

function drawLine(scene: Scene, weights: Iterable<readonly [string, number]>): string | undefined {
  for (let i = 0; i < TRIES; i++) {
    const op = scene.random.weighted(weights);
    if (op === undefined) return undefined;
    const isHost = op in HOST;
    const actor = scene.random.pick(scene.actors);
    const args = isHost ? HOST[op](scene) : PROCESS[op](scene, actor);
    if (args !== undefined) return `${isHost ? "host" : actor.name} ${op} ${args}`.trimEnd();
  }
  return undefined;
}

/** Ends what there may still be: a reservation that is left then was lost. */
function* clear(scene: Scene, started: Iterable<string>): Generator<string> {
  for (const id of scene.segments) yield `Z shmrm ${id}`;
  for (const name of [...started, ...(scene.segments.length > 0 ? ["Z"] : [])]) {
    yield `host kill ${name} 9`;
  }
  for (const path of scene.mounts) yield `host umount ${path}`;
  for (const name of scene.cgroups) yield `host cgroup_remove ${name}`;
  yield "host nr_overcommit_hugepages 0";
  yield "host nr_hugepages 0";
}
