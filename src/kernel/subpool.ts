/**
 * The quota of a mount (mm/hugetlb.c: struct hugepage_subpool): at most `max` pages, `min` kept.
 */
import type { Hstate } from "./hstate.ts";
import type { Profile } from "./profile.ts";

export class Subpool {
  readonly #hstate: Hstate;
  readonly #fallback: Profile["quotaFallback"];
  /** Pages that its files may use or reserve; undefined: any number. */
  readonly max: number | undefined;
  /** Pages that are kept for its files. */
  readonly #min: number | undefined;
  /** Used or reserved; counted only where there is a limit. */
  #used = 0;
  /** What of the minimum is not in use: part of the pool's R. */
  #kept: number;
  #isMounted = true;

  private constructor(
    hstate: Hstate,
    profile: Profile,
    max: number | undefined,
    min: number | undefined,
  ) {
    this.#hstate = hstate;
    this.#fallback = profile.quotaFallback;
    this.max = max;
    this.#min = min;
    this.#kept = min ?? 0;
  }

  /** hugepage_new_subpool(): reserves the minimum; undefined is ENOMEM. */
  static tryCreate(
    hstate: Hstate,
    profile: Profile,
    max?: number,
    min?: number,
  ): Subpool | undefined {
    if (min !== undefined && !hstate.reserve(min)) return undefined;
    return new Subpool(hstate, profile, max, min);
  }

  get used(): number {
    return this.#used;
  }

  /**
   * hugepage_subpool_get_pages(): how many of n pages the pool has to give, because the minimum
   * does not; undefined: over quota.
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

  /**
   * A reservation of n pages fails, for the pool cannot give the `fromPool` pages that `tryGet`
   * asked of it (hugetlb_reserve_pages()).
   */
  undoReservation(n: number, fromPool: number): void {
    if (this.#fallback === "blind") {
      this.put(n);
      return;
    }
    if (this.#fallback === "exact") this.#forget(fromPool);
    if (n > fromPool) this.#hstate.unreserve(this.put(n - fromPool));
    if (this.#fallback === "minimum first") this.#forget(fromPool);
  }

  /** A fault's page cannot be had (alloc_hugetlb_folio()). */
  undoPage(fromPool: number): void {
    if (this.#fallback === "blind") this.put(1);
    else if (fromPool === 0) this.#hstate.unreserve(this.put(1));
    else if (this.#fallback === "exact") this.#forget(1);
  }

  #forget(n: number): void {
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
    this.#hstate.unreserve(this.#min);
  }
}
