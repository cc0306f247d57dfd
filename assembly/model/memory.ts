// The model's memory: what is allocated stays until the instance goes. It grows as it is needed.

let end: usize = (__heap_base + 63) & ~63;

/** Of 64 KiB: addresses of 31 bits are the same numbers on both sides. */
const PAGES_MAX: u64 = 0x7fff;

/** `bytes` of zeros at a multiple of 64. Traps, where there is no memory for them. */
export function allocate(bytes: usize): usize {
  const at = end;
  const newEnd = (<u64>at + bytes + 63) & ~63;
  const nrPages = (newEnd + 0xffff) >> 16;
  if (nrPages > PAGES_MAX) unreachable();
  const missing = <i32>nrPages - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) unreachable();
  end = <usize>newEnd;
  return at;
}
