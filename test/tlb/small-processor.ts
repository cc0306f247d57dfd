/** Processors for cases made by hand. */
import type { Processor } from "../../src/tlb/config.ts";
import { parseProcessor } from "../../src/tlb/parse.ts";

export interface Parts {
  readonly first?: object;
  readonly second?: object;
  readonly processor?: object;
}

/** Two ways in the first level, four in the second, one set each. */
export function smallProcessor({ first, second, processor }: Parts = {}): Processor {
  const firstLevel = [{ name: "first", entries: 2, ways: 2, ...first }];
  const secondLevel = [{ name: "second", entries: 4, ways: 4, hitCycles: 7, ...second }];
  const text = JSON.stringify({ name: "small", firstLevel, secondLevel, ...processor });
  return parseProcessor(text, "small");
}
