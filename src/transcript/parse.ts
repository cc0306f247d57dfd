/**
 * Text to script. Everything that can be wrong with a text is found here, before anything runs.
 */
import { InputError, type Place } from "../errors.ts";
import { parseProcessName } from "./argument.ts";
import { parseArguments, type Token } from "./arguments.ts";
import { parseExpectation } from "./expectation.ts";
import { OPERATIONS, type OperationSpec } from "./grammar.ts";
import { MachineHeaderBuilder } from "./header.ts";
import { Scopes } from "./scope.ts";
import type { Expectation, OperationLine, Script, ScriptLine } from "./script.ts";
import { placeAt, quote, suggestion } from "./text.ts";

const MOST_ERRORS = 20;
const EMPTY: ScriptLine = { kind: "blank", text: "" };

export interface ParseOptions {
  /** Whether what the emulator does not model is an error. Default: true. */
  readonly refuseUnmodelled?: boolean;
}

export type ParseResult =
  | { readonly script: Script; readonly errors?: undefined }
  | {
      readonly script?: undefined;
      /** In the order of their places, at most 20. */
      readonly errors: readonly InputError[];
      /** Whether there are more, or may be: the rest of the text was not read. */
      readonly isCut: boolean;
    };

/** Reads a transcript. Never throws: what is wrong with the text is in the result. */
export function parseTranscript(
  text: string,
  file: string,
  options: ParseOptions = {},
): ParseResult {
  const parser = new Parser(file, options.refuseUnmodelled ?? true);
  const nul = text.indexOf("\0");
  if (nul >= 0) {
    const error = new InputError(placeAt(text, nul, file), "not a text file: a NUL byte");
    return { errors: [error], isCut: false };
  }
  const lines = text.split(/\r?\n/);
  if (lines[lines.length - 1] === "") lines.pop();
  for (let i = 0; i < lines.length && !parser.hasEnoughErrors; i++) parser.line(lines[i], i + 1);
  return parser.finish();
}

class Parser {
  readonly #file: string;
  readonly #refuseUnmodelled: boolean;
  readonly #errors: InputError[] = [];
  readonly #unmodelled: InputError[] = [];
  readonly #header = new MachineHeaderBuilder();
  readonly #scopes = new Scopes();
  readonly #lines: ScriptLine[] = [];
  readonly #operations: OperationLine[] = [];
  #hasOperation = false;

  constructor(file: string, refuseUnmodelled: boolean) {
    this.#file = file;
    this.#refuseUnmodelled = refuseUnmodelled;
  }

  get hasEnoughErrors(): boolean {
    return this.#errors.length > MOST_ERRORS;
  }

  line(text: string, number: number): void {
    const hash = text.search(/(?<![^ \t])#/);
    const comment = hash < 0 ? undefined : text.slice(hash);
    const code = hash < 0 ? text : text.slice(0, hash);
    const arrow = code.indexOf("=>");
    const left = (arrow < 0 ? code : code.slice(0, arrow)).trimEnd();
    const place = (column: number): Place => ({ file: this.#file, line: number, column });
    const tokens = [...left.matchAll(/[^ \t]+/g)].map((match) => {
      return { text: match[0], place: place(match.index + 1) };
    });
    if (tokens.length === 0) {
      if (arrow >= 0) this.#fail(place(arrow + 1), 'no operation before "=>"');
      this.#lines.push(text === "" ? EMPTY : { kind: comment ? "comment" : "blank", text });
    } else if (tokens[0].text === "machine") {
      if (arrow >= 0) this.#fail(place(arrow + 1), "a machine line has no result");
      this.#machine(tokens);
      this.#lines.push({ kind: "machine", text });
    } else {
      this.#hasOperation = true;
      const right = { text: code.slice(arrow + 2), place: place(arrow + 3) };
      this.#operation(tokens, left, arrow < 0 ? undefined : right, comment);
    }
  }

  finish(): ParseResult {
    const { length } = this.#lines;
    if (!this.#hasOperation && this.#errors.length === 0) {
      const place = { file: this.#file, line: Math.max(length, 1), column: 1 };
      this.#fail(place, "no operation in this file");
    }
    if (this.#errors.length > 0) {
      const order = (a: InputError, b: InputError) =>
        a.place.line - b.place.line || a.place.column - b.place.column;
      const errors = this.#errors.toSorted(order).slice(0, MOST_ERRORS);
      return { errors, isCut: this.hasEnoughErrors };
    }
    const [file, lines, operations] = [this.#file, this.#lines, this.#operations];
    const [machine, unimplemented] = [this.#header.build(), this.#unmodelled];
    return { script: { file, machine, lines, operations, unimplemented } };
  }

  #machine(tokens: readonly Token[]): void {
    if (this.#hasOperation) {
      this.#fail(tokens[0].place, "machine lines come before the first operation");
      return;
    }
    if (tokens.length === 1) this.#fail(tokens[0].place, "usage: machine KEY=VALUE...");
    for (const { text, place } of tokens.slice(1)) {
      this.#attempt(() => this.#header.add(text, place));
    }
  }

  #operation(tokens: readonly Token[], left: string, right?: Token, comment?: string): void {
    const [actor] = tokens;
    const spec = this.#actorAndOperation(tokens);
    if (spec === undefined) {
      this.#scopes.giveUp();
      return;
    }
    if (spec.role === "process") this.#scopes.start(actor.text);
    const args = parseArguments(spec, tokens, this.#scopes, {
      report: (error) => this.#errors.push(error),
      refuse: (place, what) => this.#refuse(place, what),
    });
    const expectation = right && this.#expectation(right, spec);
    const line: OperationLine = {
      kind: "operation",
      place: actor.place,
      text: left,
      comment,
      actor: actor.text,
      spec,
      args,
      expectation,
    };
    this.#lines.push(line);
    this.#operations.push(line);
  }

  #expectation({ text, place }: Token, spec: OperationSpec): Expectation | undefined {
    return this.#attempt(() => parseExpectation(text, place, spec.name === "pagemap"));
  }

  #actorAndOperation([actor, operation]: readonly Token[]): OperationSpec | undefined {
    const role = actor.text === "host" ? "host" : "process";
    const name =
      role === "host" ? role : this.#attempt(() => parseProcessName(actor.text, actor.place));
    if (operation === undefined) {
      this.#fail(actor.place, `${quote(actor.text)} is all there is: ACTOR OP ARG... is a line`);
      return undefined;
    }
    const spec = OPERATIONS[role].get(operation.text);
    if (spec === undefined) this.#fail(operation.place, unknownOperation(operation.text, role));
    return name === undefined ? undefined : spec;
  }

  #refuse(place: Place, what: string): void {
    const errors = this.#refuseUnmodelled ? this.#errors : this.#unmodelled;
    errors.push(new InputError(place, `${quote(what)} is not modelled`));
  }

  #fail(place: Place, reason: string): void {
    this.#errors.push(new InputError(place, reason));
  }

  /** What `parse` returns, or undefined after its complaint has been kept. */
  #attempt<T>(parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#errors.push(error);
      return undefined;
    }
  }
}

function unknownOperation(name: string, role: "host" | "process"): string {
  const other = role === "host" ? "process" : "host";
  if (OPERATIONS[other].has(name)) {
    return role === "host"
      ? `${quote(name)} is an operation of a process, not of host`
      : `${quote(name)} is an operation of host, not of a process`;
  }
  const hint = suggestion(name, [...OPERATIONS[role].keys()]);
  return `unknown operation ${quote(name)}${hint}`;
}
