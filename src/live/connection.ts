/** A line asked, a line answered, over a pair of streams. */
import type { Readable, Writable } from "node:stream";
import { InternalError } from "../errors.ts";
import { decodeReply, type Reply } from "./protocol.ts";

export class Connection {
  readonly #input: Writable;
  #unread = "";
  #isClosed = false;
  #settle: ((line: string | undefined) => void) | undefined;

  /** `input` takes requests, `output` gives replies. */
  constructor(input: Writable, output: Readable) {
    this.#input = input;
    input.on("error", () => this.#close());
    output.setEncoding("latin1");
    output.on("data", (text: string) => this.#receive(text));
    output.on("close", () => this.#close());
    output.on("end", () => this.#close());
    output.on("error", () => this.#close());
  }

  /** The reply to a request, or the first line of all; undefined: none came in that time. */
  async request(line: string | undefined, timeoutMs: number): Promise<Reply | undefined> {
    if (this.#settle) throw new InternalError("one request at a time");
    if (this.#isClosed) return undefined;
    const answer = new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(() => this.#settle?.(undefined), timeoutMs);
      this.#settle = (text) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(text);
      };
    });
    if (line !== undefined) this.#input.write(`${line}\n`);
    else this.#receive("");
    const text = await answer;
    return text === undefined ? undefined : decodeReply(text);
  }

  #receive(text: string): void {
    this.#unread += text;
    const end = this.#unread.indexOf("\n");
    if (end < 0 || !this.#settle) return;
    const line = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + 1);
    this.#settle(line);
  }

  #close(): void {
    this.#isClosed = true;
    this.#settle?.(undefined);
  }
}
