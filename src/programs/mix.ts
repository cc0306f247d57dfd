/**
 * MurmurHash3's last step: 32 bits to 32 bits, signed, one to one; each bit of the input changes
 * half of the output.
 */
export function mix32(bits: number): number {
  let x = bits ^ (bits >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
