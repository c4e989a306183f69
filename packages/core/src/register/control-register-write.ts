// Which bits CR0, CR4 and EFER take on a machine (SDM, "Control Registers"): those of the profile's features that core
// models, and those that plugins add; and the one way in which a control register takes a value.
import { GP, raise } from '../interrupt/exceptions.js';
import { havePdptesReservedBits, pdptesLoadedBy, setPdptes } from '../memory/pdpte-registers.js';
import { currentPcid, EVERYTHING, type Invalidation } from '../memory/translation-buffer.js';
import type { RegisterBitExtension } from '../plugin/define.js';
import type { MachineDefinition } from '../plugin/host.js';
import type { Cpu } from '../state/cpu.js';
import { CR0, CR4, EFER } from './control-registers.js';
import { hasFeature } from './cpuid.js';

type ExtensibleRegister = RegisterBitExtension['register'];

/** What a bit needs: the name of a feature in cpuid-features.ts, always there, or not modelled by core. */
type Need = string | true;

const CR0_NEEDS: Readonly<Record<string, Need>> = Object.fromEntries(Object.keys(CR0.bits).map((name) => [name, true]));

/** Bits that are not listed (VMXE, CET …) are reserved until something models them. */
const CR4_NEEDS: Readonly<Record<string, Need>> = {
  VME: 'VME',
  PVI: 'VME',
  TSD: 'TSC',
  DE: 'DE',
  PSE: 'PSE',
  PAE: 'PAE',
  MCE: 'MCE',
  PGE: 'PGE',
  PCE: true,
  OSFXSR: 'FXSR',
  OSXMMEXCPT: 'SSE',
  UMIP: 'UMIP',
  LA57: 'LA57',
  FSGSBASE: 'FSGSBASE',
  PCIDE: 'PCID',
  OSXSAVE: 'XSAVE',
  SMEP: 'SMEP',
  SMAP: 'SMAP',
  PKE: 'PKU',
  PKS: 'PKS',
};

const EFER_NEEDS: Readonly<Record<string, Need>> = {
  SCE: 'SYSCALL',
  LME: 'LM',
  LMA: 'LM',
  NXE: 'NX',
  FFXSR: 'FFXSR',
  TCE: 'TCE',
};

const TABLES = { CR0: [CR0.bits, CR0_NEEDS], CR4: [CR4.bits, CR4_NEEDS], IA32_EFER: [EFER.bits, EFER_NEEDS] } as const;

const CACHE = new WeakMap<MachineDefinition, Partial<Record<ExtensibleRegister, bigint>>>();

/** The bits of a register that software may set on this machine. */
export function allowedBits(definition: MachineDefinition, register: ExtensibleRegister): bigint {
  let known = CACHE.get(definition);
  if (known === undefined) {
    known = {};
    CACHE.set(definition, known);
  }
  known[register] ??= computeAllowedBits(definition, register);
  return known[register];
}

function computeAllowedBits(definition: MachineDefinition, register: ExtensibleRegister): bigint {
  const [bits, needs]: readonly [Readonly<Record<string, number>>, Readonly<Record<string, Need>>] = TABLES[register];
  const ofCore = Object.entries(needs).flatMap(([name, need]) =>
    need === true || hasFeature(definition, need) ? (bits[name] ?? []) : [],
  );
  const ofPlugins = extensionsOf(definition, register).map(({ bit }) => bit);
  return [...ofCore, ...ofPlugins].reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
}

function extensionsOf(
  { plugins, profile }: MachineDefinition,
  register: ExtensibleRegister,
): readonly RegisterBitExtension[] {
  const all = plugins.flatMap(({ registerBits = [] }) => registerBits);
  return all.filter((extension) => extension.register === register && (extension.existsWhen?.(profile) ?? true));
}

/** Tells plugins of their bits that a value would change; they may raise. */
export function announceChange(cpu: Cpu, register: ExtensibleRegister, value: bigint): void {
  const changed = cpu.read(register) ^ value;
  for (const { bit, beforeChange } of extensionsOf(cpu.definition, register)) {
    if (((changed >> BigInt(bit)) & 1n) === 1n) beforeChange?.(cpu, ((value >> BigInt(bit)) & 1n) === 1n);
  }
}

