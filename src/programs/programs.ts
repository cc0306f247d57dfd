/** The synthetic programs that hugewalk knows, regular ones first. */
import { OptionError } from "../errors.ts";
import { bTree } from "./b-tree.ts";
import { chase } from "./chase.ts";
import { forkAndWrite } from "./fork-and-write.ts";
import { hashJoin } from "./hash-join.ts";
import type { Program } from "./program.ts";
import { sequential, stride } from "./regular.ts";
import { transpose } from "./transpose.ts";
import { gups, random } from "./uniform.ts";
import { zipf } from "./zipf.ts";

export const PROGRAMS: readonly Program[] = [
  sequential,
  stride,
  random,
  gups,
  chase,
  zipf,
  transpose,
  hashJoin,
  bTree,
  forkAndWrite,
];

/** The one of that name. Throws `OptionError` that lists them. */
export function findProgram(name: string, option = "program"): Program {
  const program = PROGRAMS.find((program) => program.name === name);
  if (program) return program;
  throw new OptionError(
    option,
    `"${name}" is none of ${PROGRAMS.map(({ name }) => name).join(" ")}`,
  );
}
