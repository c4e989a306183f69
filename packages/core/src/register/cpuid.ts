// What CPUID returns on a machine: the profile's leaf, cut to what is modelled, with the bits that follow from the machine
// (its processors are one package of cores without threads) and from the processor's state.
import { localApicMode } from '../interrupt/local-apic-mode.js';
import { CYCLES_PER_SECOND } from '../interrupt/virtual-time.js';
import type { CpuidFeature } from '../plugin/define.js';
import type { MachineDefinition } from '../plugin/host.js';
import { lookUpCpuid } from '../profile/cpuid-lookup.js';
import type { CpuidLeaf } from '../profile/profile.js';
import type { Cpu } from '../state/cpu.js';
import { DATA_LEAVES, FEATURES } from './cpuid-features.js';
import { ENABLE_MONITOR_FSM } from './intel-msrs.js';

/** The four registers that CPUID returns, unsigned 32-bit numbers. */
export type CpuidResult = Readonly<Record<CpuidFeature['register'], number>>;

const REGISTERS = ['eax', 'ebx', 'ecx', 'edx'] as const;
/** AMD repeats these bits of leaf 01H EDX in leaf 8000_0001H EDX. */
const REPEATED_BY_AMD = 0x0183_f3ff;
const SYSCALL = 1 << 11;

/** Guests ask for the same few leaves again and again. No guest makes the machine remember more than these. */
const MOST_REMEMBERED = 256;
const remembered = new WeakMap<MachineDefinition, Map<string, CpuidLeaf>>();

/** Leaf and subleaf of a machine as far as they are the same on all its processors at all times. */
function modelledCpuid(definition: MachineDefinition, leaf: number, subleaf: number): CpuidLeaf {
  const leaves = remembered.get(definition) ?? new Map<string, CpuidLeaf>();
  const key = `${leaf}/${subleaf}`;
  const known = leaves.get(key) ?? cutToModelled(definition, leaf, subleaf);
  if (leaves.size === 0) remembered.set(definition, leaves);
  if (leaves.size < MOST_REMEMBERED) leaves.set(key, known);
  return known;
}

function cutToModelled(definition: MachineDefinition, leaf: number, subleaf: number): CpuidLeaf {
  const found = completed(definition, lookUpCpuid(definition.profile, leaf, subleaf));
  const shown = REGISTERS.map((register) => [
    register,
    (found[register] & shownBits(definition, found, register)) >>> 0,
  ]);
  return { ...found, ...(Object.fromEntries(shown) as CpuidResult) };
}

/** Intel dumps were taken by a 32-bit program, for which SYSCALL reads 0: a processor with long mode has it. */
function completed({ profile }: MachineDefinition, found: CpuidLeaf): CpuidLeaf {
  return found.leaf === 0x8000_0001 && profile.vendor === 'Intel'
    ? { ...found, edx: (found.edx | SYSCALL) >>> 0 }
    : found;
}

/** The bits of one register that core or a plugin answers for. */
function shownBits(
  definition: MachineDefinition,
  { leaf, subleaf = 0 }: CpuidLeaf,
  register: CpuidFeature['register'],
): number {
  if (DATA_LEAVES.get(leaf)?.includes(register) === true) return 0xffff_ffff;
  const ofPlugins = definition.plugins.flatMap(({ cpuid = [] }) => cpuid);
  const repeated = leaf === 0x8000_0001 && register === 'edx' && definition.profile.vendor === 'AMD';
  return [
    ...FEATURES.filter((row) => row.leaf === leaf && row.subleaf === subleaf && row.register === register).map(
      ({ bit }) => 1 << bit,
    ),
    ...ofPlugins
      .filter((row) => row.leaf === leaf && (row.subleaf ?? subleaf) === subleaf && row.register === register)
      .map(({ mask }) => mask),
    repeated ? shownBits(definition, { leaf: 1, eax: 0, ebx: 0, ecx: 0, edx: 0 }, 'edx') & REPEATED_BY_AMD : 0,
  ].reduce((bits, more) => bits | more, 0);
}

/** Whether software finds a feature bit set on this machine. */
export function hasFeature(definition: MachineDefinition, name: string): boolean {
  const row = FEATURES.find((candidate) => candidate.name === name);
  return row !== undefined && ((modelledCpuid(definition, row.leaf, row.subleaf)[row.register] >>> row.bit) & 1) === 1;
}

/** What CPUID returns on one processor now. */
export function cpuidOf(cpu: Cpu, leaf: number, subleaf: number): CpuidResult {
  const found = modelledCpuid(cpu.definition, leaf, subleaf);
  const { eax, ebx, ecx, edx } = ADJUSTMENTS.get(found.leaf)?.(found, cpu) ?? found;
  return { eax: eax >>> 0, ebx: ebx >>> 0, ecx: ecx >>> 0, edx: edx >>> 0 };
}

/** Bits that hold a number from 0 to `count` - 1. */
const widthOfCount = (count: number): number => Math.ceil(Math.log2(count));

type Adjustment = (leaf: CpuidLeaf, cpu: Cpu) => CpuidResult;

const HTT = 1 << 28;
const APIC = 1 << 9;
const MONITOR = 1 << 3;
const OSPKE = 1 << 4;
const OSXSAVE = 1 << 27;
/** HWCR.MonMwaitDis. */
const MON_MWAIT_DIS = 1n << 9n;

