/** A trace through the fast model, and through the slow one. */
import {
  KIND_FETCH,
  KIND_READ,
  KIND_WRITE,
  REFERENCE_ADDRESS_BITS,
} from "../../assembly/layout.ts";
import type { Processor } from "../../src/tlb/config.ts";
import { TlbModel, type TlbModelOptions } from "../../src/tlb/model.ts";
import type { PagePolicy } from "../../src/tlb/page-policy.ts";
import { WordBuffer } from "../../src/trace/word-buffer.ts";
import { type Access, TraceModel } from "../oracle/trace-model.ts";
import type { Step } from "./random-trace.ts";

const CODES = { fetch: KIND_FETCH, load: KIND_READ, store: KIND_WRITE } as const;

export function append(buffer: WordBuffer, { address, kind, nrBytes, instruction }: Access): void {
  if (instruction !== undefined) buffer.instructionPointer(...halvesOf(instruction));
  const [low, high] = halvesOf(BigInt.asUintN(REFERENCE_ADDRESS_BITS, address));
  buffer.reference(low, high, CODES[kind], nrBytes);
}

/** What a word can say; `isWord` or not. */
export function appendStep(buffer: WordBuffer, step: Exclude<Step, { does: "switch" }>): void {
  if (step.does === "access") append(buffer, step);
  else if (step.does === "flush") buffer.flush();
  else buffer.invalidate(...halvesOf(step.address), step.nrBytes);
}

function halvesOf(value: bigint): [low: number, high: number] {
  return [Number(value & 0xffff_ffffn), Number(value >> 32n)];
}

/** The fast model, after the trace. */
export function replayFast(
  processor: Processor,
  trace: readonly Step[],
  options?: TlbModelOptions,
): TlbModel {
  const model = new TlbModel(processor, options);
  const buffer = new WordBuffer();
  const replay = () => {
    model.replayWords(buffer.words);
    buffer.clear();
  };
  for (const step of trace) {
    if (step.does === "access" || (step.does !== "switch" && step.isWord)) {
      appendStep(buffer, step);
      if (!buffer.hasRoom) replay();
      continue;
    }
    replay();
    if (step.does === "switch") model.switchTo(step.pcid);
    else if (step.does === "invalidate") model.invalidate(Number(step.address), step.nrBytes);
    else model.flush();
  }
  replay();
  return model;
}

/** The slow one, of a policy. */
export function replaySlow(
  processor: Processor,
  trace: readonly Step[],
  policy: PagePolicy,
): TraceModel {
  const model = new TraceModel(processor, policy);
  for (const step of trace) {
    if ("isWord" in step && step.isWord) model.enter();
    if (step.does === "access") model.access(step);
    else if (step.does === "switch") model.pcid = step.pcid;
    else if (step.does === "invalidate") model.invalidate(step.address, step.nrBytes);
    else model.flush();
  }
  return model;
}

/** All that is counted for a policy. */
export function outcomeOf(model: TlbModel, policy: PagePolicy) {
  return {
    counts: model.counts(policy),
    routes: model.routes(policy),
    regions: model.regions(policy),
    instructions: model.instructions(policy),
  };
}

/** The same of the slow model; tallies that the fast one does not keep are undefined. */
export function slowOutcomeOf(
  { tlbs, regions, instructions }: TraceModel,
  { hasRegions = false, hasInstructions = false }: TlbModelOptions,
) {
  return {
    counts: tlbs.counts,
    routes: tlbs.routes,
    regions: hasRegions ? regions : undefined,
    instructions: hasInstructions ? instructions : undefined,
  };
}
