// What fast system calls load into CS and SS without reading a descriptor (SDM, "SYSCALL—Fast System Call", "SYSENTER—Fast
// System Call"): flat segments, present, accessed, granular.

export const FLAT_LIMIT = 0xffff_ffffn;
/** Execute/read code of 64-bit mode and of 32 bits, read/write data, all of DPL 0. */
export const CODE_64 = 0xa09bn;
export const CODE_32 = 0xc09bn;
export const DATA = 0xc093n;
/** DPL 3. */
export const USER = 0x60n;