function hasMonitor(cpu: Cpu): boolean {
  if (cpu.profile.vendor === 'Intel') return (cpu.read('IA32_MISC_ENABLE') & ENABLE_MONITOR_FSM) !== 0n;
  return (cpu.read('HWCR') & MON_MWAIT_DIS) === 0n;
}

/** The processor's APIC ID is its number; the APIC bit follows IA32_APIC_BASE, some bits of ECX what software switched. */
const featureInformation: Adjustment = (leaf, cpu) => {
  const { processors } = cpu.definition;
  const id = (cpu.id & 0xff) << 24;
  const count = Math.min(processors, 0xff) << 16;
  const absent = (processors > 1 ? 0 : HTT) | (localApicMode(cpu) === 'disabled' ? APIC : 0);
  return {
    ...leaf,
    ebx: (leaf.ebx & 0xffff) | id | count,
    ecx: (hasMonitor(cpu) ? leaf.ecx : leaf.ecx & ~MONITOR) | (cpu.CR4.OSXSAVE ? OSXSAVE : 0),
    edx: leaf.edx & ~absent,
  };
};

/** Leaf 07H: OSPKE says that software set CR4.PKE. */
const extendedFeatureFlags: Adjustment = (leaf, cpu) =>
  (leaf.subleaf ?? 0) === 0 && cpu.CR4.PKE ? { ...leaf, ecx: leaf.ecx | OSPKE } : leaf;

/** Bytes of an XSAVE area: the legacy region and the header, which is all that x87 and SSE need, in either format. */
const XSAVE_AREA_BYTES = 576;

/** Leaf 0DH: what the area of the enabled components takes, and of all; subleaf 1, of the compacted format. */
const extendedState: Adjustment = (leaf) => {
  const { subleaf = 0 } = leaf;
  if (subleaf > 1 || leaf.eax === 0) return { ...leaf, ebx: 0, ecx: 0, edx: 0 };
  return { ...leaf, ebx: XSAVE_AREA_BYTES, ecx: subleaf === 0 ? XSAVE_AREA_BYTES : 0, edx: 0 };
};

/** Leaf 04H: levels 1 and 2 belong to one core, level 3 to all; EAX[31:26] counts cores, EAX[25:14] sharers, less one. */
const intelCaches: Adjustment = (leaf, cpu) => ({
  ...leaf,
  eax: withSharers(leaf, cpu, 0xfff) | coresLessOne(leaf, cpu),
});
const amdCaches: Adjustment = (leaf, cpu) => ({ ...leaf, eax: withSharers(leaf, cpu, 0xfff) });

function withSharers({ eax }: CpuidLeaf, cpu: Cpu, most: number): number {
  const level = (eax >>> 5) & 7;
  const sharers = level < 3 ? 0 : Math.min(cpu.definition.processors - 1, most);
  return (eax & 0x3fff) | (sharers << 14);
}

function coresLessOne({ eax }: CpuidLeaf, cpu: Cpu): number {
  return (eax & 0x1f) === 0 ? 0 : Math.min(cpu.definition.processors - 1, 0x3f) << 26;
}

/** Leaf 15H: the time-stamp counter and the clock behind the local APIC's timer have one rate, whatever the processor's is. */
const clockRates: Adjustment = (leaf) =>
  leaf.eax === 0 ? leaf : { eax: 1, ebx: 1, ecx: CYCLES_PER_SECOND, edx: leaf.edx };

/** Leaves that enumerate levels: one thread a core, then all cores. */
const topology: Adjustment = ({ subleaf = 0, ecx }, cpu) => {
  const { processors } = cpu.definition;
  const level = subleaf & 0xff;
  const edx = cpu.id;
  if (level === 0) return { eax: 0, ebx: 1, ecx: 0x100, edx };
  if (level === 1) return { eax: widthOfCount(processors), ebx: processors, ecx: 0x201, edx };
  return { eax: 0, ebx: 0, ecx: ecx & 0xff, edx };
};

/** Leaf 8000_0008H: on AMD processors ECX has the width of an APIC ID and the number of threads, less one. */
const addressSizes: Adjustment = (leaf, cpu) => {
  const { processors } = cpu.definition;
  const amd = cpu.profile.vendor === 'AMD';
  return { ...leaf, ecx: amd ? (widthOfCount(processors) << 12) | Math.min(processors - 1, 0xff) : leaf.ecx };
};

/** Outside 64-bit mode Intel processors do not report SYSCALL, which they lack there. */
const extendedFeatures: Adjustment = (leaf, cpu) =>
  cpu.profile.vendor === 'Intel' && cpu.mode !== '64-bit' ? { ...leaf, edx: leaf.edx & ~SYSCALL } : leaf;

const ADJUSTMENTS: ReadonlyMap<number, Adjustment> = new Map([
  [0x01, featureInformation],
  [0x04, intelCaches],
  [0x07, extendedFeatureFlags],
  [0x0b, topology],
  [0x0d, extendedState],
  [0x15, clockRates],
  [0x1f, topology],
  [0x8000_0001, extendedFeatures],
  [0x8000_0008, addressSizes],
  [0x8000_001d, amdCaches],
  [0x8000_001e, (leaf, cpu) => ({ ...leaf, eax: cpu.id, ebx: cpu.id & 0xff, ecx: 0 })],
  [0x8000_0026, topology],
]);
