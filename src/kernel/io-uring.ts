/**
 * An io_uring, for the sake of its registered buffers: pages pinned for I/O until they are
 * unregistered or the ring is gone (io_uring/rsrc.c: io_sqe_buffer_register(), io_pin_pages()).
 */
import { PAGE_1G, PAGE_4K, roundDown } from "../address.ts";
import { hasCapability } from "./credentials.ts";
import { File } from "./descriptors.ts";
import type { Errno } from "./errno.ts";
import { type HeldPage, bytesOf } from "./folio.ts";
import { getUserPage, heldPage } from "./get-user-pages.ts";
import type { Inode } from "./hugetlbfs.ts";
import type { Process } from "./process.ts";
import { dropReference, takeReference } from "./reference.ts";
import type { KernelState } from "./state.ts";

/** Of a ring of one entry: its queues, and its requests. */
const RING_PAGES = 2;

export class IoUring extends File {
  readonly #kernel: KernelState;
  /** Whose locked pages are counted; undefined: made by root, so nobody's. */
  readonly #uid: number | undefined;
  /** Pages of 4K that count as locked by the user: the ring's own, then the buffer's. */
  #nrRingPages = 0;
  #nrBufferPages = 0;
  #buffer: readonly HeldPage[] | undefined;

  private constructor(kernel: KernelState, uid: number | undefined) {
    super();
    this.#kernel = kernel;
    this.#uid = uid;
  }

  /** io_uring_setup() of the smallest ring. */
  static setup(kernel: KernelState, process: Process): IoUring | Errno {
    if (!kernel.profile.hasIoUring) return "ENOSYS";
    const uid = hasCapability(process, "CAP_IPC_LOCK") ? undefined : process.uid;
    const ring = new IoUring(kernel, uid);
    const nrPages = kernel.profile.countsRings ? RING_PAGES : 0;
    if (!ring.#account(process, nrPages)) return "ENOMEM";
    ring.#nrRingPages = nrPages;
    return ring;
  }

  /** IORING_REGISTER_BUFFERS of one buffer: faults its pages in for writing, and pins them. */
  register(process: Process, address: number, length: number): "ok" | Errno {
    if (length === 0) return address === 0 ? "ok" : "EFAULT";
    if (length > PAGE_1G) return "EFAULT";
    const kernel = this.#kernel;
    const pages: HeldPage[] = [];
    const files = new Set<Inode | undefined>();
    const end = address + length;
    for (let at = roundDown(address, PAGE_4K); at < end; at += PAGE_4K) {
      const leaf = getUserPage(kernel, process.space, at, { isWrite: true });
      if ("kind" in leaf) {
        unpin(kernel, pages);
        return "EFAULT";
      }
      const page = heldPage(kernel, leaf, at);
      takeReference(page, true);
      pages.push(page);
      files.add(process.space.find(at)?.inode);
    }
    if (files.size > 1 && !kernel.profile.pinsSpanFiles) {
      unpin(kernel, pages);
      return "EINVAL";
    }
    const nrPages = accountedPages(pages);
    if (!this.#account(process, nrPages)) {
      unpin(kernel, pages);
      return "ENOMEM";
    }
    this.#nrBufferPages = nrPages;
    this.#buffer = pages;
    return "ok";
  }

  /** IORING_UNREGISTER_BUFFERS; ENXIO: another process that has the ring did it. */
  unregister(): "ok" | Errno {
    if (!this.#buffer) return "ENXIO";
    unpin(this.#kernel, this.#buffer);
    this.#buffer = undefined;
    this.#forget(this.#nrBufferPages);
    return "ok";
  }

  override get heldPages(): readonly HeldPage[] {
    return this.#buffer ?? [];
  }

  /** io_ring_ctx_free(): nobody has a descriptor of it any more. */
  protected override release(): void {
    this.unregister();
    this.#forget(this.#nrRingPages);
  }

  /** __io_account_mem(): the user's locked pages, in all rings, against the process's limit. */
  #account(process: Process, nrPages: number): boolean {
    if (this.#uid === undefined) return true;
    const nrLocked = (this.#kernel.ringPagesOf.get(this.#uid) ?? 0) + nrPages;
    if (nrLocked > Math.floor(process.limits.memlock / PAGE_4K)) return false;
    this.#kernel.ringPagesOf.set(this.#uid, nrLocked);
    return true;
  }

  #forget(nrPages: number): void {
    if (this.#uid === undefined) return;
    this.#kernel.ringPagesOf.set(
      this.#uid,
      (this.#kernel.ringPagesOf.get(this.#uid) ?? 0) - nrPages,
    );
  }
}

function unpin(kernel: KernelState, pages: readonly HeldPage[]): void {
  for (const page of pages) dropReference(kernel, page, true);
}

/** io_buffer_account_pin(): of a huge page all, however little of it is in the buffer. */
function accountedPages(pages: readonly HeldPage[]): number {
  const folios = new Set(pages.map(({ folio }) => folio));
  return [...folios].reduce((sum, folio) => sum + (folio ? bytesOf(folio) / PAGE_4K : 1), 0);
}
