/** How far a long command is, on a line of the terminal that is overwritten; elsewhere nothing. */
export class Progress {
  readonly #stream: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly #total: number | undefined;
  readonly #begun = performance.now();
  #shown = -Infinity;

  constructor(
    stream: NodeJS.WritableStream & { readonly isTTY?: boolean },
    /** Undefined if it is not known, as of a pipe. */
    total: number | undefined,
  ) {
    this.#stream = stream;
    this.#total = total;
  }

  /** `describe` gets how many are done a second. */
  show(nrDone: number, describe: (rate: number) => string): void {
    const now = performance.now();
    if (!this.#stream.isTTY || now - this.#shown < 200) return;
    this.#shown = now;
    const rate = nrDone / ((now - this.#begun) / 1000);
    const isKnown = nrDone > 0 && this.#total !== undefined;
    const left = isKnown ? `, ${formatSeconds((this.#total - nrDone) / rate)} left` : "";
    this.#stream.write(`\r\u001b[K${describe(rate)}${left}`);
  }

  clear(): void {
    if (this.#shown > -Infinity) this.#stream.write("\r\u001b[K");
    this.#shown = -Infinity;
  }
}

function formatSeconds(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes > 0 ? `${minutes} min` : `${Math.ceil(seconds)} s`;
}
