/** A processor of the tests' own: what is printed of it does not change with what is known of others. */
export const SMALL_CPU = JSON.stringify({
  name: "small",
  firstLevel: [{ name: "L1", entries: 4, ways: 4 }],
  secondLevel: [{ name: "L2", entries: 16, ways: 4, hitCycles: 7 }],
  walkers: 2,
  walkCost: { caches: [], memoryCycles: 100 },
});
