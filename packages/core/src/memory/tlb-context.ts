// What translations depend on beside the tables in memory: what the software TLB knows of the processor that uses it.
import type { PagingContext } from './paging.js';

/** What the TLB needs to know of the processor. */
export interface TlbContext extends PagingContext {
  readonly protectedMode: boolean;
  /** 48 or 57: bits of a linear address; 32 outside IA-32e mode. */
  readonly linearBits: 32 | 48 | 57;
  /** CR0.AM and RFLAGS.AC are 1: user accesses must be aligned. */
  readonly alignmentCheck: boolean;
}

/** Whether what was translated in one context is true in the other. */
export function translatesAlike(left: TlbContext, right: TlbContext): boolean {
  return (
    left.mode === right.mode &&
    left.root === right.root &&
    left.writeProtect === right.writeProtect &&
    left.smep === right.smep &&
    left.smap === right.smap &&
    left.userKeys === right.userKeys &&
    left.supervisorKeys === right.supervisorKeys &&
    left.a20Masked === right.a20Masked &&
    left.guest === right.guest &&
    (left.pdptes === right.pdptes || left.pdptes.every((pdpte, index) => pdpte === right.pdptes[index])) &&
    left.executeDisable === right.executeDisable &&
    left.largePages === right.largePages &&
    left.linearBits === right.linearBits
  );
}
