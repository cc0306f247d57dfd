/** Where a program's references go. */
export interface ReferenceSink {
  /**
   * `kind`: KIND_READ, KIND_WRITE or KIND_FETCH of assembly/layout.ts; `nrBytes`: 1 to 16; the
   * address is below 2^48.
   */
  refer(address: number, kind: number, nrBytes: number): void;
  /** The translations of these bytes leave all TLBs (INVLPG, a shootdown). */
  invalidate(address: number, nrBytes: number): void;
  /** All translations leave (a new CR3). */
  flush(): void;
}

/** Passes on what comes until so many references have passed, and nothing from then on. */
export class BoundedSink implements ReferenceSink {
  /** References that still pass. */
  nrLeft: number;
  readonly #sink: ReferenceSink;

  constructor(sink: ReferenceSink, nrReferences: number) {
    this.#sink = sink;
    this.nrLeft = nrReferences;
  }

  refer(address: number, kind: number, nrBytes: number): void {
    if (this.nrLeft === 0) return;
    this.nrLeft--;
    this.#sink.refer(address, kind, nrBytes);
  }

  invalidate(address: number, nrBytes: number): void {
    if (this.nrLeft > 0) this.#sink.invalidate(address, nrBytes);
  }

  flush(): void {
    if (this.nrLeft > 0) this.#sink.flush();
  }
}
