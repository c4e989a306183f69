// One flat table: the architectural MSRs of the base machine, in ascending order of address, by the name that the SDM
// prints; where the APM prints another one, the row says so. Groups of them, and what only one vendor has, are tables of
// their own, added at the end. Those of VMX and SVM belong to their packages. Every check of a value that is not here
// (reserved bits, canonicality) is in a row too.
import { GP, raise } from '../interrupt/exceptions.js';
import { writeApicBase } from '../interrupt/local-apic-mode.js';
import { readTscDeadline, writeTscDeadline } from '../interrupt/local-apic-timer.js';
import { lookUpCpuid } from '../profile/cpuid-lookup.js';
import type { ProcessorProfile } from '../profile/profile.js';
import type { Cpu } from '../state/cpu.js';
import { AMD_MSRS } from './amd-msrs.js';
import { announceChange } from './control-register-write.js';
import { INTEL_MSRS } from './intel-msrs.js';
import { MACHINE_CHECK_MSRS } from './machine-check-msrs.js';
import { COMMAND, type MsrDefinition } from './msrs.js';
import { PERFORMANCE_MSRS } from './performance-msrs.js';
import { adjustTimeStampCounter, shownTimeStamp } from './time-stamp-counter.js';
import { X2APIC_MSRS } from './x2apic-msrs.js';

const isAmd = ({ vendor }: ProcessorProfile): boolean => vendor === 'AMD';

/** Whether the profile's CPUID has a bit. */
const reports =
  (leaf: number, register: 'eax' | 'ebx' | 'ecx' | 'edx', bit: number) =>
  (profile: ProcessorProfile): boolean =>
    ((lookUpCpuid(profile, leaf, 0)[register] >>> bit) & 1) === 1;

const hasSpeculationControl = (profile: ProcessorProfile): boolean =>
  reports(7, 'edx', 26)(profile) || (isAmd(profile) && reports(0x8000_0008, 'ebx', 14)(profile));

/** All bits but the lowest `width`. */
const above = (width: number): bigint => BigInt.asUintN(64, -1n << BigInt(width));
/** All bits but those of a mask. */
const allBut = (mask: bigint): bigint => BigInt.asUintN(64, ~mask);

/** Bits of a physical address that the processor does not have. */
const abovePhysical = (cpu: Cpu): bigint => above(cpu.profile.physicalAddressWidth);

/** Stores a value unless reserved bits that depend on the processor are set. */
function storeUnlessReserved(cpu: Cpu, register: string, value: bigint, reserved: bigint): void {
  if ((value & reserved) !== 0n) raise(GP(0), 'core.wrmsr.value-reserved');
  cpu.set(register, value);
}

const MEMORY_TYPES = new Set([0n, 1n, 4n, 5n, 6n]); // UC, WC, WT, WP, WB
const UNCACHED_MINUS = 7n; // UC-, in IA32_PAT only

function areMemoryTypes(value: bigint, alsoUncachedMinus: boolean): boolean {
  return Array.from({ length: 8 }, (_, index) => (value >> BigInt(8 * index)) & 0xffn).every(
    (type) => MEMORY_TYPES.has(type) || (alsoUncachedMinus && type === UNCACHED_MINUS),
  );
}

const memoryTypes =
  (register: string, alsoUncachedMinus = false) =>
  (cpu: Cpu, value: bigint): void => {
    if (!areMemoryTypes(value, alsoUncachedMinus)) raise(GP(0), 'core.wrmsr.memory-type');
    cpu.set(register, value);
  };

