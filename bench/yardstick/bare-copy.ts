/**
 * Yardsticks for copying huge pages: `memory.copy` in wasm with nothing around it, and
 * `Buffer.copy`. Both copy page after page of one half of their memory to the other, as
 * copy-on-write does, so that the processor's caches help all of them equally little.
 */
import { PAGE_2M } from "../../src/address.ts";
import { type Case, WrongResult } from "../measure.ts";

const WASM_PAGE = 65536;

// (module
//   (import "env" "memory" (memory 1))
//   (func (export "copy") (param $to i32) (param $from i32) (param $bytes i32)
//     (memory.copy (local.get $to) (local.get $from) (local.get $bytes))))
const MODULE = Buffer.from(
  [
    "0061736d 01000000", // magic, version
    "01 07 01 60 03 7f7f7f 00", // types
    "02 0f 01 03 656e76 06 6d656d6f7279 02 00 01", // imports
    "03 02 01 00", // functions
    "07 08 01 04 636f7079 00 00", // exports
    "0a 0e 01 0c 00 2000 2001 2002 fc0a 00 00 0b", // code
  ]
    .join("")
    .replaceAll(" ", ""),
  "hex",
);

type Copy = (to: number, from: number, bytes: number) => void;

export function bareCopies(nrPages: number): readonly Case[] {
  const bytes = 2 * nrPages * PAGE_2M;
  const memory = new WebAssembly.Memory({ initial: bytes / WASM_PAGE });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(MODULE), { env: { memory } });
  const copy = instance.exports.copy as Copy;
  const buffer = Buffer.alloc(bytes);
  return [
    copyCase("memory.copy in wasm", nrPages, new Uint8Array(memory.buffer), copy),
    copyCase("Buffer.copy", nrPages, buffer, (to, from, length) => {
      buffer.copy(buffer, to, from, from + length);
    }),
  ];
}

function copyCase(name: string, nrPages: number, memory: Uint8Array, copy: Copy): Case {
  const half = nrPages * PAGE_2M;
  for (let i = 0; i < half; i += 8) memory[i] = i / 8;
  return {
    name,
    items: nrPages,
    run() {
      for (let i = 0; i < nrPages; i++) copy(half + i * PAGE_2M, i * PAGE_2M, PAGE_2M);
    },
    check() {
      for (let i = 0; i < half; i += 4096 + 8) {
        if (memory[half + i] !== memory[i]) throw new WrongResult(`${name}: byte ${i}`);
      }
    },
  };
}
