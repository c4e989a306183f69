// What the checks of VM entry ask of a processor: widths of addresses, capability MSRs, features, and the reserved bits
// of the MSRs that a VMCS has fields for. All of it follows from the profile and is computed once.
import { lookUpCpuid, type ProcessorProfile } from '@retrovisor/core';
import { VMX_BASIC, VMX_MISC } from '../capability-bits.js';
import { type CapabilityMsr, capability } from '../capability-msrs.js';
import type { ControlGroup } from '../controls.js';

/** A value of 64 bits in halves; unsigned. */
export interface Halves {
  readonly low: number;
  readonly high: number;
}

/** Settings that a word of controls may have: bits that may be 1, and bits that must be. */
interface AllowedSettings {
  readonly mayBeOne: Halves;
  readonly mustBeOne: Halves;
}

/** A processor as the checks of VM entry see it. */
export interface EntryProcessor {
  readonly profile: ProcessorProfile;
  /** MAXPHYADDR, in bits. */
  readonly physicalAddressWidth: number;
  /** The same for addresses of structures that a VMCS points to: 32 where IA32_VMX_BASIC[48] limits them. */
  readonly structureAddressWidth: number;
  /** Bits of a canonical address: 48, or 57 on a processor with 5-level paging, whatever CR4.LA57 is. */
  readonly linearAddressWidth: number;
  capability(name: CapabilityMsr): Halves;
  /** With the default1 bits of the TRUE capability MSRs where those exist. */
  allowed(group: ControlGroup): AllowedSettings;
  has(feature: Feature): boolean;
  /** Bits that are reserved in an MSR. */
  reserved(msr: ReservingMsr): Halves;
}

/** Features that decide what is reserved, by the register of CPUID. */
const FEATURES = {
  'bus-lock detection': [0x07, 0, 'ecx', 24],
  CET_IBT: [0x07, 0, 'edx', 20],
  CET_SS: [0x07, 0, 'ecx', 7],
  'debug store': [0x01, 0, 'edx', 21],
  'execute disable': [0x8000_0001, 0, 'edx', 20],
  'Intel 64': [0x8000_0001, 0, 'edx', 29],
  IPRED_CTRL: [0x07, 2, 'edx', 1],
  RRSBA_CTRL: [0x07, 2, 'edx', 2],
  BHI_CTRL: [0x07, 2, 'edx', 4],
  RTM: [0x07, 0, 'ebx', 11],
  SGX: [0x07, 0, 'ebx', 2],
  SSBD: [0x07, 0, 'edx', 31],
  STIBP: [0x07, 0, 'edx', 27],
} as const;

type Feature = keyof typeof FEATURES;

const PROCESSORS = new WeakMap<ProcessorProfile, EntryProcessor>();

/**
 * The processor of a profile.
 * @example processorOf(findProfile('intel-server')).linearAddressWidth // 57
 */
export function processorOf(profile: ProcessorProfile): EntryProcessor {
  const known = PROCESSORS.get(profile) ?? describe(profile);
  PROCESSORS.set(profile, known);
  return known;
}

function describe(profile: ProcessorProfile): EntryProcessor {
  const has = (feature: Feature) => hasFeature(profile, feature);
  const limited = VMX_BASIC.read(capability(profile, 'IA32_VMX_BASIC'), '32-bit physical addresses') === 1;
  return Object.freeze({
    profile,
    physicalAddressWidth: profile.physicalAddressWidth,
    structureAddressWidth: limited ? 32 : profile.physicalAddressWidth,
    linearAddressWidth: profile.linearAddressWidth,
    capability: remembered((name: CapabilityMsr) => halvesOf(capability(profile, name))),
    allowed: remembered((group: ControlGroup) => allowedSettings(profile, group)),
    has: remembered(has),
    reserved: remembered((msr: ReservingMsr) => halvesOf(BigInt.asUintN(64, ~WRITABLE[msr](profile, has)))),
  });
}

function remembered<Key, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const values = new Map<Key, Value>();
  return (key) => {
    const known = values.get(key);
    if (known !== undefined) return known;
    const value = compute(key);
    values.set(key, value);
    return value;
  };
}

export function halvesOf(value: bigint): Halves {
  return { low: Number(BigInt.asUintN(32, value)), high: Number(BigInt.asUintN(32, value >> 32n)) };
}

/** Registers of a leaf; 0 where the processor has no such leaf, for which CPUID answers with another. */
function leafOf(profile: ProcessorProfile, leaf: number, subleaf: number): ReturnType<typeof lookUpCpuid> {
  const found = lookUpCpuid(profile, leaf, subleaf);
  return found.leaf === leaf ? found : { leaf, eax: 0, ebx: 0, ecx: 0, edx: 0 };
}

function hasFeature(profile: ProcessorProfile, feature: Feature): boolean {
  const [leaf, subleaf, register, bit] = FEATURES[feature];
  return ((leafOf(profile, leaf, subleaf)[register] >>> bit) & 1) === 1;
}

