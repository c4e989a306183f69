// Which instruction-set extensions a machine reports: an instruction of one that it does not report is #UD, however well
// its bytes decode. Extensions that are always reported, or that have no CPUID bit, are not listed.

import type { CpuidFeature } from '../plugin/define.js';
import type { MachineDefinition } from '../plugin/host.js';
import { lookUpCpuid } from '../profile/cpuid-lookup.js';

type FeatureBit = Omit<CpuidFeature, 'mask'> & { readonly bit: number };

const feature = (leaf: number, register: FeatureBit['register'], bit: number): FeatureBit => ({ leaf, register, bit });

/** By the name that iced-x86 gives the extension. These are shown only by a plugin that models them. */
const PLUGIN_FEATURES: Readonly<Record<string, FeatureBit>> = {
  VMX: feature(1, 'ecx', 5),
  SMX: feature(1, 'ecx', 6),
  SVM: feature(0x8000_0001, 'ecx', 2),
  AVX: feature(1, 'ecx', 28),
  AVX2: feature(7, 'ebx', 5),
  AVX512F: feature(7, 'ebx', 16),
  FMA: feature(1, 'ecx', 12),
  F16C: feature(1, 'ecx', 29),
  XOP: feature(0x8000_0001, 'ecx', 11),
  FMA4: feature(0x8000_0001, 'ecx', 16),
  TBM: feature(0x8000_0001, 'ecx', 21),
  AMX_TILE: feature(7, 'edx', 24),
};

/** Whether software may use every one of these extensions on the machine. */
export function reportsFeatures(definition: MachineDefinition, features: readonly string[]): boolean {
  return features.every((name) => {
    const bit = PLUGIN_FEATURES[name];
    return bit === undefined || isShown(definition, bit);
  });
}

function isShown({ profile, plugins }: MachineDefinition, { leaf, register, bit }: FeatureBit): boolean {
  const modelled = plugins.some(({ cpuid = [] }) =>
    cpuid.some((row) => row.leaf === leaf && row.register === register && ((row.mask >>> bit) & 1) === 1),
  );
  return modelled && ((lookUpCpuid(profile, leaf, 0)[register] >>> bit) & 1) === 1;
}
