/** Policies by the names that the command line has for them. */
import { OptionError } from "../errors.ts";
import { PAGE_SIZES, type PageSize } from "../tlb/config.ts";
import { ALL_ADDRESSES, checkPolicy, type PagePolicy, type PageRule } from "../tlb/page-policy.ts";
import { quote } from "../transcript/text.ts";
import { type Mapping, mappingsNamed } from "./mappings.ts";

export interface NamedPolicy {
  readonly name: string;
  readonly policy: PagePolicy;
}

const FORMS = "4K, 2M, 1G, thp, thp:available=50%:delay=1000000, hugetlb:RANGE[=SIZE], ranges:FILE";

/** What a policy may refer to. */
export interface PolicyContext {
  /** Of the program; undefined: they are not known. */
  readonly mappings?: readonly Mapping[];
  /** Reads the file of `ranges:`. */
  readonly read: (path: string) => Promise<string>;
}

/**
 * - `4K`, `2M`, `1G`: all pages.
 * - `thp`: 2M wherever transparent huge pages can be: in private anonymous mappings that can be
 *   written, or everywhere if mappings are not known. `available=50%` of the regions have one when
 *   they are first touched; others, with `delay=N`, at the first reference that is at least N after
 *   that (khugepaged).
 * - `hugetlb:RANGE[=SIZE]`, more of them joined by `+`: pages of SIZE (2M) for `FROM-TO` in hex, or
 *   for the mappings of that name.
 * - `ranges:FILE`: lines `FROM-TO SIZE [available=N%] [delay=N]`; the first one that fits counts.
 *
 * Throws `OptionError`.
 */
export async function parsePolicy(text: string, context: PolicyContext): Promise<NamedPolicy> {
  const policy = await policyOf(text, context);
  check(policy, "policy", text);
  return { name: text, policy };
}

async function policyOf(text: string, context: PolicyContext): Promise<PagePolicy> {
  if (isPageSize(text)) return text;
  const colon = text.indexOf(":");
  const kind = colon === -1 ? text : text.slice(0, colon);
  const rest = colon === -1 ? "" : text.slice(colon + 1);
  if (kind === "thp") return thpRules(rest, context.mappings);
  if (kind === "hugetlb" && rest !== "") {
    return rest.split("+").flatMap((part) => hugetlbRules(part, context.mappings));
  }
  if (kind === "ranges" && rest !== "") return parseRanges(await context.read(rest), rest);
  throw new OptionError("policy", `unknown policy ${quote(text)}; one of ${FORMS}`);
}

/** Throws `OptionError` that says which text cannot be. */
function check(policy: PagePolicy, option: string, text: string): void {
  try {
    checkPolicy(policy);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new OptionError(option, `${quote(text)}: ${error.reason}`);
  }
}

function isPageSize(text: string): text is PageSize {
  return (PAGE_SIZES as readonly string[]).includes(text);
}

type Terms = Pick<PageRule, "availability" | "delay">;

function thpRules(text: string, mappings: readonly Mapping[] | undefined): PageRule[] {
  const terms = parseTerms(text === "" ? [] : text.split(":"), "policy");
  const eligible = mappings?.filter(({ isThpEligible }) => isThpEligible) ?? [ALL_ADDRESSES];
  return eligible.map(({ from, to }) => ({ from, to, pageSize: "2M", ...terms }));
}

function hugetlbRules(text: string, mappings: readonly Mapping[] | undefined): PageRule[] {
  const equals = text.lastIndexOf("=");
  const target = equals === -1 ? text : text.slice(0, equals);
  const pageSize = hugeSize(equals === -1 ? "2M" : text.slice(equals + 1), "policy");
  const range = tryRange(target, "policy");
  const ranges = range ? [range] : mappingsNamed(target, mappings);
  return ranges.map(({ from, to }) => ({ from, to, pageSize, availability: 1, delay: Infinity }));
}

/** The lines of a `ranges:` file; `#` begins a comment. Throws `OptionError` naming the line. */
function parseRanges(text: string, name: string): PageRule[] {
  return text.split("\n").flatMap((line, i) => {
    const [head, size, ...terms] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (head === "") return [];
    const place = `policy: ${name}:${i + 1}`;
    const range = tryRange(head, place);
    if (!range || size === undefined) {
      throw new OptionError(place, "expected FROM-TO SIZE [available=N%] [delay=N]");
    }
    const rule = { ...range, pageSize: hugeSize(size, place), ...parseTerms(terms, place) };
    check([rule], place, line.trim());
    return [rule];
  });
}

function hugeSize(text: string, option: string): "2M" | "1G" {
  if (text === "2M" || text === "1G") return text;
  throw new OptionError(option, `no size of huge pages: ${quote(text)}; 2M or 1G`);
}

/** Undefined if it is a name. Throws `OptionError` for a range that cannot be. */
function tryRange(text: string, option: string): { from: number; to: number } | undefined {
  const match = /^(?:0x)?([0-9a-f]{1,16})-(?:0x)?([0-9a-f]{1,16})$/i.exec(text);
  if (!match) return undefined;
  const [from, to] = match.slice(1).map((digits) => Number.parseInt(digits, 16));
  if (from >= to) throw new OptionError(option, `${quote(text)} is an empty range`);
  if (to > ALL_ADDRESSES.to) throw new OptionError(option, `${quote(text)} is not below 2^48`);
  return { from, to };
}

function parseTerms(terms: readonly string[], option: string): Terms {
  let availability = 1;
  let delay = Infinity;
  for (const term of terms) {
    const available = /^available=(\d+(?:\.\d+)?)%$/.exec(term);
    const delayed = /^delay=(\d{1,15})$/.exec(term);
    if (available && Number(available[1]) <= 100) availability = Number(available[1]) / 100;
    else if (delayed) delay = Number(delayed[1]);
    else throw new OptionError(option, `${quote(term)}: available=0% to 100%, or delay=N`);
  }
  return { availability, delay };
}
