// Where generated code finds things in the hot memory: byte addresses of registers, of the pending flags, of the TLB, and of
// the words by which the runner and generated code talk to each other.
import { PENDING, RFLAGS_WORD } from '../execute/evaluate/flags.js';
import { slotOf } from '../register/register-file.js';

/** General registers, by number: slots of 8 bytes. */
export const REGISTER_BYTES = 8;
export const RIP_ADDRESS = slotOf('RIP') * 8;
export const RFLAGS_ADDRESS = RFLAGS_WORD * 4;

/** The record of pending status flags (execute/evaluate/flags.ts). A pair is a value and the same moved up to bit 31. */
export const PENDING_ADDRESS = {
  rule: PENDING.rule * 4,
  left: PENDING.left * 4,
  right: PENDING.right * 4,
  result: PENDING.result * 4,
} as const;

/** The address of a segment's base. */
export const segmentBaseAddress = (segment: 'FS' | 'GS'): number => slotOf(`${segment}.base`) * 8;
/** The address of a vector register. */
export const vectorRegisterAddress = (index: number): number => slotOf('XMM0') * 8 + index * 16;
