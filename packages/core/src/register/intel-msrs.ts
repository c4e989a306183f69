// MSRs that only Intel processors have (SDM, "Model-Specific Registers (MSRs)"): what identifies the processor and its
// clock, and IA32_MISC_ENABLE.
import { sdm } from '../manual/sdm.js';
import type { ProcessorProfile } from '../profile/profile.js';
import { COMMAND, type MsrDefinition } from './msrs.js';

const existsWhen = ({ vendor }: ProcessorProfile): boolean => vendor === 'Intel';
const manual = sdm('Model-Specific Registers (MSRs)');
const bits = (...numbers: readonly number[]): bigint => numbers.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
const allBut = (mask: bigint): bigint => BigInt.asUintN(64, ~mask);

/** Performance monitoring available; branch-trace storage and processor-event-based sampling unavailable. */
const MISC_ENABLE_READ_ONLY = bits(7, 11, 12);
/**
 * Fast strings, thermal control, SpeedStep, monitor FSM (which shows MONITOR in CPUID), xTPR messages, turbo. Kept without
 * effect: the limit of CPUID (22) and the disabling of XD (34).
 */
const MISC_ENABLE_WRITABLE = bits(0, 3, 16, 18, 22, 23, 34, 38);
/** IA32_MISC_ENABLE[18]. */
export const ENABLE_MONITOR_FSM = bits(18);
/** MSR_MISC_FEATURES_ENABLES[0]: CPUID above CPL 0 is #GP(0). */
export const CPUID_FAULTING = bits(0);
const PLATFORM_INFO = 0xce;
/** Of MSR_PLATFORM_INFO: the processor can make CPUID fault; the ratio of the base frequency. */
const CPUID_FAULTING_THERE = bits(31);
const RATIO = 0xff00n;

export const INTEL_MSRS: Readonly<Record<string, MsrDefinition>> = {
  IA32_PLATFORM_ID: { address: 0x17, existsWhen, readOnly: true, manual },
  // Asks the processor to load microcode, which none here has.
  IA32_BIOS_UPDT_TRIG: { address: 0x79, existsWhen, ...COMMAND, manual },
  MSR_PLATFORM_INFO: { address: PLATFORM_INFO, existsWhen, readOnly: true, manual },
  MSR_MISC_FEATURES_ENABLES: {
    address: 0x140,
    existsWhen: (profile) => existsWhen(profile) && ((profile.msrs[PLATFORM_INFO] ?? 0n) & CPUID_FAULTING_THERE) !== 0n,
    reserved: allBut(CPUID_FAULTING),
    manual,
  },
  IA32_PERF_STATUS: {
    address: 0x198,
    existsWhen,
    readOnly: true,
    read: ({ profile }) => (profile.msrs[PLATFORM_INFO] ?? 0n) & RATIO, // always at the base frequency
    manual,
  },
  IA32_PERF_CTL: { address: 0x199, existsWhen, reserved: allBut(0x1_0000_ffffn), manual },
  IA32_MISC_ENABLE: {
    address: 0x1a0,
    existsWhen,
    reserved: allBut(MISC_ENABLE_READ_ONLY | MISC_ENABLE_WRITABLE),
    write: (cpu, value) => {
      const kept = cpu.read('IA32_MISC_ENABLE') & MISC_ENABLE_READ_ONLY;
      cpu.set('IA32_MISC_ENABLE', (value & MISC_ENABLE_WRITABLE) | kept);
    },
    manual,
  },
};