const ET = 1n << BigInt(CR0.bits.ET);
/** Bit 63 of a value for CR3 asks that translations be kept; it is not stored. */
const NO_FLUSH = 63;
const CR3_STORED = (1n << BigInt(NO_FLUSH)) - 1n;
const PCID = 0xfffn;

/** What a control register holds after a write: CR0.ET reads as 1 and reserved bits of CR0 as 0. */
function storedValue(cpu: Cpu, register: 'CR0' | 'CR2' | 'CR3' | 'CR4' | 'CR8', value: bigint): bigint {
  if (register === 'CR0') return (value & allowedBits(cpu.definition, 'CR0')) | ET;
  return register === 'CR3' ? value & CR3_STORED : value;
}

export type ControlRegisterName = 'CR0' | 'CR2' | 'CR3' | 'CR4' | 'CR8';

/** The value that plugins let through: they may raise, or give another one. */
function askOfAccess(cpu: Cpu, register: ControlRegisterName, write: boolean, wanted: bigint): bigint {
  let value = wanted;
  for (const intercept of cpu.definition.intercepts.controlRegister)
    value = intercept(cpu, { register, write, value }) ?? value;
  return value;
}

/** What software reads of a control register. */
export function readControlRegister(cpu: Cpu, register: ControlRegisterName): bigint {
  return askOfAccess(cpu, register, false, cpu.read(register));
}

/**
 * Gives a control register a value that passed the checks of its instruction: asks the plugins, which may raise, then
 * stores. Paging that begins or ends with EFER.LME set activates or leaves IA-32e mode; PAE paging loads its PDPTE
 * registers, or raises #GP(0) for a reserved bit in one of them.
 */
export function writeControlRegister(cpu: Cpu, register: ControlRegisterName, wanted: bigint): void {
  const value = askOfAccess(cpu, register, true, wanted);
  const stored = storedValue(cpu, register, value);
  if (register === 'CR0' || register === 'CR4') announceChange(cpu, register, stored);
  const pdptes = register === 'CR2' || register === 'CR8' ? undefined : pdptesLoadedBy(cpu, register, stored);
  if (pdptes !== undefined && havePdptesReservedBits(cpu, pdptes)) raise(GP(0), 'core.mov-cr.pdpte-reserved');
  const what = invalidatedBy(cpu, register, value);
  const active = cpu.EFER.LME && ((stored >> BigInt(CR0.bits.PG)) & 1n) === 1n;
  if (register === 'CR0' && cpu.EFER.LMA !== active) cpu.EFER.LMA = active;
  cpu.set(register, stored);
  if (pdptes !== undefined) setPdptes(cpu, pdptes);
  if (what !== undefined) cpu.draft.flushTlb(what);
}

const has = (value: bigint, bit: number): boolean => ((value >> BigInt(bit)) & 1n) === 1n;

/** SDM, "Operations that Invalidate TLBs and Paging-Structure Caches": what a write of a control register does. */
function invalidatedBy(cpu: Cpu, register: string, value: bigint): Invalidation | undefined {
  const { PGE, PAE, SMEP, PCIDE } = CR4.bits;
  if (register === 'CR0') return cpu.CR0.PG && !has(value, CR0.bits.PG) ? EVERYTHING : undefined;
  if (register === 'CR3') {
    const keeps = cpu.CR4.PCIDE && has(value, NO_FLUSH);
    return keeps ? undefined : { pcid: cpu.CR4.PCIDE ? Number(value & PCID) : 0, globals: false };
  }
  if (register !== 'CR4') return undefined;
  const changed = cpu.CR4.value ^ value;
  if (has(changed, PGE) || (has(changed, PCIDE) && cpu.CR4.PCIDE)) return EVERYTHING;
  if (has(changed, PAE) || (has(changed, SMEP) && !cpu.CR4.SMEP)) return { pcid: currentPcid(cpu), globals: true };
  return undefined;
}
