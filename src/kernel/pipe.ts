/** A pipe whose contents are pages (fs/splice.c: vmsplice_to_pipe(), fs/pipe.c: pipe_read()). */
import { PAGE_4K } from "../address.ts";
import { File } from "./descriptors.ts";
import type { Errno } from "./errno.ts";
import { stuck } from "./fault-outcome.ts";
import type { HeldPage } from "./folio.ts";
import { getUserPage, heldPage } from "./get-user-pages.ts";
import type { Process } from "./process.ts";
import { dropReference, takeReference } from "./reference.ts";
import type { KernelState } from "./state.ts";

/** PIPE_DEF_BUFFERS */
const BUFFERS_MAX = 16;
/** What one operation splices or reads. */
const WORD_BYTES = 8;

interface Buffer {
  readonly page: HeldPage;
  /** Physical address of the first byte that is not read yet. */
  at: number;
  nrBytes: number;
}

export class Pipe extends File {
  readonly #kernel: KernelState;
  readonly #buffers: Buffer[] = [];

  constructor(kernel: KernelState) {
    super();
    this.#kernel = kernel;
  }

  /**
   * The next 8 bytes at `address` become the pipe's without being copied: a reader sees what the
   * page holds when it reads. The number of bytes, fewer where a page cannot be had. Into a full
   * pipe the call waits for ever.
   */
  vmsplice(process: Process, address: number): number | Errno {
    let nrDone = 0;
    while (nrDone < WORD_BYTES) {
      if (this.#buffers.length === BUFFERS_MAX) {
        // wait_for_space(): splicing is not stopped by O_NONBLOCK.
        if (nrDone === 0) stuck(this.#kernel, process.pid, address, "the pipe is full");
        return nrDone;
      }
      const at = address + nrDone;
      const leaf = getUserPage(this.#kernel, process.space, at, { isWrite: false });
      if ("kind" in leaf) return nrDone > 0 ? nrDone : "EFAULT";
      const page = heldPage(this.#kernel, leaf, at);
      const offset = at % PAGE_4K;
      const nrBytes = Math.min(WORD_BYTES - nrDone, PAGE_4K - offset);
      takeReference(page, false);
      this.#buffers.push({ page, at: page.frame + offset, nrBytes });
      nrDone += nrBytes;
    }
    return nrDone;
  }

  /** Up to 8 bytes, little-endian, from the pages themselves; EAGAIN: it is empty. */
  read(): bigint | Errno {
    let value = 0n;
    let nrDone = 0;
    for (let [buffer] = this.#buffers; buffer && nrDone < WORD_BYTES; [buffer] = this.#buffers) {
      const nrBytes = Math.min(WORD_BYTES - nrDone, buffer.nrBytes);
      value |= this.#kernel.machine.ram.load(buffer.at, nrBytes) << BigInt(8 * nrDone);
      buffer.at += nrBytes;
      buffer.nrBytes -= nrBytes;
      nrDone += nrBytes;
      if (buffer.nrBytes === 0) this.#drop();
    }
    return nrDone > 0 ? value : "EAGAIN";
  }

  override get heldPages(): HeldPage[] {
    return this.#buffers.map(({ page }) => page);
  }

  /** free_pipe_info(): nobody has a descriptor of it any more. */
  protected override release(): void {
    while (this.#buffers.length > 0) this.#drop();
  }

  #drop(): void {
    const buffer = this.#buffers.shift();
    if (buffer) dropReference(this.#kernel, buffer.page, false);
  }
}
