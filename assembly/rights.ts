// Which access is denied by which combined rights, as a table: one byte for each access (in the form
// of an error code, shifted right by one), one bit in it for each of the eight rights. Made anew when
// a control register changes, so that an access costs one load and one shift.

import {
  ACCESS_AC,
  ACCESS_IMPLICIT,
  ERROR_I,
  ERROR_SS,
  ERROR_U,
  ERROR_W,
  RIGHTS_U,
  RIGHTS_W,
  RIGHTS_X,
} from "./layout";

const NR_ACCESSES: u32 = 64;
const NR_RIGHTS: u32 = 8;

/** SDM Vol. 3A §4.6.1, "Determination of access rights", one rule a line. */
function isDenied(access: u32, rights: u32, wp: bool, smep: bool, smap: bool): bool {
  const isUser = (access & ERROR_U) != 0;
  const isUserPage = (rights & RIGHTS_U) != 0;
  // Shadow-stack accesses: to pages of their own mode alone, which have to be shadow-stack pages.
  if (access & ERROR_SS) return isUser != isUserPage;
  if (isUser && !isUserPage) return true;
  if (access & ERROR_I && !isUser && isUserPage && smep) return true;
  const isData = !(access & ERROR_I);
  const hasAc = (access & ACCESS_AC) != 0 && !(access & ACCESS_IMPLICIT);
  if (isData && !isUser && isUserPage && smap && !hasAc) return true;
  if (access & ERROR_W && !(rights & RIGHTS_W) && (isUser || wp)) return true;
  if (access & ERROR_I && !(rights & RIGHTS_X)) return true;
  return false;
}

export function makePermissions(table: usize, wp: bool, smep: bool, smap: bool): void {
  for (let i: u32 = 0; i < NR_ACCESSES; i++) {
    let denied: u32 = 0;
    for (let rights: u32 = 0; rights < NR_RIGHTS; rights++) {
      if (isDenied(i << 1, rights, wp, smep, smap)) denied |= 1 << rights;
    }
    store<u8>(table + i, <u8>denied);
  }
}
