// Which instruction-set extensions a machine reports: an instruction of one that it does not report is #UD, however well
// its bytes decode. Extensions that are always reported, or whose instructions are NOPs without it (CET's branch tracking,
// MPX), are not listed.

import type { CpuidFeature } from '../plugin/define.js';
import type { MachineDefinition } from '../plugin/host.js';
import { lookUpCpuid } from '../profile/cpuid-lookup.js';
import { FEATURES } from './cpuid-features.js';

type FeatureBit = Omit<CpuidFeature, 'mask'> & { readonly bit: number };

const feature = (leaf: number, register: FeatureBit['register'], bit: number, subleaf = 0): FeatureBit => ({
  leaf,
  subleaf,
  register,
  bit,
});

/** By the name that iced-x86 gives the extension. Shown if core or a plugin models it and the profile has it. */
const EXTENSIONS: Readonly<Record<string, FeatureBit>> = {
  FXSR: feature(1, 'edx', 24),
  SSE: feature(1, 'edx', 25),
  SSE2: feature(1, 'edx', 26),
  SSE3: feature(1, 'ecx', 0),
  PCLMULQDQ: feature(1, 'ecx', 1),
  MONITOR: feature(1, 'ecx', 3),
  VMX: feature(1, 'ecx', 5),
  SMX: feature(1, 'ecx', 6),
  SSSE3: feature(1, 'ecx', 9),
  FMA: feature(1, 'ecx', 12),
  SSE4_1: feature(1, 'ecx', 19),
  SSE4_2: feature(1, 'ecx', 20),
  AES: feature(1, 'ecx', 25),
  XSAVE: feature(1, 'ecx', 26),
  AVX: feature(1, 'ecx', 28),
  F16C: feature(1, 'ecx', 29),
  RDRAND: feature(1, 'ecx', 30),
  SEP: feature(1, 'edx', 11),
  SGX1: feature(7, 'ebx', 2),
  AVX2: feature(7, 'ebx', 5),
  INVPCID: feature(7, 'ebx', 10),
  RTM: feature(7, 'ebx', 11),
  HLE_or_RTM: feature(7, 'ebx', 11),
  AVX512F: feature(7, 'ebx', 16),
  RDSEED: feature(7, 'ebx', 18),
  SHA: feature(7, 'ebx', 29),
  PKU: feature(7, 'ecx', 3),
  WAITPKG: feature(7, 'ecx', 5),
  GFNI: feature(7, 'ecx', 8),
  VAES: feature(7, 'ecx', 9),
  VPCLMULQDQ: feature(7, 'ecx', 10),
  CET_SS: feature(7, 'ecx', 7), // RDSSP apart, a NOP without it: see execute/decode.ts
  KL: feature(7, 'ecx', 23),
  AESKLE: feature(7, 'ecx', 23),
  CLDEMOTE: feature(7, 'ecx', 25),
  MOVDIRI: feature(7, 'ecx', 27),
  MOVDIR64B: feature(7, 'ecx', 28),
  ENQCMD: feature(7, 'ecx', 29),
  UINTR: feature(7, 'edx', 5),
  SERIALIZE: feature(7, 'edx', 14),
  TSXLDTRK: feature(7, 'edx', 16),
  PCONFIG: feature(7, 'edx', 18),
  AMX_TILE: feature(7, 'edx', 24),
  RAO_INT: feature(7, 'eax', 3, 1),
  FRED: feature(7, 'eax', 17, 1),
  LKGS: feature(7, 'eax', 18, 1),
  WRMSRNS: feature(7, 'eax', 19, 1),
  HRESET: feature(7, 'eax', 22, 1),
  MSRLIST: feature(7, 'eax', 27, 1),
  XSAVEOPT: feature(0x0d, 'eax', 0, 1),
  XSAVEC: feature(0x0d, 'eax', 1, 1),
  XSAVES: feature(0x0d, 'eax', 3, 1),
  TSE: feature(7, 'ebx', 1, 1),
  OSS: feature(0x12, 'eax', 5),
  PTWRITE: feature(0x14, 'ebx', 4),
  SVM: feature(0x8000_0001, 'ecx', 2),
  SKINIT_or_SVM: feature(0x8000_0001, 'ecx', 2),
  SSE4A: feature(0x8000_0001, 'ecx', 6),
  XOP: feature(0x8000_0001, 'ecx', 11),
  LWP: feature(0x8000_0001, 'ecx', 15),
  FMA4: feature(0x8000_0001, 'ecx', 16),
  TBM: feature(0x8000_0001, 'ecx', 21),
  MONITORX: feature(0x8000_0001, 'ecx', 29),
  D3NOWEXT: feature(0x8000_0001, 'edx', 30),
  D3NOW: feature(0x8000_0001, 'edx', 31),
  CLZERO: feature(0x8000_0008, 'ebx', 0),
  INVLPGB: feature(0x8000_0008, 'ebx', 3),
  RDPRU: feature(0x8000_0008, 'ebx', 4),
  MCOMMIT: feature(0x8000_0008, 'ebx', 8),
  SEV_ES: feature(0x8000_001f, 'eax', 3),
  SEV_SNP: feature(0x8000_001f, 'eax', 4),
  RMPQUERY: feature(0x8000_001f, 'eax', 6),
};

/** Those that no processor here can have: of a secure-arbitration mode without a CPUID bit, and of another vendor. */
const NEVER = /^(TDX$|PADLOCK_)/;

/** Whether software may use every one of these extensions on the machine. */
export function reportsFeatures(definition: MachineDefinition, features: readonly string[]): boolean {
  return features.every((name) => {
    const bit = EXTENSIONS[name];
    if (NEVER.test(name)) return false;
    return bit === undefined || isShown(definition, bit);
  });
}

function isShown({ profile, plugins }: MachineDefinition, { leaf, subleaf = 0, register, bit }: FeatureBit): boolean {
  const isThere = (row: Omit<CpuidFeature, 'mask'>) =>
    row.leaf === leaf && (row.subleaf ?? 0) === subleaf && row.register === register;
  const modelled =
    FEATURES.some((row) => isThere(row) && row.bit === bit) ||
    plugins.some(({ cpuid = [] }) => cpuid.some((row) => isThere(row) && ((row.mask >>> bit) & 1) === 1));
  return modelled && ((lookUpCpuid(profile, leaf, subleaf)[register] >>> bit) & 1) === 1;
}
