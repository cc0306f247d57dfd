import { HugewalkError } from "../errors.ts";

/** A trace that cannot be read. `message` starts with its name, and where known the place. */
export class TraceError extends HugewalkError {
  override name = "TraceError";

  /** `place`: `line 7` or `byte 1024`, of the trace without its compression. */
  constructor(file: string, reason: string, place?: string) {
    super(place === undefined ? `${file}: ${reason}` : `${file}: ${place}: ${reason}`);
  }
}
