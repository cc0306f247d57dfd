// The model's memory: what is allocated stays until the instance goes. It grows as it is needed.

let end: usize = (__heap_base + 63) & ~63;

/** `bytes` of zeros at a multiple of 64. */
export function allocate(bytes: usize): usize {
  const at = end;
  end = (end + bytes + 63) & ~63;
  const missing = <i32>((end + 0xffff) >> 16) - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) unreachable();
  return at;
}
