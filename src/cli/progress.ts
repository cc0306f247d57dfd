/** How far a long command is, on a line of the terminal that is overwritten; elsewhere nothing. */
export class Progress {
  readonly #stream: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly #total: number;
  readonly #begun = performance.now();
  #shown = -Infinity;

  constructor(stream: NodeJS.WritableStream & { readonly isTTY?: boolean }, total: number) {
    this.#stream = stream;
    this.#total = total;
  }

  show(nrDone: number, nrKinds: number): void {
    const now = performance.now();
    if (!this.#stream.isTTY || now - this.#shown < 200) return;
    this.#shown = now;
    const rate = nrDone / ((now - this.#begun) / 1000);
    const left = nrDone > 0 ? `, ${formatSeconds((this.#total - nrDone) / rate)} left` : "";
    const done = `${nrDone}/${this.#total} scripts, ${rate.toFixed(0)}/s, ${nrKinds} kinds`;
    this.#stream.write(`\r\u001b[K${done}${left}`);
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
