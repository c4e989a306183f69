// What CPUID says about SVM (APM, volume 3, "Feature Identification"): every bit as a row, and whether this part models
// it. CPUID shows only what is modelled; whether a processor has something is asked of its profile.
import { type CpuidFeature, lookUpCpuid, type ProcessorProfile } from '@retrovisor/core';

const EXTENDED_FEATURES = 0x8000_0001;
const EXTENDED_SIZES = 0x8000_0008;
const SVM_FEATURES_LEAF = 0x8000_000a;

/** One field of a CPUID register. */
export interface SvmCpuidField {
  readonly leaf: number;
  readonly register: CpuidFeature['register'];
  /** Bit numbers, highest first, as printed. */
  readonly bits: readonly [high: number, low: number];
  readonly name: string;
  /** Software may see it. */
  readonly modelled?: true;
}

function bit(
  leaf: number,
  register: CpuidFeature['register'],
  number: number,
  name: string,
  modelled?: true,
): SvmCpuidField {
  return { leaf, register, bits: [number, number], name, ...(modelled && { modelled }) };
}

const feature = (number: number, name: string, modelled?: true) =>
  bit(SVM_FEATURES_LEAF, 'edx', number, name, modelled);

/** Every field that has to do with SVM, by leaf, register and bit. */
export const SVM_CPUID = [
  bit(EXTENDED_FEATURES, 'ecx', 2, 'SVM', true),
  bit(EXTENDED_FEATURES, 'ecx', 12, 'SKINIT'),
  bit(EXTENDED_SIZES, 'ebx', 3, 'INVLPGB'),
  { leaf: SVM_FEATURES_LEAF, register: 'eax', bits: [7, 0], name: 'SvmRev', modelled: true },
  { leaf: SVM_FEATURES_LEAF, register: 'ebx', bits: [31, 0], name: 'NASID', modelled: true },
  feature(0, 'NP', true),
  feature(1, 'LbrVirt'),
  feature(2, 'SVML', true),
  feature(3, 'NRIPS', true),
  feature(4, 'TscRateMsr', true),
  feature(5, 'VmcbClean', true),
  feature(6, 'FlushByAsid', true),
  feature(7, 'DecodeAssists', true),
  feature(8, 'PmcVirt'),
  feature(10, 'PauseFilter', true),
  feature(12, 'PauseFilterThreshold', true),
  feature(13, 'AVIC'),
  feature(15, 'VMSAVEvirt'),
  feature(16, 'VGIF', true),
  feature(17, 'GMET'),
  feature(18, 'x2AVIC'),
  feature(19, 'SSSCheck'),
  feature(20, 'SpecCtrl'),
  feature(21, 'ROGPT'),
  feature(23, 'HOST_MCE_OVERRIDE'),
  feature(24, 'TlbiCtl'),
  feature(25, 'VNMI', true),
  feature(26, 'IbsVirt'),
  feature(27, 'ExtLvtAvicAccessChg'),
  feature(28, 'NestedVirtVmcbAddrChk'),
  feature(29, 'BusLockThreshold'),
  feature(30, 'IdleHltIntercept'),
  feature(31, 'EnhancedShutdownIntercept'),
] as const satisfies readonly SvmCpuidField[];

const ONES = 0xffff_ffff;

function maskOf({ bits: [high, low] }: SvmCpuidField): number {
  return ((ONES >>> (31 - high)) & (ONES << low)) >>> 0;
}

/** What CPUID may show once the plugin is there. */
export const SHOWN_CPUID: readonly CpuidFeature[] = SVM_CPUID.flatMap((field: SvmCpuidField) =>
  field.modelled ? [{ leaf: field.leaf, register: field.register, mask: maskOf(field) }] : [],
);

type FeatureName = (typeof SVM_CPUID)[number]['name'];

const features = new WeakMap<ProcessorProfile, Map<FeatureName, boolean>>();

/** Whether the processor has a feature, whether or not it is modelled. */
export function hasFeature(profile: ProcessorProfile, name: FeatureName): boolean {
  let known = features.get(profile);
  if (known === undefined) {
    known = new Map();
    features.set(profile, known);
  }
  let has = known.get(name);
  if (has === undefined) {
    has = findFeature(profile, name);
    known.set(name, has);
  }
  return has;
}

function findFeature(profile: ProcessorProfile, name: FeatureName): boolean {
  const field = SVM_CPUID.find((candidate) => candidate.name === name);
  return field !== undefined && (lookUpCpuid(profile, field.leaf, 0)[field.register] & maskOf(field)) !== 0;
}

/** Whether the processor has SVM at all. */
export function hasSvm(profile: ProcessorProfile): boolean {
  return hasFeature(profile, 'SVM');
}
