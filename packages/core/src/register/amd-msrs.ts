// MSRs that only AMD processors have, by the APM's name (APM, "MSR Cross-Reference"). They say how firmware laid out memory
// and what it switched off; nothing here depends on them. Those of SVM are in the package svm.
import { apm } from '../manual/apm.js';
import type { ProcessorProfile } from '../profile/profile.js';
import { COMMAND, type MsrDefinition } from './msrs.js';

const existsWhen = ({ vendor }: ProcessorProfile): boolean => vendor === 'AMD';
const manual = apm('MSR Cross-Reference');
const allBut = (mask: bigint): bigint => BigInt.asUintN(64, ~mask);
/** Bits 51:23 of an address in units of 8 MiB. */
const TOP_OF_MEMORY = 0xf_ffff_ff80_0000n;

export const AMD_MSRS: Readonly<Record<string, MsrDefinition>> = {
  // MtrrFixDramModEn and what follows it, but neither memory encryption (23) nor SNP (24, 25).
  SYSCFG: { address: 0xc001_0010, existsWhen, reserved: allBut(0x7c_0000n), manual },
  HWCR: { address: 0xc001_0015, existsWhen, reserved: allBut((1n << 36n) - 1n), manual },
  IORR_BASE0: { address: 0xc001_0016, existsWhen, reserved: allBut(0xf_ffff_ffff_f018n), manual },
  IORR_MASK0: { address: 0xc001_0017, existsWhen, reserved: allBut(0xf_ffff_ffff_f800n), manual },
  IORR_BASE1: { address: 0xc001_0018, existsWhen, reserved: allBut(0xf_ffff_ffff_f018n), manual },
  IORR_MASK1: { address: 0xc001_0019, existsWhen, reserved: allBut(0xf_ffff_ffff_f800n), manual },
  TOP_MEM: { address: 0xc001_001a, existsWhen, reserved: allBut(TOP_OF_MEMORY), manual },
  TOP_MEM2: { address: 0xc001_001d, existsWhen, reserved: allBut(TOP_OF_MEMORY), manual },
  // Asks the processor to load microcode, which none here has.
  PATCH_LOADER: { address: 0xc001_0020, existsWhen, ...COMMAND, manual },
  OSVW_ID_LENGTH: { address: 0xc001_0140, existsWhen, readOnly: true, manual },
  OSVW_STATUS: { address: 0xc001_0141, existsWhen, readOnly: true, manual },
};
