/** What of the language the emulator carries out: what the grammar does not mark `later`. */
import { OPERATIONS, type Role } from "../transcript/grammar.ts";

export function isCarriedOut(role: Role, op: string): boolean {
  return OPERATIONS[role].get(op)?.isLater === false;
}

/** Whether `op` takes `key` or `key=…` already. */
export function hasOption(op: string, key: string): boolean {
  const option = OPERATIONS.process.get(op)?.options.find((option) => option.key === key);
  return option?.isLater === false;
}

/** The words that a parameter may be. */
export function wordsOf(role: Role, op: string, label: string): readonly string[] {
  const kind = OPERATIONS[role].get(op)?.parameters.find((one) => one.label === label)?.kind;
  return kind?.kind === "word" || kind?.kind === "words" ? kind.words : [];
}
