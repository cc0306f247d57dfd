/** The mappings of a program, as /proc/PID/maps (fs/proc/task_mmu.c:show_map_vma()) tells them. */
import { OptionError } from "../errors.ts";
import { quote } from "../transcript/text.ts";

export interface Mapping {
  readonly from: number;
  readonly to: number;
  /** A path, or a name in brackets; empty: anonymous. */
  readonly name: string;
  /** Private, anonymous, and written. */
  readonly isThpEligible: boolean;
}

const LINE = /^([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([r-][w-][x-])([ps]) [0-9a-f]+ \S+ (\d+) *(.*)$/;
const LAST_USER_ADDRESS = 2 ** 47;

/** Throws `OptionError` naming the line. Mappings of the kernel's half are left out. */
export function parseMaps(text: string, name: string): Mapping[] {
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const match = LINE.exec(line.trimEnd());
    const [from, to] = match?.slice(1, 3).map((digits) => Number.parseInt(digits, 16)) ?? [];
    if (!match || from >= to) {
      throw new OptionError("maps", `${name}:${i + 1}: no line of /proc/PID/maps`);
    }
    if (to > LAST_USER_ADDRESS) return [];
    const [, , , rights, sharing, inode, label] = match;
    const isThpEligible = sharing === "p" && inode === "0" && rights[1] === "w";
    return [{ from, to, name: label, isThpEligible }];
  });
}

/** The mappings that are called `name`, or whose path ends in it. Throws `OptionError`. */
export function mappingsNamed(name: string, mappings: readonly Mapping[] | undefined): Mapping[] {
  if (name === "") throw new OptionError("policy", `${quote(name)}: no range, and no name`);
  if (!mappings) {
    throw new OptionError("policy", `${quote(name)} is no range FROM-TO; for names, give --maps`);
  }
  const found = mappings.filter((mapping) => {
    const path = mapping.name.replace(/ \(deleted\)$/, "");
    return path === name || path.endsWith(`/${name}`);
  });
  if (found.length === 0) throw new OptionError("policy", `no mapping is called ${quote(name)}`);
  return found;
}
