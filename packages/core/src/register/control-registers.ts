// CR0, CR4, CR8, EFER and XCR0: bit tables. Which bits a machine accepts follows from the profile's CPUID
// (register/control-register-write.ts) and from plugins.
import { sdm } from '../manual/sdm.js';
import { defineRegisterBits } from './bits.js';

export const CR0 = defineRegisterBits('CR0', sdm('Control Registers'), {
  PE: 0,
  MP: 1,
  EM: 2,
  TS: 3,
  ET: 4,
  NE: 5,
  WP: 16,
  AM: 18,
  NW: 29,
  CD: 30,
  PG: 31,
});

export const CR4 = defineRegisterBits('CR4', sdm('Control Registers'), {
  VME: 0,
  PVI: 1,
  TSD: 2,
  DE: 3,
  PSE: 4,
  PAE: 5,
  MCE: 6,
  PGE: 7,
  PCE: 8,
  OSFXSR: 9,
  OSXMMEXCPT: 10,
  UMIP: 11,
  LA57: 12,
  VMXE: 13,
  SMXE: 14,
  FSGSBASE: 16,
  PCIDE: 17,
  OSXSAVE: 18,
  KL: 19,
  SMEP: 20,
  SMAP: 21,
  PKE: 22,
  CET: 23,
  PKS: 24,
  UINTR: 25,
  LASS: 27,
  LAM_SUP: 28,
});

/** IA32_EFER; the APM prints SVME and the bits above it. */
export const EFER = defineRegisterBits('IA32_EFER', sdm('Extended Feature Enable Register'), {
  SCE: 0,
  LME: 8,
  LMA: 10,
  NXE: 11,
  SVME: 12,
  LMSLE: 13,
  FFXSR: 14,
  TCE: 15,
  MCOMMIT: 17,
  INTWB: 18,
  UAIE: 20,
  AIBRSE: 21,
});
