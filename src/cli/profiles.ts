/**
 * `hugewalk profiles`: what the kernels differ in, a row a field of `Profile`. The text is
 * Markdown: docs/profiles.md is this output.
 */
import { PROFILE_FIELDS, type ProfileField } from "../kernel/profile-fields.ts";
import { PROFILES } from "../kernel/profile.ts";
import { EXIT_AGREES } from "./exit-code.ts";
import { Output, type Io } from "./streams.ts";
import { tableLines } from "./table.ts";

const HEAD = `# Kernel profiles
What the kernels differ in, as \`hugewalk profiles\` prints it. Everything else is the same in all of
them. 6.1, 6.12 and 6.18 are checked against recordings of those kernels; the 2.6 columns were read
in their sources. \`fixed\` is 6.18 without its known defects.
`;

const SOURCES = `
## Sources
A version is the one that changed it, hexadecimal digits are the commit.
`;

/** Prints the table, or with `json` one object a field. */
export async function printProfiles({ json }: { json?: boolean }, io: Io): Promise<number> {
  const output = new Output(io.stdout);
  for (const line of json ? jsonLines() : markdownLines()) await output.line(line);
  await output.flush();
  return EXIT_AGREES;
}

function rows(): [ProfileField, (typeof PROFILE_FIELDS)[ProfileField]][] {
  return Object.entries(PROFILE_FIELDS) as ReturnType<typeof rows>;
}

function* jsonLines(): Generator<string> {
  for (const [field, { what, source }] of rows()) {
    const values = Object.fromEntries(PROFILES.map((profile) => [profile.name, profile[field]]));
    yield JSON.stringify({ type: "field", field, what, source, values });
  }
}

function* markdownLines(): Generator<string> {
  yield* HEAD.split("\n");
  const head = ["", ...PROFILES.map(({ name }) => name)];
  const body = rows().map(([field, { what }]) => [
    what,
    ...PROFILES.map((profile) => word(profile[field])),
  ]);
  yield* tableLines(head, body);
  yield* SOURCES.trimEnd().split("\n");
  for (const [field, { what, source }] of rows()) yield `- ${what} (\`${field}\`): ${source}`;
}

function word(value: string | boolean): string {
  if (typeof value === "string") return value;
  return value ? "yes" : "no";
}
