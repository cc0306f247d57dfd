/** What a format of traces is: how it is recognised, and how its bytes become words. */
import type { WordBuffer } from "./word-buffer.ts";

/**
 * Takes a record that cannot be understood: its line if the format is text, else its offset in the
 * bytes being decoded. It throws, or returns to have the record skipped.
 */
export type OnBroken = (at: number, reason: string) => void;

export interface Decoder {
  /**
   * Decodes records from `from` on until no whole one is left or `out` has no room; returns where
   * it stopped. The bytes from there on are passed again, with more behind them.
   */
  decode(bytes: Uint8Array, from: number, out: WordBuffer): number;
  /** At the end of the bytes: why they cannot be all, if it is known. */
  missing?(): string | undefined;
}

export interface TraceFormat {
  readonly name: string;
  readonly isText: boolean;
  /** Whether it may hold samples, which rank regions but give no ratios. */
  readonly hasSamples: boolean;
  /** Whether a file of this name is one, whatever the compression: `gcc.champsimtrace` */
  readonly names: RegExp;
  /** Whether a trace may begin so. */
  recognises(head: Uint8Array): boolean;
  createDecoder(onBroken: OnBroken): Decoder;
}

/** The first whole lines of a text; none if there is a byte that no text has. */
export function headLines(head: Uint8Array): string[] {
  if (head.some((byte) => byte < 9 || (byte > 13 && byte < 32))) return [];
  const lines = new TextDecoder("latin1").decode(head).split(/\r?\n/);
  return lines.length > 1 ? lines.slice(0, -1) : lines;
}