const VARIABLE_RANGES = 0xffn;
/** Memory types are kept and reported; nothing is cached, so that they have no effect. */
function variableRange(index: number): [string, MsrDefinition][] {
  const existsWhen = (profile: ProcessorProfile) => BigInt(index) < ((profile.msrs[0xfe] ?? 0n) & VARIABLE_RANGES);
  const [base, mask] = [`IA32_MTRR_PHYSBASE${index}`, `IA32_MTRR_PHYSMASK${index}`];
  return [
    [
      base,
      {
        address: 0x200 + 2 * index,
        existsWhen,
        write: (cpu, value) => {
          if (!MEMORY_TYPES.has(value & 0xffn)) raise(GP(0), 'core.wrmsr.memory-type');
          storeUnlessReserved(cpu, base, value, abovePhysical(cpu) | 0xf00n);
        },
      },
    ],
    [
      mask,
      {
        address: 0x201 + 2 * index,
        existsWhen,
        write: (cpu, value) => storeUnlessReserved(cpu, mask, value, abovePhysical(cpu) | 0x7ffn),
      },
    ],
  ];
}

const FIXED_RANGES: Readonly<Record<string, number>> = {
  IA32_MTRR_FIX64K_00000: 0x250,
  IA32_MTRR_FIX16K_80000: 0x258,
  IA32_MTRR_FIX16K_A0000: 0x259,
  IA32_MTRR_FIX4K_C0000: 0x268,
  IA32_MTRR_FIX4K_C8000: 0x269,
  IA32_MTRR_FIX4K_D0000: 0x26a,
  IA32_MTRR_FIX4K_D8000: 0x26b,
  IA32_MTRR_FIX4K_E0000: 0x26c,
  IA32_MTRR_FIX4K_E8000: 0x26d,
  IA32_MTRR_FIX4K_F0000: 0x26e,
  IA32_MTRR_FIX4K_F8000: 0x26f,
};

/** BTF; LBR and the freezing of recording and counting, none of which happens; no branch-trace store, which CPUID hides. */
const DEBUG_CONTROL = 0x5803n;

/**
 * Bits of IA32_ARCH_CAPABILITIES that say that another MSR exists, none of which does: TSX_CTRL, MCU_CONTROL, MISC_PACKAGE_CTLS,
 * ENERGY_FILTERING_CTL, DOITM, FB_CLEAR_CTRL, XAPIC_DISABLE_STATUS, OVERCLOCKING_STATUS.
 */
const PROMISED_MSRS = 0xa4_1e80n;

/** CPUID leaf 0DH, subleaf 1, EAX. */
const XSAVES = 1 << 3;
const BOOTSTRAP_PROCESSOR = 0x100n;
/** Bits 7:0 and 9. */
const APIC_BASE_RESERVED = 0x2ffn;

/** LMA follows from LME and CR0.PG: what is written to it is ignored. */
function writeEfer(cpu: Cpu, value: bigint): void {
  const lma = cpu.EFER.LMA;
  announceChange(cpu, 'IA32_EFER', value);
  cpu.EFER.value = value;
  cpu.EFER.LMA = lma;
  cpu.draft.flushTlb(); // NXE decides what bit 63 of an entry means
}

