/**
 * Labels of `pagemap`: `#1` names a frame for as long as the frame lives. An expected label
 * asserts sharing, not an address: equal labels are the same live frame, different labels are
 * different live frames.
 */
import type { PagemapEntry } from "./driver.ts";
import type { ExpectedPage } from "./script.ts";

export interface LabelledPages {
  /** As the language writes it: `[#1 anon exclusive] [-]`. */
  readonly text: string;
  /** Whether it is what was expected. */
  readonly agrees: boolean;
}

export class Labels {
  readonly #isFrameAlive: (frame: number) => boolean;
  /** What the expectations so far have bound. */
  readonly #frameOfExpected = new Map<number, number>();
  readonly #expectedOfFrame = new Map<number, number>();
  /** What has been printed. A frame keeps its printed label for life. */
  readonly #printedOfFrame = new Map<number, number>();
  readonly #taken: Set<number>;
  #fresh = 1;

  /** `expected`: every label that the script's expectations use. */
  constructor(isFrameAlive: (frame: number) => boolean, expected: Iterable<number>) {
    this.#isFrameAlive = isFrameAlive;
    this.#taken = new Set(expected);
  }

  /** Labels what was observed, and compares it when something was expected. */
  label(
    observed: readonly PagemapEntry[],
    expected: readonly ExpectedPage[] | undefined,
  ): LabelledPages {
    let agrees = expected?.length === observed.length;
    const text = observed.map((page, i) => {
      const wanted = expected?.[i];
      if (page === undefined) {
        agrees &&= wanted === undefined;
        return "[-]";
      }
      const isMatch = wanted !== undefined && this.#bind(wanted.label, page.frame);
      agrees &&= isMatch && wanted.backing === page.backing && wanted.sharing === page.sharing;
      const label = this.#print(page.frame, isMatch ? wanted.label : undefined);
      return `[#${label} ${page.backing} ${page.sharing}]`;
    });
    return { text: text.join(" "), agrees };
  }

  /** Whether an expected label can stand for the frame; from then on it does. */
  #bind(label: number, frame: number): boolean {
    const bound = this.#frameOfExpected.get(label);
    const isFree = bound === undefined || !this.#isFrameAlive(bound);
    const other = this.#expectedOfFrame.get(frame);
    if (isFree ? other !== undefined : bound !== frame) return false;
    this.#frameOfExpected.set(label, frame);
    this.#expectedOfFrame.set(frame, label);
    return true;
  }

  /**
   * The label to print. Invariant: no two live frames are printed with one label, and no live
   * frame with two, so that what is printed holds when it is run again. A wanted label cannot
   * be on another live frame: only expectations put it there, and `#bind` has seen to those.
   */
  #print(frame: number, wanted: number | undefined): number {
    const label = this.#printedOfFrame.get(frame) ?? wanted ?? this.#nextFresh();
    this.#printedOfFrame.set(frame, label);
    return label;
  }

  #nextFresh(): number {
    while (this.#taken.has(this.#fresh)) this.#fresh++;
    return this.#fresh++;
  }
}
