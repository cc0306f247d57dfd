// What a module written in AssemblyScript imports of hugewalk: the compiler takes the name of this
// file for the name of the import's module. All exports are told in docs/abi.md; a program declares
// those that it calls. A CPU is its linear address.

export declare function load64(cpu: usize, va: u64, nrBytes: u32): u64;
export declare function store64(cpu: usize, va: u64, nrBytes: u32, value: u64): i32;
export declare function access64(cpu: usize, va: u64, nrBytes: u32, kind: u32): i64;
