/** Scripts that are a little simpler than a script, the greatest steps first. */
import { OPERATIONS } from "../transcript/grammar.ts";

/** Each has one change, and none is as long or has as large numbers as the script. */
export function* simplerScripts(lines: readonly string[]): Generator<readonly string[]> {
  yield* withFewerActors(lines);
  for (const [i, line] of lines.entries()) {
    for (const simpler of simplerLines(line)) yield lines.with(i, simpler);
  }
}

/** What one process did is done by another. */
function* withFewerActors(lines: readonly string[]): Generator<readonly string[]> {
  const actors = [...new Set(lines.map((line) => line.split(" ")[0]))];
  const processes = actors.filter((actor) => actor !== "host" && actor !== "machine");
  for (const from of processes.toReversed()) {
    for (const to of processes.slice(0, processes.indexOf(from))) {
      const isFork = (line: string): boolean => line.endsWith(` fork ${from}`);
      const rename = (line: string): string =>
        line.startsWith(`${from} `) ? `${to}${line.slice(from.length)}` : line;
      yield lines.filter((line) => !isFork(line)).map(rename);
    }
  }
}

function* simplerLines(line: string): Generator<string> {
  const [actor, op, ...args] = line.split(" ");
  if (actor === "machine") return;
  const spec = OPERATIONS[actor === "host" ? "host" : "process"].get(op);
  const withArgs = (changed: readonly string[]): string => [actor, op, ...changed].join(" ");
  if (op === "touch") {
    yield `${actor} ${args[0]} ${args[1]}${args[0] === "write" ? " 1" : ""}`;
  }
  const isOption = (arg: string): boolean =>
    spec?.options.some(({ key }) => arg === key || arg.startsWith(`${key}=`)) ?? false;
  const firstOption = args.findIndex(isOption);
  if (firstOption >= 0) yield withArgs(args.slice(0, firstOption));
  for (const [i, arg] of args.entries()) {
    if (isOption(arg)) yield withArgs(args.toSpliced(i, 1));
    for (const simpler of simplerArguments(arg)) yield withArgs(args.with(i, simpler));
  }
}

function* simplerArguments(arg: string): Generator<string> {
  // `a+1h+8`: no offset, or one term less.
  if (/^\w+\+/.test(arg)) yield* new Set([arg.replace(/\+.*$/, ""), arg.replace(/\+[^+]*$/, "")]);
  if (arg.includes(",")) {
    const words = arg.split(",");
    for (const i of words.keys()) yield words.toSpliced(i, 1).join(",");
  }
  if (arg === "r" || arg === "none" || arg === "rwx") yield "rw";
  const [, prefix, digits, suffix] = /^(.*[+=]|)(\d{1,9})([hp]?)$/.exec(arg) ?? [];
  if (digits === undefined || arg.startsWith("0x")) return;
  const number = Number(digits);
  for (const smaller of new Set([0, 1, 2, number >> 1, number - 1])) {
    if (smaller < number && smaller >= 0) yield `${prefix}${smaller}${suffix}`;
  }
}

/** Generated names in the order they come: processes P, C, D, … and addresses a, b, c, … */
export function withShortNames(lines: readonly string[]): readonly string[] {
  const actors = naming(["P", ..."CDEFGHIJKL"]);
  const addresses = naming([..."abcdefghijklmnopqrstuvwxyz"]);
  return lines.map((line) =>
    line.replace(/\b(?:P|C\d+)\b/g, actors).replace(/\bm\d+\b/g, addresses),
  );
}

/** Gives each name the next of `short`, while there are any. */
function naming(short: readonly string[]): (name: string) => string {
  const given = new Map<string, string>();
  return (name) => {
    if (!given.has(name)) given.set(name, short[given.size] ?? name);
    return given.get(name) ?? name;
  };
}
