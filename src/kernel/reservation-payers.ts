/**
 * Which groups pay for which reservations of a file (mm/hugetlb.c: struct file_region with its
 * reservation_counter). Reservations that the root's processes made are in none.
 */
import type { PageCounter } from "./page-counter.ts";
import { RegionMap } from "./region-map.ts";

export class ReservationPayers {
  readonly #paid = new Map<PageCounter, RegionMap>();

  /** `payer` has been charged for those indexes of [from, to) that `reserved` lacks. */
  add(payer: PageCounter, from: number, to: number, reserved: RegionMap): void {
    const paid = this.#paid.get(payer) ?? new RegionMap();
    this.#paid.set(payer, paid);
    if (reserved.count(from, to) === 0) paid.add(from, to);
    else {
      for (let index = from; index < to; index++) {
        if (!reserved.has(index)) paid.add(index, index + 1);
      }
    }
  }

  /** Uncharges whoever paid for [from, to) (hugetlb_cgroup_uncharge_file_region()). */
  remove(from: number, to: number): void {
    for (const [payer, paid] of this.#paid) {
      payer.uncharge(paid.count(from, to));
      paid.remove(from, to);
    }
  }
}
