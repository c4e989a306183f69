// RFLAGS: the bit table.
import { sdm } from '../manual/sdm.js';
import { defineRegisterBits } from './bits.js';

export const RFLAGS = defineRegisterBits('RFLAGS', sdm('EFLAGS Register'), {
  CF: 0,
  PF: 2,
  AF: 4,
  ZF: 6,
  SF: 7,
  TF: 8,
  IF: 9,
  DF: 10,
  OF: 11,
  NT: 14,
  RF: 16,
  VM: 17,
  AC: 18,
  VIF: 19,
  VIP: 20,
  ID: 21,
});

/** CF, PF, AF, ZF, SF and OF. */
export const STATUS_FLAGS = 0x8d5;
/** The bits that software can set, up to ID. */
export const RFLAGS_EXISTING = 0x3f_7fd5;
/** Bit 1 reads as 1. */
export const RFLAGS_FIXED = 0x2;
