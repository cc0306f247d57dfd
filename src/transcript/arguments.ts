/**
 * The arguments of one line, matched with the grammar's parameters and options.
 */
import { InputError, type Place } from "../errors.ts";
import { isSize, parseArgument } from "./argument.ts";
import type { Kind, OperationSpec, OptionSpec, Parameter } from "./grammar.ts";
import type { Scopes } from "./scope.ts";
import type { Argument } from "./script.ts";
import { quote } from "./text.ts";

export interface Token {
  readonly text: string;
  readonly place: Place;
}

export interface Complaints {
  readonly report: (error: InputError) => void;
  /** The argument is understood, but not carried out yet. */
  readonly refuse: (place: Place, what: string) => void;
}

/**
 * Reads the tokens after the operation, and tells `scopes` what the line binds and forks.
 * What is wrong goes to `complaints`, and the result then lacks it.
 */
export function parseArguments(
  spec: OperationSpec,
  tokens: readonly Token[],
  scopes: Scopes,
  complaints: Complaints,
): ReadonlyMap<string, Argument> {
  const line = new ArgumentParser(spec, tokens, scopes, complaints);
  line.parse();
  return line.args;
}

class ArgumentParser {
  readonly args = new Map<string, Argument>();
  readonly #spec: OperationSpec;
  readonly #actor: Token;
  readonly #operation: Token;
  readonly #rest: Token[];
  readonly #scopes: Scopes;
  readonly #complaints: Complaints;
  /** Where shared memory of 4K pages is asked for; a file may still be. */
  #sharedOf4K: Place | undefined;

  constructor(
    spec: OperationSpec,
    [actor, operation, ...rest]: readonly Token[],
    scopes: Scopes,
    complaints: Complaints,
  ) {
    this.#spec = spec;
    this.#actor = actor;
    this.#operation = operation;
    this.#rest = rest;
    this.#scopes = scopes;
    this.#complaints = complaints;
  }

  parse(): void {
    const isComplete = this.#takeAll();
    if (isComplete) this.#checkTogether();
    if (this.#sharedOf4K && !this.args.has("fd")) {
      this.#complaints.refuse(this.#sharedOf4K, "mmap shared without huge");
    }
    const name = this.args.get("NAME");
    if (name?.kind === "word") this.#scopes.bind(this.#actor.text, name.word);
    const lacksName = this.#spec.parameters.some(({ label, kind }) => {
      return (kind.kind === "child" || label === "NAME") && !this.args.has(label);
    });
    if (lacksName) this.#scopes.giveUp();
  }

  /** Whether the tokens are as many as there should be. */
  #takeAll(): boolean {
    const optional: Parameter[] = [];
    let nrBehind = this.#spec.parameters.filter(({ isOptional }) => !isOptional).length;
    for (const parameter of this.#spec.parameters) {
      if (!parameter.isOptional) nrBehind--;
      if (parameter.isOptional && parameter.kind.kind !== "size") optional.push(parameter);
      else if (!this.#takeParameter(parameter, nrBehind)) return false;
    }
    while (this.#rest.length > 0) {
      if (!this.#takeOption() && !this.#takeOptional(optional)) return false;
    }
    return true;
  }

  #takeParameter({ label, kind, isOptional }: Parameter, nrBehind: number): boolean {
    if (isOptional && !(this.#rest.length > nrBehind && isSize(this.#rest[0].text))) return true;
    if (kind.kind === "text" && this.#rest.length > 0) {
      const text = this.#rest.map((token) => token.text).join(" ");
      this.#rest.length = 0;
      this.args.set(label, { kind: "word", word: text });
      return true;
    }
    const [token] = this.#rest;
    if (token === undefined || this.#findOption(token.text)?.value !== undefined) {
      this.#fail(this.#operation.place, `${label} is missing; ${this.#usage()}`);
      return false;
    }
    this.#rest.shift();
    this.#argument(label, token.text, kind, token.place);
    return true;
  }

  #takeOption(): boolean {
    const [token] = this.#rest;
    const option = this.#findOption(token.text);
    if (option === undefined) return false;
    this.#rest.shift();
    const { key, value } = option;
    const written = value === undefined ? key : `${key}=`;
    if (this.args.has(key)) {
      this.#fail(token.place, `${quote(written)} is given twice`);
    } else if (value === undefined) {
      this.args.set(key, { kind: "word", word: key });
    } else {
      const place = { ...token.place, column: token.place.column + written.length };
      this.#argument(key, token.text.slice(written.length), value, place);
    }
    return true;
  }

  #takeOptional(optional: Parameter[]): boolean {
    const [token] = this.#rest;
    const parameter = optional.shift();
    if (parameter === undefined) {
      const reason = token.text.startsWith(";")
        ? 'counters follow a result: "=> RESULT ; COUNTERS"'
        : `unexpected argument ${quote(token.text)}; ${this.#usage()}`;
      this.#fail(token.place, reason);
      return false;
    }
    this.#rest.shift();
    this.#argument(parameter.label, token.text, parameter.kind, token.place);
    return true;
  }

  #findOption(text: string): OptionSpec | undefined {
    return this.#spec.options.find(({ key, value }) => {
      return value === undefined ? text === key : text.startsWith(`${key}=`);
    });
  }

  #checkTogether(): void {
    for (const { key, together } of this.#spec.options) {
      const missing = together.find((other) => !this.args.has(other));
      if (missing === undefined || !this.args.has(key)) continue;
      const reason = `${quote(key)} goes with ${quote(missing)}; ${this.#usage()}`;
      this.#fail(this.#operation.place, reason);
    }
  }

  #argument(label: string, text: string, kind: Kind, place: Place): void {
    try {
      const argument = parseArgument(text, kind, place);
      this.#checkScope(argument, kind, place);
      if (isSharedMemoryOf4K(argument)) this.#sharedOf4K = place;
      this.args.set(label, argument);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#complaints.report(error);
    }
  }

  #checkScope(argument: Argument, kind: Kind, place: Place): void {
    const actor = this.#actor.text;
    if (argument.kind === "address") {
      const { name } = argument.address;
      if (name !== undefined && !this.#scopes.couldKnow(actor, name)) {
        throw new InputError(place, `no earlier line of ${actor} binds ${quote(name)}`);
      }
    } else if (argument.kind === "word" && kind.kind === "child") {
      if (argument.word === actor) throw new InputError(place, `${actor} cannot fork itself`);
      this.#scopes.fork(actor, argument.word);
    } else if (argument.kind === "word" && kind.kind === "actor") {
      if (!this.#scopes.couldExist(argument.word)) {
        throw new InputError(place, `no earlier line starts ${quote(argument.word)}`);
      }
    }
  }

  #fail(place: Place, reason: string): void {
    this.#complaints.report(new InputError(place, reason));
  }

  #usage(): string {
    return `usage: ${this.#actor.text} ${this.#spec.usage}`;
  }
}

/** Shared memory of 4K pages is tmpfs. */
function isSharedMemoryOf4K(argument: Argument): boolean {
  if (argument.kind !== "flags") return false;
  const { flags } = argument;
  return (flags.has("shared") || flags.has("shared_validate")) && !flags.has("huge");
}
