/**
 * Which names a process can know at a line, as far as that is decided before a run: those that
 * earlier lines of its own bind, and those its parent could know when it was forked.
 */
export class Scopes {
  readonly #names = new Map<string, Set<string>>();
  #isComplete = true;

  /** A line could not be understood: it may have bound or forked anything. */
  giveUp(): void {
    this.#isComplete = false;
  }

  /** A line of the process starts it, unless it is there already. */
  start(actor: string): void {
    if (!this.#names.has(actor)) this.#names.set(actor, new Set());
  }

  fork(parent: string, child: string): void {
    this.#names.set(child, new Set(this.#names.get(parent)));
  }

  bind(actor: string, name: string): void {
    this.#names.get(actor)?.add(name);
  }

  couldKnow(actor: string, name: string): boolean {
    return !this.#isComplete || this.#names.get(actor)?.has(name) === true;
  }

  couldExist(actor: string): boolean {
    return !this.#isComplete || this.#names.has(actor);
  }
}
