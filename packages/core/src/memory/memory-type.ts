// SDM, "Memory Type Range Registers (MTRRs)" and "Page Attribute Table (PAT)": the memory type of an address. Nothing is
// cached here, so that a type changes no run: this says what software asked for. Left out: SMRRs, and AMD's SYSCFG, IORRs
// and TOP_MEM.
import { UsageError } from '../error.js';
import { GuestFault } from '../interrupt/exceptions.js';
import type { MachineDefinition } from '../plugin/host.js';
import type { Cpu } from '../state/cpu.js';
import { MachineDraft } from '../state/draft.js';
import type { MachineState } from '../state/machine.js';
import { pagingContextOf } from '../state/paging-context.js';
import { withWorkbench } from '../state/workbench-pool.js';
import { findPage, physicalAt } from './paging.js';

/** UC- is uncacheable, but gives way to WC of an MTRR; only IA32_PAT has it. */
export type MemoryType = 'UC' | 'UC-' | 'WC' | 'WT' | 'WP' | 'WB';

/** The memory type of an address and what it was made of. */
export interface EffectiveMemoryType {
  readonly type: Exclude<MemoryType, 'UC-'>;
  readonly physical: number;
  /** What the MTRRs say of the physical address. */
  readonly mtrr: Exclude<MemoryType, 'UC-'>;
  /** What the entry of IA32_PAT says that the page chooses with its PAT, PCD and PWT bits; absent without paging. */
  readonly pat?: MemoryType;
}

/** By encoding. */
const TYPES: Readonly<Record<number, MemoryType>> = { 0: 'UC', 1: 'WC', 4: 'WT', 5: 'WP', 6: 'WB', 7: 'UC-' };

/** "Effective Page-Level Memory Types": by the type of the MTRRs, then by that of the PAT. */
const EFFECTIVE: Readonly<
  Record<Exclude<MemoryType, 'UC-'>, Readonly<Record<MemoryType, Exclude<MemoryType, 'UC-'>>>>
> = {
  UC: { UC: 'UC', 'UC-': 'UC', WC: 'WC', WT: 'UC', WB: 'UC', WP: 'UC' },
  WC: { UC: 'UC', 'UC-': 'WC', WC: 'WC', WT: 'UC', WB: 'WC', WP: 'UC' },
  WT: { UC: 'UC', 'UC-': 'UC', WC: 'WC', WT: 'WT', WB: 'WT', WP: 'WP' },
  WB: { UC: 'UC', 'UC-': 'UC', WC: 'WC', WT: 'WT', WB: 'WB', WP: 'WP' },
  WP: { UC: 'UC', 'UC-': 'WC', WC: 'WC', WT: 'WT', WB: 'WP', WP: 'WP' },
};

/** The fixed ranges: first address, bytes a field, name. Each register has eight fields of a byte. */
const FIXED_RANGES = [
  [0x0_0000, 0x1_0000, 'IA32_MTRR_FIX64K_00000'],
  [0x8_0000, 0x4000, 'IA32_MTRR_FIX16K_80000'],
  [0xa_0000, 0x4000, 'IA32_MTRR_FIX16K_A0000'],
  [0xc_0000, 0x1000, 'IA32_MTRR_FIX4K_C0000'],
  [0xc_8000, 0x1000, 'IA32_MTRR_FIX4K_C8000'],
  [0xd_0000, 0x1000, 'IA32_MTRR_FIX4K_D0000'],
  [0xd_8000, 0x1000, 'IA32_MTRR_FIX4K_D8000'],
  [0xe_0000, 0x1000, 'IA32_MTRR_FIX4K_E0000'],
  [0xe_8000, 0x1000, 'IA32_MTRR_FIX4K_E8000'],
  [0xf_0000, 0x1000, 'IA32_MTRR_FIX4K_F0000'],
  [0xf_8000, 0x1000, 'IA32_MTRR_FIX4K_F8000'],
] as const;
const FIXED_END = 0x10_0000;

/** IA32_MTRR_DEF_TYPE: E and FE. IA32_MTRRCAP: number of variable ranges. IA32_MTRR_PHYSMASK0 and the like: valid. */
const ENABLED = 1n << 11n;
const FIXED_ENABLED = 1n << 10n;
const VARIABLE_RANGES = 0xffn;
const VALID = 1n << 11n;
const TYPE = 0xffn;
const ADDRESS = 0xf_ffff_ffff_f000n;

/** Of a paging-structure entry that maps a page: PWT, PCD, and PAT at bit 7, or at bit 12 of a large page. */
const [PWT, PCD, PAT_4K, PAT_LARGE] = [0x8, 0x10, 0x80, 0x1000];

const named = (encoding: bigint): MemoryType => TYPES[Number(encoding & TYPE)] ?? 'UC';
/** No MTRR takes UC-. */
const ofMtrr = (encoding: bigint): Exclude<MemoryType, 'UC-'> => {
  const type = named(encoding);
  return type === 'UC-' ? 'UC' : type;
};

