/** What the commands need of real kernels. */
import { HugewalkError } from "../errors.ts";
import { findImages, imageDirectories, imageFor, readImage } from "../live/images.ts";
import type { KernelImage } from "../live/images.ts";
import { openLive } from "../live/live.ts";
import type { RealKernel } from "../live/real-kernel.ts";
import { openVm } from "../live/vm.ts";
import type { MachineHeader } from "../transcript/script.ts";

export interface RealKernels {
  findImages(): Promise<readonly KernelImage[]>;
  imageDirectories(): readonly string[];
  readImage(path: string): Promise<KernelImage>;
  openVm(image: KernelImage): Promise<RealKernel>;
  openLive(): Promise<RealKernel>;
}

export function realKernels(env: NodeJS.ProcessEnv): RealKernels {
  return {
    findImages: () => findImages(env),
    imageDirectories: () => imageDirectories(env),
    readImage,
    openVm: (image) => openVm({ image, env }),
    openLive: () => openLive({ env }),
  };
}

/** Where scripts are to run. */
export interface Where {
  readonly live?: boolean;
  /** The path of an image. */
  readonly vm?: string;
}

/** The kernel for one script after the other; one at a time is open. */
export class KernelPicker {
  readonly #real: RealKernels;
  readonly #where: Where;
  #images: readonly KernelImage[] | undefined;
  #open: { readonly key: string; readonly kernel: RealKernel } | undefined;

  constructor(real: RealKernels, where: Where) {
    this.#real = real;
    this.#where = where;
  }

  /** Throws `HugewalkError` where there is none. */
  async pick(machine: MachineHeader): Promise<RealKernel> {
    const image = this.#where.live ? undefined : await this.#imageFor(machine);
    const key = image?.path ?? "live";
    if (this.#open?.key !== key) {
      await this.close();
      const kernel = await (image ? this.#real.openVm(image) : this.#real.openLive());
      this.#open = { key, kernel };
    }
    return this.#open.kernel;
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.kernel.close();
  }

  /** The one that was asked for, else one like the header's, else the newest. */
  async #imageFor(machine: MachineHeader): Promise<KernelImage> {
    if (this.#where.vm !== undefined) return this.#real.readImage(this.#where.vm);
    this.#images ??= await this.#real.findImages();
    const fitting = machine.kernel && imageFor(this.#images, machine.kernel);
    const image = fitting || this.#images[0];
    if (!image)
      throw new HugewalkError(`no kernel image to boot; "hugewalk kernels" says how to get one`);
    return image;
  }
}
