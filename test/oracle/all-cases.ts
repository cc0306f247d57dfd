/** Every case worked out by hand. */
import { ADDRESS_CASES } from "./cases-address.ts";
import { KEY_CASES } from "./cases-keys.ts";
import { MASKING_CASES } from "./cases-masking.ts";
import { LEAF_ACCESSED_CASES, RIGHTS_CASES } from "./cases-rights.ts";
import { MEMORY_TYPE_CASES, SHADOW_STACK_CASES } from "./cases-shadow-stack.ts";
import { ENTRY_CASES } from "./cases.ts";
import type { HandCase } from "./hand-case.ts";

export const HAND_CASES: readonly HandCase[] = [
  ...ENTRY_CASES,
  ...KEY_CASES,
  ...RIGHTS_CASES,
  ...LEAF_ACCESSED_CASES,
  ...SHADOW_STACK_CASES,
  ...MEMORY_TYPE_CASES,
  ...ADDRESS_CASES,
  ...MASKING_CASES,
];
