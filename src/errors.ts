/**
 * What can go wrong, as types. Guest faults are not here: they are data (`fault.ts`).
 *
 * - `InputError`: a text someone wrote cannot be understood; it names the place.
 * - `OptionError`: a value a program passed is out of range; it names the option.
 * - `ResourceError`: this process has no room for what was asked; it names the remedy.
 * - `InternalError`: an invariant of ours is broken; it is always a bug of hugewalk.
 */

/** A place in a text: lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export class HugewalkError extends Error {
  override name = "HugewalkError";
}

/** A text that cannot be understood. `message` starts with `file:line:column: `. */
export class InputError extends HugewalkError {
  override name = "InputError";
  readonly place: Place;

  constructor(place: Place, reason: string) {
    super(`${place.file}:${place.line}:${place.column}: ${reason}`);
    this.place = place;
  }
}

/** An argument or option with a value that cannot be used. */
export class OptionError extends HugewalkError {
  override name = "OptionError";
  readonly option: string;
  readonly reason: string;

  constructor(option: string, reason: string) {
    super(`${option}: ${reason}`);
    this.option = option;
    this.reason = reason;
  }
}

/** The host (this process, this machine) cannot give what is needed. */
export class ResourceError extends HugewalkError {
  override name = "ResourceError";
}

/** An invariant of hugewalk does not hold: a bug of ours, never of the caller. */
export class InternalError extends HugewalkError {
  override name = "InternalError";

  constructor(invariant: string) {
    super(`broken invariant: ${invariant}`);
  }
}