export const BASE_MSRS: Readonly<Record<string, MsrDefinition>> = {
  // The slot holds what must be added to the processor's cycles, which is what IA32_TSC_ADJUST is.
  IA32_TIME_STAMP_COUNTER: {
    address: 0x10,
    read: (cpu) => shownTimeStamp(cpu),
    write: (cpu, value) => adjustTimeStampCounter(cpu, value - cpu.timeStamp()),
  },
  IA32_APIC_BASE: {
    address: 0x1b,
    read: (cpu) => cpu.read('IA32_APIC_BASE') | (cpu.id === 0 ? BOOTSTRAP_PROCESSOR : 0n),
    write: (cpu, value) => {
      if ((value & (abovePhysical(cpu) | APIC_BASE_RESERVED)) !== 0n) raise(GP(0), 'core.wrmsr.value-reserved');
      writeApicBase(cpu, value & allBut(BOOTSTRAP_PROCESSOR));
    },
  },
  IA32_TSC_ADJUST: {
    address: 0x3b,
    aliasOf: 'IA32_TIME_STAMP_COUNTER',
    existsWhen: reports(7, 'ebx', 1),
    write: adjustTimeStampCounter,
  },
  // Speculation is not modelled, so that its controls have nothing to control.
  IA32_SPEC_CTRL: { address: 0x48, existsWhen: hasSpeculationControl, reserved: allBut(0x7n) }, // IBRS, STIBP, SSBD
  IA32_PRED_CMD: { address: 0x49, existsWhen: hasSpeculationControl, reserved: allBut(0x1n), ...COMMAND }, // IBPB
  // Software writes 0 and executes CPUID, which puts the revision back: so it never goes away. APM: PATCH_LEVEL.
  IA32_BIOS_SIGN_ID: { address: 0x8b, write: () => {} },
  IA32_MTRRCAP: { address: 0xfe, readOnly: true },
  IA32_ARCH_CAPABILITIES: {
    address: 0x10a,
    existsWhen: reports(7, 'edx', 29),
    readOnly: true,
    read: (cpu) => cpu.read('IA32_ARCH_CAPABILITIES') & allBut(PROMISED_MSRS),
  },
  IA32_SYSENTER_CS: { address: 0x174, reserved: above(32) },
  IA32_SYSENTER_ESP: { address: 0x175, canonical: true },
  IA32_SYSENTER_EIP: { address: 0x176, canonical: true },
  IA32_DEBUGCTL: { address: 0x1d9, reserved: allBut(DEBUG_CONTROL) },
  IA32_TSC_DEADLINE: {
    address: 0x6e0,
    aliasOf: 'APIC_TIMER_START',
    existsWhen: reports(1, 'ecx', 24),
    read: readTscDeadline,
    write: writeTscDeadline,
  },
  IA32_PKRS: { address: 0x6e1, existsWhen: reports(7, 'ecx', 31), reserved: above(32) },
  // No state component is a supervisor one.
  IA32_XSS: {
    address: 0xda0,
    existsWhen: (profile) => (lookUpCpuid(profile, 0x0d, 1).eax & XSAVES) !== 0,
    reserved: allBut(0n),
  },
  ...X2APIC_MSRS,
  ...Object.fromEntries(Array.from({ length: 10 }, (_, index) => variableRange(index)).flat()),
  ...Object.fromEntries(
    Object.entries(FIXED_RANGES).map(([name, address]) => [
      name,
      { address, write: memoryTypes(name) } satisfies MsrDefinition,
    ]),
  ),
  IA32_PAT: { address: 0x277, reset: 0x0007_0406_0007_0406n, write: memoryTypes('IA32_PAT', true) },
  // Bits 7:0 type, 10 FE, 11 E.
  IA32_MTRR_DEF_TYPE: {
    address: 0x2ff,
    reserved: allBut(0xcffn),
    write: (cpu, value) => {
      if (!MEMORY_TYPES.has(value & 0xffn)) raise(GP(0), 'core.wrmsr.memory-type');
      cpu.set('IA32_MTRR_DEF_TYPE', value);
    },
  },
  IA32_EFER: { address: 0xc000_0080, write: writeEfer }, // checked by the rows of WRMSR
  IA32_STAR: { address: 0xc000_0081 },
  IA32_LSTAR: { address: 0xc000_0082, canonical: true },
  IA32_CSTAR: { address: 0xc000_0083, canonical: true },
  IA32_FMASK: { address: 0xc000_0084, reserved: above(32) }, // APM: SFMASK
  IA32_FS_BASE: { address: 0xc000_0100, canonical: true, aliasOf: 'FS.base' },
  IA32_GS_BASE: { address: 0xc000_0101, canonical: true, aliasOf: 'GS.base' },
  IA32_KERNEL_GS_BASE: { address: 0xc000_0102, canonical: true },
  IA32_TSC_AUX: { address: 0xc000_0103, existsWhen: reports(0x8000_0001, 'edx', 27), reserved: above(32) },
  ...MACHINE_CHECK_MSRS,
  ...PERFORMANCE_MSRS,
  ...INTEL_MSRS,
  ...AMD_MSRS,
};