/**
 * The memory type of a linear or a physical address on a processor of a state; undefined for a linear address that no page
 * maps. A physical address is up to 52 bits.
 * @throws UsageError UNKNOWN_PROCESSOR if there is no such processor
 * @example memoryTypeOf(machine.definition, machine.state, 0, { linear: 0xb8000n })?.type // 'UC'
 */
export function memoryTypeOf(
  definition: MachineDefinition,
  state: MachineState,
  processor: number,
  address: { readonly linear: bigint } | { readonly physical: number },
): EffectiveMemoryType | undefined {
  if (state.processors[processor] === undefined)
    throw new UsageError('UNKNOWN_PROCESSOR', { processor }, `there is no processor ${processor}`);
  return withWorkbench((bench) => {
    const cpu = new MachineDraft(definition, bench, state).activate(processor);
    if ('linear' in address) return ofLinear(cpu, address.linear);
    const mtrr = mtrrTypeOf(cpu, address.physical);
    return { type: withCacheDisable(cpu, mtrr), physical: address.physical, mtrr };
  });
}

/** "Precedence of Cache Controls": with CR0.CD nothing is cached, whatever the others say. */
const withCacheDisable = (cpu: Cpu, type: EffectiveMemoryType['type']): EffectiveMemoryType['type'] =>
  cpu.CR0.CD ? 'UC' : type;

function ofLinear(cpu: Cpu, linear: bigint): EffectiveMemoryType | undefined {
  const context = pagingContextOf(cpu);
  if (context.mode === 'none') {
    const physical = Number(BigInt.asUintN(32, linear));
    const mtrr = mtrrTypeOf(cpu, physical);
    return { type: withCacheDisable(cpu, mtrr), physical, mtrr };
  }
  const [low, high] = [Number(BigInt.asIntN(32, linear)), Number(BigInt.asIntN(32, linear >> 32n))];
  try {
    const page = findPage(cpu.draft.memory, context, low, high, 'read');
    const physical = physicalAt(context, page, low, high);
    const mtrr = mtrrTypeOf(cpu, physical);
    const pat = patTypeOf(cpu, page.entries.at(-1)?.low ?? 0, page.shift);
    return { type: withCacheDisable(cpu, EFFECTIVE[mtrr][pat]), physical, mtrr, pat };
  } catch (thrown) {
    if (thrown instanceof GuestFault) return undefined;
    throw thrown;
  }
}

function patTypeOf(cpu: Cpu, entry: number, shift: number): MemoryType {
  const pat = (entry & (shift === 12 ? PAT_4K : PAT_LARGE)) !== 0 ? 4 : 0;
  const index = pat + ((entry & PCD) !== 0 ? 2 : 0) + ((entry & PWT) !== 0 ? 1 : 0);
  return named(cpu.read('IA32_PAT') >> BigInt(8 * index));
}

/** "MTRR Precedences": disabled, fixed, variable, default. */
function mtrrTypeOf(cpu: Cpu, physical: number): Exclude<MemoryType, 'UC-'> {
  const defaultType = cpu.read('IA32_MTRR_DEF_TYPE');
  if ((defaultType & ENABLED) === 0n) return 'UC';
  if (physical < FIXED_END && (defaultType & FIXED_ENABLED) !== 0n) return fixedTypeOf(cpu, physical);
  return variableTypeOf(cpu, BigInt(physical)) ?? ofMtrr(defaultType);
}

function fixedTypeOf(cpu: Cpu, physical: number): Exclude<MemoryType, 'UC-'> {
  const range = FIXED_RANGES.findLast(([first]) => first <= physical);
  if (range === undefined) return 'UC';
  const [first, bytes, name] = range;
  return ofMtrr(cpu.read(name) >> BigInt(8 * Math.floor((physical - first) / bytes)));
}

/** Ranges that overlap: UC goes before all, WT before WB; what the manual leaves open otherwise is UC here. */
function variableTypeOf(cpu: Cpu, physical: bigint): Exclude<MemoryType, 'UC-'> | undefined {
  const count = Number(cpu.read('IA32_MTRRCAP') & VARIABLE_RANGES);
  const types = new Set<Exclude<MemoryType, 'UC-'>>();
  for (let index = 0; index < count; index++) {
    const [base, mask] = [cpu.read(`IA32_MTRR_PHYSBASE${index}`), cpu.read(`IA32_MTRR_PHYSMASK${index}`)];
    if ((mask & VALID) !== 0n && ((physical ^ base) & mask & ADDRESS) === 0n) types.add(ofMtrr(base));
  }
  const [only] = types;
  if (types.size <= 1) return only;
  return types.size === 2 && types.has('WT') && types.has('WB') ? 'WT' : 'UC';
}
