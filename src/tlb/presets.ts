/** The processors that hugewalk knows, oldest first. */
import { OptionError } from "../errors.ts";
import { AMD } from "./amd.ts";
import { INTEL } from "./intel.ts";
import type { Preset } from "./parts.ts";

export type { Preset } from "./parts.ts";

export const PRESETS: readonly Preset[] = [...INTEL, ...AMD];

/** The one of that name. Throws `OptionError` that lists them. */
export function findPreset(name: string, option = "--cpu"): Preset {
  const preset = PRESETS.find(({ processor }) => processor.name === name);
  if (preset) return preset;
  const names = PRESETS.map(({ processor }) => processor.name).join(" ");
  throw new OptionError(option, `"${name}" is none of ${names}`);
}
