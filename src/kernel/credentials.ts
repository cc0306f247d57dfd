/**
 * Who a process is, and what that lets it do (kernel/sys.c: __sys_setuid(), kernel/capability.c).
 */
import type { Errno } from "./errno.ts";
import type { Process } from "./process.ts";

/** Those that something here asks for (include/uapi/linux/capability.h). */
export type Capability =
  | "CAP_DAC_OVERRIDE"
  | "CAP_IPC_LOCK"
  | "CAP_IPC_OWNER"
  | "CAP_SETUID"
  | "CAP_SYS_ADMIN"
  | "CAP_SYS_PTRACE"
  | "CAP_SYS_RESOURCE";

/** Root has every capability, and nobody else has one. */
export function hasCapability({ uid }: Process, _capability: Capability): boolean {
  return uid === 0;
}

/** Changes real, effective and saved UID: there is no way back for who was root. */
export function setuid(process: Process, uid: number): "ok" | Errno {
  // (uid_t) -1 is nobody's.
  if (uid === 0xffff_ffff) return "EINVAL";
  if (!hasCapability(process, "CAP_SETUID") && uid !== process.uid) return "EPERM";
  process.uid = uid;
  return "ok";
}

/** Whose a file, a directory or a segment is, and who may do what with it. */
export interface Permissions {
  readonly uid: number;
  readonly gid: number;
  /** As chmod takes it. */
  readonly mode: number;
}

export const MAY_READ = 4;
export const MAY_WRITE = 2;
/** Of a directory: names in it can be looked up. */
export const MAY_SEARCH = 1;

/** generic_permission(), ipcperms(). Every user has a group of the same number, and no other. */
export function isPermitted(
  process: Process,
  { uid, gid, mode }: Permissions,
  wanted: number,
  override: Capability = "CAP_DAC_OVERRIDE",
): boolean {
  if (hasCapability(process, override)) return true;
  const shift = process.uid === uid ? 6 : process.uid === gid ? 3 : 0;
  return ((mode >> shift) & wanted) === wanted;
}

/** What a process makes is its own. */
export function ownedBy({ uid }: Process, mode: number): Permissions {
  return { uid, gid: uid, mode };
}