function allowedSettings(profile: ProcessorProfile, group: ControlGroup): AllowedSettings {
  const hasTrue = VMX_BASIC.read(capability(profile, 'IA32_VMX_BASIC'), 'TRUE capability MSRs') === 1;
  const reported = capability(profile, hasTrue ? (group.trueCapability ?? group.capability) : group.capability);
  const { low, high } = halvesOf(reported);
  if (group.format === 'allowed 1-settings') return { mayBeOne: { low, high }, mustBeOne: { low: 0, high: 0 } };
  return { mayBeOne: { low: high, high: 0 }, mustBeOne: { low, high: 0 } };
}

type Writable = (profile: ProcessorProfile, has: (feature: Feature) => boolean) => bigint;

const bit = (number: number, is = true): bigint => (is ? 1n << BigInt(number) : 0n);
const bits = (high: number, low: number): bigint => ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
const BASE = bits(63, 12);

/** By MSR: the bits that are not reserved. */
const WRITABLE = {
  IA32_EFER: (_profile, has) =>
    bit(0, has('Intel 64')) | bit(8, has('Intel 64')) | bit(10, has('Intel 64')) | bit(11, has('execute disable')),
  // LBR, BTF, BLD; TR, BTS, BTINT, BTS_OFF_OS, BTS_OFF_USR; FREEZE_LBRS_ON_PMI to FREEZE_WHILE_SMM; RTM
  IA32_DEBUGCTL: (_profile, has) =>
    bits(1, 0) |
    bit(2, has('bus-lock detection')) |
    (has('debug store') ? bits(10, 6) : 0n) |
    bits(14, 11) |
    bit(15, has('RTM')),
  IA32_PERF_GLOBAL_CTRL: performanceCounters,
  IA32_S_CET: (_profile, has) =>
    (has('CET_SS') ? bits(1, 0) : 0n) | (has('CET_IBT') ? bits(5, 2) | bits(11, 10) | BASE : 0n),
  IA32_BNDCFGS: () => bits(1, 0) | BASE,
  IA32_SPEC_CTRL: (_profile, has) =>
    bit(0) |
    bit(1, has('STIBP')) |
    bit(2, has('SSBD')) |
    (has('IPRED_CTRL') ? bits(4, 3) : 0n) |
    (has('RRSBA_CTRL') ? bits(6, 5) : 0n) |
    bit(10, has('BHI_CTRL')),
  IA32_RTIT_CTL: tracing,
  // LBREn, OS, USR, CALL_STACK, and the filters of branches
  IA32_LBR_CTL: () => bits(3, 0) | bits(22, 16),
  // CSL, the size of the protected area, and the address of the event handler; not bits 2, 5:4 and 11
  IA32_FRED_CONFIG: () => bits(1, 0) | bit(3) | bits(10, 6) | BASE,
} as const satisfies Readonly<Record<string, Writable>>;

/** An MSR whose field is checked for reserved bits. */
export type ReservingMsr = keyof typeof WRITABLE;

/** Leaf 0AH: EAX[15:8] general-purpose counters, EDX[4:0] fixed-function counters, ECX those by bit. */
function performanceCounters(profile: ProcessorProfile): bigint {
  const { eax, ecx, edx } = leafOf(profile, 0x0a, 0);
  if ((eax & 0xff) < 2) return 0n;
  const general = bits(((eax >>> 8) & 0xff) - 1, 0);
  const counters = edx & 0x1f;
  const fixed = (counters > 0 ? bits(counters - 1, 0) : 0n) | BigInt(ecx >>> 0);
  return general | (fixed << 32n);
}

/** Leaf 14H says which bits of IA32_RTIT_CTL a processor has. */
function tracing(profile: ProcessorProfile): bigint {
  const { eax: subleaves, ebx, ecx } = leafOf(profile, 0x14, 0);
  const ranges = subleaves >= 1 ? leafOf(profile, 0x14, 1).eax & 7 : 0;
  const has = (register: number, number: number) => ((register >>> number) & 1) === 1;
  return (
    bit(0) |
    bits(3, 2) |
    bits(11, 10) |
    bit(13) |
    (has(ebx, 0) ? bit(7) : 0n) | // CR3Filter
    (has(ebx, 1) ? bit(1) | bits(22, 19) | bits(27, 24) : 0n) | // CYCEn, CycThresh, PSBFreq
    (has(ebx, 3) ? bit(9) | bits(17, 14) : 0n) | // MTCEn, MTCFreq
    (has(ebx, 4) ? bit(12) | bit(5) : 0n) | // PTWEn, FUPonPTW
    (has(ebx, 5) ? bit(4) : 0n) | // PwrEvtEn
    (has(ecx, 0) ? bit(8) : 0n) | // ToPA
    (has(ecx, 3) ? bit(6) : 0n) | // FabricEn
    (ranges > 0 ? bits(31 + 4 * ranges, 32) : 0n)
  );
}

/** Whether a processor has an activity state (IA32_VMX_MISC[8:6]); active it may always be. */
export function hasActivityState(processor: EntryProcessor, activity: number): boolean {
  if (activity === 0) return true;
  return activity <= 3 && ((processor.capability('IA32_VMX_MISC').low >>> (5 + activity)) & 1) === 1;
}

/** CR3-target values (IA32_VMX_MISC[24:16]). */
export function cr3TargetValues(processor: EntryProcessor): number {
  return VMX_MISC.read(BigInt(processor.capability('IA32_VMX_MISC').low), 'CR3-target values');
}
