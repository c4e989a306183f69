// EFER.SVME and the MSRs of SVM (APM, "SVM Related MSRs"). Those of features that CPUID does not show (AVIC, SEV) do not
// exist: access to them is #GP(0). What VM_CR.DPD, R_INIT and DIS_A20M and IGNNE act on (debug port, INIT, A20, FERR) is
// not modelled: they are stored.
import {
  apm,
  type Cpu,
  defineRegisterBits,
  type FaultExplanation,
  GP,
  type MsrDefinition,
  NotModelled,
  type ProcessorProfile,
  type RegisterBitExtension,
  raise,
} from '@retrovisor/core';
import { hasFeature, hasSvm } from './features.js';
import { SVME_CLEARED_WITH_GIF_CLEAR } from './hazards.js';
import { VMMCALL_NOT_INTERCEPTED } from './instruction/vmmcall-invlpga-skinit.js';
import { isGifSet } from './processor-registers.js';

const ALL_BITS = 0xffff_ffff_ffff_ffffn;
const PAGE_OFFSET = 0xfffn;
/** DISMISS, ENTER, SMI_CYCLE, EXIT and RSM_CYCLE: 0 asks for nothing. */
const SMM_COMMANDS = 0x1fn;
/** 1.0: 8 bits before the point, 32 behind it. */
const TSC_RATIO_ONE = 1n << 32n;

export const VM_CR = defineRegisterBits('VM_CR', apm('VM_CR MSR (C001_0114h)'), {
  DPD: 0,
  R_INIT: 1,
  DIS_A20M: 2,
  LOCK: 3,
  SVMDIS: 4,
});

const LOCK = 1n << BigInt(VM_CR.bits.LOCK);
const SVMDIS = 1n << BigInt(VM_CR.bits.SVMDIS);

/** EFER.SVME: the SVM instructions are #UD without it. */
export const SVME: RegisterBitExtension = {
  register: 'IA32_EFER',
  name: 'SVME',
  bit: 12,
  existsWhen: hasSvm,
  beforeChange(cpu, set) {
    if (set && cpu.read('VM_CR') & SVMDIS) raise(GP(0), 'svm.efer.svme.svmdis'); // SVMDIS: SVME must be written as 0
    if (!set && !isGifSet(cpu)) cpu.hazard(SVME_CLEARED_WITH_GIF_CLEAR, { register: 'IA32_EFER' });
  },
};

export const SVM_MSRS: Readonly<Record<string, MsrDefinition>> = {
  TSC_RATIO: {
    address: 0xc000_0104,
    reset: TSC_RATIO_ONE,
    existsWhen: (profile: ProcessorProfile) => hasFeature(profile, 'TscRateMsr'),
    reserved: (ALL_BITS << 40n) & ALL_BITS, // scales the TSC of guests only
    manual: apm('TSC Ratio MSR (C000_0104h)'),
  },
  VM_CR: {
    address: 0xc001_0114,
    existsWhen: hasSvm,
    reserved: ALL_BITS & ~0x1fn,
    write: writeVmCr,
    manual: VM_CR.manual,
  },
  IGNNE: { address: 0xc001_0115, existsWhen: hasSvm, reserved: ALL_BITS & ~1n, manual: apm('IGNNE MSR (C001_0115h)') },
  SMM_CTL: {
    address: 0xc001_0116,
    existsWhen: hasSvm,
    read: () => raise(GP(0), 'svm.smm-ctl.write-only'),
    reserved: ALL_BITS & ~SMM_COMMANDS,
    write: (_cpu, value) => {
      if (value !== 0n) throw new NotModelled('system-management mode (WRMSR of SMM_CTL)');
    },
    manual: apm('SMM_CTL MSR (C001_0116h)'),
  },
  VM_HSAVE_PA: {
    address: 0xc001_0117,
    reset: 0n,
    existsWhen: hasSvm,
    reserved: PAGE_OFFSET,
    write: writeVmHsavePa,
    manual: apm('VM_HSAVE_PA MSR (C001_0117h)'),
  },
  SVM_KEY: {
    address: 0xc001_0118,
    reset: 0n,
    existsWhen: (profile: ProcessorProfile) => hasFeature(profile, 'SVML'),
    read: () => 0n, // the APM says write-only and no more; AMD's processor programming references: reads as zero
    write: writeSvmKey,
    manual: apm('SVM_KEY MSR (C001_0118h)'),
  },
};

/** What `why` says of the rules that have no row: those that an effect or a write of an MSR raises itself. */
export const SVM_EXPLANATIONS: Readonly<Record<string, FaultExplanation>> = {
  'svm.efer.svme.svmdis': {
    manual: VM_CR.manual,
    explain:
      'While VM_CR.SVMDIS is 1, EFER.SVME must be written as 0: clear SVMDIS first, with SVM_KEY if VM_CR.LOCK is 1.',
    fields: ['VM_CR', 'SVM_KEY'],
  },
  'svm.vm-cr.svmdis-while-svme': {
    manual: VM_CR.manual,
    explain: 'VM_CR.SVMDIS cannot be set while EFER.SVME is 1, whatever VM_CR.LOCK is: clear EFER.SVME first.',
    fields: ['IA32_EFER.SVME', 'VM_CR'],
  },
  'svm.vm-hsave-pa.width': {
    manual: apm('VM_HSAVE_PA MSR (C001_0117h)'),
    explain: 'The host save area must lie below the highest physical address that CPUID Fn8000_0008_EAX reports.',
    fields: ['RAX', 'RDX'],
  },
  [VMMCALL_NOT_INTERCEPTED]: {
    manual: apm('VMMCALL Call VMM'),
    explain: 'VMMCALL is for guests whose hypervisor intercepts it: bit 1 of intercept vector 4 of the VMCB.',
    fields: ['guestMode', 'svm.INTERCEPT_4'],
  },
  'svm.smm-ctl.write-only': {
    manual: apm('SMM_CTL MSR (C001_0116h)'),
    explain: 'SMM_CTL is write-only: do not execute RDMSR for it.',
    fields: ['RCX'],
  },
};

/**
 * SVMDIS while EFER.SVME is 1 is #GP whatever LOCK is; then LOCK keeps itself and SVMDIS, silently. The value written
 * counts for the #GP: Bochs looks at the old one instead, and KVM takes SVMDIS for LOCK.
 */
function writeVmCr(cpu: Cpu, value: bigint): void {
  if (value & SVMDIS && cpu.EFER.SVME) raise(GP(0), 'svm.vm-cr.svmdis-while-svme');
  const old = cpu.read('VM_CR');
  const kept = old & LOCK ? LOCK | SVMDIS : 0n;
  cpu.set('VM_CR', (value & ~kept) | (old & kept));
}

/** Bits 11:0 are reserved above. 0 may be written: it is the value after RESET, and what VMRUN makes of it is VMRUN's. */
function writeVmHsavePa(cpu: Cpu, value: bigint): void {
  if (value >> BigInt(cpu.profile.physicalAddressWidth) !== 0n) raise(GP(0), 'svm.vm-hsave-pa.width');
  cpu.set('VM_HSAVE_PA', value);
}

/** With LOCK clear a write sets the key; with LOCK set it clears LOCK if it equals the key and the key is not 0. */
function writeSvmKey(cpu: Cpu, value: bigint): void {
  const vmCr = cpu.read('VM_CR');
  if ((vmCr & LOCK) === 0n) cpu.set('SVM_KEY', value);
  else if (value !== 0n && value === cpu.read('SVM_KEY')) cpu.set('VM_CR', vmCr & ~LOCK);
}
