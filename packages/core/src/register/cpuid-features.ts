// One flat table: the bits of CPUID that the model answers for, as SDM and APM print them. A profile's bit is shown only
// if it is listed here or a plugin lists it, so that software sees what is there: AVX is not, and so its bit reads 0. Leaves
// that hold data instead of features follow at the end.
import type { CpuidFeature } from '../plugin/define.js';

/** A feature bit by name. */
export interface FeatureRow {
  readonly name: string;
  readonly leaf: number;
  readonly subleaf: number;
  readonly register: CpuidFeature['register'];
  readonly bit: number;
}

function features(
  leaf: number,
  register: FeatureRow['register'],
  bits: Readonly<Record<string, number>>,
  subleaf = 0,
): FeatureRow[] {
  return Object.entries(bits).map(([name, bit]) => ({ name, leaf, subleaf, register, bit }));
}

export const FEATURES: readonly FeatureRow[] = [
  ...features(0x01, 'ecx', {
    SSE3: 0,
    PCLMULQDQ: 1,
    MONITOR: 3,
    SSSE3: 9,
    CMPXCHG16B: 13,
    PCID: 17,
    'SSE4.1': 19,
    'SSE4.2': 20,
    x2APIC: 21,
    MOVBE: 22,
    POPCNT: 23,
    'TSC-Deadline': 24,
    AESNI: 25,
    XSAVE: 26,
    RDRAND: 30,
  }),
  ...features(0x01, 'edx', {
    VME: 1,
    FPU: 0,
    DE: 2,
    PSE: 3,
    TSC: 4,
    MSR: 5,
    PAE: 6,
    MCE: 7,
    CX8: 8,
    APIC: 9,
    SEP: 11,
    MTRR: 12,
    PGE: 13,
    MCA: 14,
    CMOV: 15,
    PAT: 16,
    'PSE-36': 17,
    CLFSH: 19,
    FXSR: 24,
    SSE: 25,
    SSE2: 26,
    MMX: 23,
    HTT: 28,
  }),
  ...features(0x07, 'ebx', {
    FSGSBASE: 0,
    IA32_TSC_ADJUST: 1,
    BMI1: 3,
    FDP_EXCPTN_ONLY: 6,
    SMEP: 7,
    BMI2: 8,
    'FPU CS and DS deprecated': 13,
    INVPCID: 10,
    RDSEED: 18,
    ADX: 19,
    SMAP: 20,
    CLFLUSHOPT: 23,
    CLWB: 24,
  }),
  ...features(0x07, 'ecx', { UMIP: 2, PKU: 3, LA57: 16, RDPID: 22, CLDEMOTE: 25, MOVDIRI: 27, PKS: 31 }),
  // State components, of which there are two, and the instructions that save them.
  ...features(0x0d, 'eax', { 'x87 state': 0, 'SSE state': 1 }),
  ...features(0x0d, 'eax', { XSAVEOPT: 0, XSAVEC: 1, 'XGETBV with ECX = 1': 2, XSAVES: 3 }, 1),
  // The MSRs are there; speculation, which they control, is not.
  ...features(0x07, 'edx', { SERIALIZE: 14, IBRS: 26, STIBP: 27, IA32_ARCH_CAPABILITIES: 29, SSBD: 31 }),
  ...features(0x8000_0001, 'ecx', { LAHF: 0, CmpLegacy: 1, LZCNT: 5, PREFETCHW: 8, TCE: 17, TopologyExtensions: 22 }),
  ...features(0x8000_0001, 'edx', { SYSCALL: 11, NX: 20, FFXSR: 25, Page1GB: 26, RDTSCP: 27, LM: 29 }),
  ...features(0x8000_0001, 'edx', { SYSCALL: 11, NX: 20, MmxExt: 22, Page1GB: 26, RDTSCP: 27, LM: 29 }),
  ...features(0x8000_0007, 'edx', { InvariantTSC: 8 }),
  ...features(0x8000_0008, 'ebx', { CLZERO: 0, WBNOINVD: 9, 'AMD IBRS': 14, 'AMD STIBP': 15, 'AMD SSBD': 24 }),
  // LFENCE serializes, and loading a null selector clears base and limit.
  ...features(0x8000_0021, 'eax', { LFenceAlwaysSerializing: 2, NullSelectorClearsBase: 6 }),
];

const ALL = ['eax', 'ebx', 'ecx', 'edx'] as const satisfies readonly CpuidFeature['register'][];

/** Leaves whose registers are data (vendor, brand, caches, topology, address widths) and shown whole. */
export const DATA_LEAVES: ReadonlyMap<number, readonly CpuidFeature['register'][]> = new Map<
  number,
  readonly CpuidFeature['register'][]
>([
  [0x00, ALL],
  [0x01, ['eax', 'ebx']],
  [0x02, ALL],
  [0x04, ALL],
  [0x05, ALL],
  [0x0b, ALL],
  [0x15, ['eax', 'ebx', 'ecx']],
  [0x16, ['eax', 'ebx', 'ecx']],
  [0x18, ALL],
  [0x1f, ALL],
  [0x8000_0000, ALL],
  [0x8000_0001, ['eax', 'ebx']],
  [0x8000_0002, ALL],
  [0x8000_0003, ALL],
  [0x8000_0004, ALL],
  [0x8000_0005, ALL],
  [0x8000_0006, ALL],
  [0x8000_0008, ['eax', 'ecx']],
  [0x8000_0019, ['eax', 'ebx']],
  [0x8000_001d, ALL],
  [0x8000_001e, ['eax', 'ebx', 'ecx']],
  [0x8000_0026, ALL],
]);
