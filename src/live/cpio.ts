/**
 * Archives that Linux takes as its first file system: cpio, "newc"
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 */

export interface ArchiveEntry {
  /** Without a leading slash; parents first. */
  readonly name: string;
  /** Permissions and S_IFMT. */
  readonly mode: number;
  readonly content?: Uint8Array;
}

export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;

const MAGIC = "070701";
const TRAILER: ArchiveEntry = { name: "TRAILER!!!", mode: 0 };

/** The archive's bytes. */
export function packArchive(entries: readonly ArchiveEntry[]): Uint8Array {
  return Buffer.concat(
    [...entries, TRAILER].flatMap((entry, i) => {
      const { name, mode, content = new Uint8Array() } = entry;
      const nrLinks = mode & S_IFDIR && !(mode & S_IFREG) ? 2 : 1;
      const fields = [
        entry === TRAILER ? 0 : i + 1, // inode
        mode,
        0, // uid
        0, // gid
        nrLinks,
        0, // mtime
        content.length,
        0, // device: major, minor
        0,
        0, // device it is: major, minor
        0,
        name.length + 1,
        0, // check
      ];
      const hex = fields.map((field) => field.toString(16).padStart(8, "0")).join("");
      return [padded(Buffer.from(`${MAGIC}${hex}${name}\0`, "latin1")), padded(content)];
    }),
  );
}

/** Up to a multiple of four bytes: a header is 110 bytes, and starts at one. */
function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, new Uint8Array(-bytes.length & 3)]);
}
