// Processors that the checks of VM entry are tested on: the profiles, one that allows everything that has a name, and one
// that lacks what the profiles have.
import { type CpuidLeaf, findProfile, type ProcessorProfile } from '@retrovisor/core';

const SERVER = findProfile('intel-server');

function withCpuid(profile: ProcessorProfile, change: (row: CpuidLeaf) => Partial<CpuidLeaf>): ProcessorProfile {
  return { ...profile, cpuid: profile.cpuid.map((row) => ({ ...row, ...change(row) })) };
}

const isSubleaf = ({ leaf, subleaf = 0 }: CpuidLeaf, wantedLeaf: number, wanted = 0) =>
  leaf === wantedLeaf && subleaf === wanted;

/** SGX, RTM, and every control, FRED included. */
const complete: ProcessorProfile = {
  ...withCpuid(SERVER, (row) => (isSubleaf(row, 7) ? { ebx: row.ebx | (1 << 2) | (1 << 11) } : {})),
  name: 'complete',
  msrs: {
    ...SERVER.msrs,
    1153: 0x0000_00ff_0000_0016n,
    1154: 0xffff_fffe_0401_e172n,
    1155: 0xffff_ffff_0003_6dffn,
    1156: 0x01ff_ffff_0000_11ffn,
    1161: 0x0000_0001_1fff_7fffn,
    1163: 0xffff_ffff_0000_0000n,
    1165: 0x0000_00ff_0000_0016n,
    1166: 0xffff_fffe_0400_6172n,
    1167: 0xffff_ffff_0003_6dfbn,
    1168: 0x01ff_ffff_0000_11fbn,
    1170: 0x1ffn,
    1171: 0xfn,
  },
};

/** No feature of EPT but walks of length 4 and write-back, no activity state but active, error codes are checked. */
const limited: ProcessorProfile = {
  ...withCpuid(SERVER, (row) =>
    isSubleaf(row, 7) ? { ecx: row.ecx & ~((1 << 24) | (1 << 7)), ebx: row.ebx & ~0x804 } : {},
  ),
  name: 'limited',
  linearAddressWidth: 48,
  msrs: {
    ...SERVER.msrs,
    1152: (SERVER.msrs[0x480] ?? 0n) & ~(1n << 56n),
    1154: 0xf7f9_fffe_0401_e172n, // no monitor trap flag, no tertiary controls
    1166: 0xf7f9_fffe_0400_6172n,
    1157: 0x0004_0027n,
    1164: 0x0000_4040n,
  },
};

export const PROCESSORS = {
  'intel-server': SERVER,
  'intel-sapphire-rapids': findProfile('intel-sapphire-rapids'),
  'intel-gulftown': findProfile('intel-gulftown'),
  'intel-conroe': findProfile('intel-conroe'),
  complete,
  limited,
} as const;

export type ProcessorName = keyof typeof PROCESSORS;

/** Those on which every base state is valid. */
export const MODERN: readonly ProcessorName[] = ['intel-server', 'intel-sapphire-rapids', 'complete', 'limited'];
