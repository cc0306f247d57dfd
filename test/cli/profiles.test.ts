/** `hugewalk profiles`: the table, and docs/profiles.md, which is its output. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { PROFILE_FIELDS } from "../../src/kernel/profile-fields.ts";
import { PROFILES } from "../../src/kernel/profile.ts";
import { runCommand } from "./command.ts";

test("docs/profiles.md is what the command prints: `hugewalk profiles > docs/profiles.md`", async () => {
  const { code, out } = await runCommand(["profiles"]);
  expect(code).toBe(0);
  expect(readFileSync("docs/profiles.md", "utf8")).toBe(out);
});

test("--json: a field a line, with a value for every kernel", async () => {
  const { out } = await runCommand(["profiles", "--json"]);
  const fields = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(fields.map(({ field }) => field)).toEqual(Object.keys(PROFILE_FIELDS));
  const zap = fields.find(({ field }) => field === "zapRestoresReservation");
  expect(zap.values).toMatchObject({ "6.1": "never", "6.12": "last mapping", "6.18": "always" });
});

describe("a field", () => {
  test.each(Object.entries(PROFILE_FIELDS).map(([field, { what }]) => ({ field, what })))(
    "$field differs between kernels, and its words fit a line of the table",
    ({ field, what }) => {
      const values = PROFILES.map((profile) => Object.entries(profile).find(([k]) => k === field));
      expect(new Set(values.map((entry) => entry?.[1])).size).toBeGreaterThan(1);
      expect(what.length).toBeLessThanOrEqual(60);
    },
  );
});
