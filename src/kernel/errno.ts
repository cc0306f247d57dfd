/** Error names that system calls return here; values are in include/uapi/asm-generic/errno*.h. */
export type Errno =
  | "EPERM"
  | "ENOENT"
  | "ESRCH"
  | "EBADF"
  | "ECHILD"
  | "EAGAIN"
  | "ENOMEM"
  | "EACCES"
  | "EFAULT"
  | "EEXIST"
  | "EINVAL"
  | "ERANGE"
  | "EOVERFLOW";
