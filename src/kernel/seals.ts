/** What a file refuses from now on (include/uapi/linux/fcntl.h: F_SEAL_*). */
export const F_SEAL_SEAL = 0x1;
export const F_SEAL_SHRINK = 0x2;
export const F_SEAL_GROW = 0x4;
export const F_SEAL_WRITE = 0x8;
export const F_SEAL_FUTURE_WRITE = 0x10;

/** Either of them keeps the contents as they are. */
export const WRITE_SEALS = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
