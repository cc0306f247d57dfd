// Which access is denied by which combined rights, as a table: one byte for each access (in the
// form of an error code, shifted right by one), one bit in it for each of the eight rights.
// Made anew when a control register changes, so that an access costs one load and one shift.

import { ERROR_I, ERROR_U, ERROR_W, RIGHTS_U, RIGHTS_W, RIGHTS_X } from "./layout";

export const NR_ACCESSES: u32 = 32;
const NR_RIGHTS: u32 = 8;

/** SDM Vol. 3A §4.6.1, "Determination of access rights", one rule a line. */
function isDenied(access: u32, rights: u32, wp: bool): bool {
  const isUser = (access & ERROR_U) != 0;
  if (isUser && !(rights & RIGHTS_U)) return true;
  if (access & ERROR_W && !(rights & RIGHTS_W) && (isUser || wp)) return true;
  if (access & ERROR_I && !(rights & RIGHTS_X)) return true;
  return false;
}

export function makePermissions(table: usize, wp: bool): void {
  for (let i: u32 = 0; i < NR_ACCESSES; i++) {
    let denied: u32 = 0;
    for (let rights: u32 = 0; rights < NR_RIGHTS; rights++) {
      if (isDenied(i << 1, rights, wp)) denied |= 1 << rights;
    }
    store<u8>(table + i, <u8>denied);
  }
}
