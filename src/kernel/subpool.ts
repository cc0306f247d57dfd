/** The quota of a mount (mm/hugetlb.c: struct hugepage_subpool): at most `max` pages, `min` kept. */
import type { Hstate } from "./hstate.ts";

export class Subpool {
  readonly #hstate: Hstate;
  /** Pages that its files may use or reserve; undefined: any number. */
  readonly max: number | undefined;
  /** Pages that are kept for its files. */
  readonly #min: number | undefined;
  /** Used or reserved; counted only where there is a limit. */
  #used = 0;
  /** What of the minimum is not in use: part of the pool's R. */
  #kept: number;
  #isMounted = true;

  private constructor(hstate: Hstate, max: number | undefined, min: number | undefined) {
    this.#hstate = hstate;
    this.max = max;
    this.#min = min;
    this.#kept = min ?? 0;
  }

  /** hugepage_new_subpool(): reserves the minimum; undefined is ENOMEM. */
  static tryCreate(hstate: Hstate, max?: number, min?: number): Subpool | undefined {
    if (min !== undefined && !hstate.reserve(min)) return undefined;
    return new Subpool(hstate, max, min);
  }

  get used(): number {
    return this.#used;
  }

  /**
   * hugepage_subpool_get_pages(): how many of n pages the pool has to give, because the minimum does
   * not; undefined: over quota.
   */
  tryGet(n: number): number | undefined {
    if (this.max !== undefined) {
      if (this.#used + n > this.max) return undefined;
      this.#used += n;
    }
    const kept = Math.min(n, this.#kept);
    this.#kept -= kept;
    return n - kept;
  }

  /** hugepage_subpool_put_pages(): how many of n pages the pool gets back: not the minimum's. */
  put(n: number): number {
    if (this.max !== undefined) this.#used -= n;
    let returned = n;
    if (this.#min !== undefined && this.#used < this.#min) {
      returned = Math.max(0, this.#kept + n - this.#min);
      this.#kept = Math.min(this.#min, this.#kept + n);
    }
    this.#releaseIfIdle();
    return returned;
  }

  /** The pool could not give what `tryGet` said: n pages are no longer used. */
  forget(n: number): void {
    if (this.max !== undefined) this.#used -= n;
  }

  /** The mount is gone; the minimum is given up when nothing uses it any more. */
  unmount(): void {
    this.#isMounted = false;
    this.#releaseIfIdle();
  }

  /** unlock_or_release_subpool() */
  #releaseIfIdle(): void {
    const isIdle = this.max !== undefined ? this.#used === 0 : this.#kept === (this.#min ?? 0);
    if (this.#isMounted || !isIdle || this.#min === undefined) return;
    this.#hstate.unreserve(this.#kept);
    this.#kept = 0;
  }
}
