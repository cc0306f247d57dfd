/** How reports write numbers. */

/** A count, whole: 1,234,567. */
export function count(n: number): string {
  return Math.round(n).toLocaleString("en-US");
}

/** 1 load, 1,234 loads */
export function counted(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** With three digits that say something: 1,234 12.3 0.0123 */
export function figure(n: number): string {
  const size = Math.abs(n);
  if (size >= 100) return count(n);
  if (size === 0) return "0";
  const decimals = size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return size < 0.001 ? n.toExponential(1) : n.toFixed(decimals);
}

/** A share of 0 to 1, as 12.3 %; what is not quite all or nothing is not written as such. */
export function percent(share: number): string {
  const hundredths = share * 100;
  if (share !== 0 && Math.abs(share) < 0.000005) return share > 0 ? "<0.001 %" : ">-0.001 %";
  if (share > 0.999 && share < 1) return `${(Math.floor(hundredths * 1000) / 1000).toFixed(3)} %`;
  if (share !== 0 && Math.abs(share) < 0.001) return `${hundredths.toFixed(3)} %`;
  return `${hundredths.toFixed(1)} %`;
}

/** Of `whole`; "-" if there is none. */
export function percentOf(part: number, whole: number): string {
  return whole === 0 ? "-" : percent(part / whole);
}

export function ratio(part: number, whole: number): string {
  return whole === 0 ? "-" : figure(part / whole);
}

/** 2 MiB, 1.5 GiB */
export function bytes(n: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let size = n;
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024;
  return `${Number.isInteger(size) ? size : size.toFixed(1)} ${units[unit]}`;
}

/** Of 48 bits, as x86-64 has them: the kernel's half begins with ffff. */
export function address(n: number): string {
  return `0x${n < 2 ** 47 ? "" : "ffff"}${n.toString(16)}`;
}
