// What the guest imports of its host: the one function that is JavaScript.

/** The last access of `cpu` faulted: whether it can be made again. */
export declare function pageFault(cpu: usize): bool;
