/** Words of the language that a random script draws from. */
import { OPERATIONS, type Role } from "../transcript/grammar.ts";

/** The words that a parameter may be. */
export function wordsOf(role: Role, op: string, label: string): readonly string[] {
  const kind = OPERATIONS[role].get(op)?.parameters.find((one) => one.label === label)?.kind;
  return kind?.kind === "word" || kind?.kind === "words" ? kind.words : [];
}
