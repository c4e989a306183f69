// SDM, "System Instructions": LGDT, LIDT, SGDT, SIDT, LLDT, SLDT, LTR and STR (see "Memory-Management Registers").
import { GP, NP, raise, UD } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { isCanonicalForProcessor } from '../memory/canonical.js';
import {
  isNull,
  readDescriptor,
  readUpperHalf,
  type SegmentDescriptor,
  segmentState,
  setTypeBits,
} from '../memory/segment-descriptor.js';
import { ACCESS } from '../memory/segmentation.js';
import { storeLinear } from '../memory/system-access.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow, type IntrinsicShape } from './define.js';
import type { Operand } from './operand.js';
import { hiddenFromUser, operandAt, privileged } from './privilege.js';

interface PseudoDescriptor {
  readonly limit: bigint;
  readonly base: bigint;
}

/** Limit and base from memory, or from the two values of an intrinsic. A 16-bit operand size has a base of 24 bits. */
function pseudoDescriptor(cpu: Cpu, operands: readonly Operand[], operandWidth: 16 | 32 | 64): PseudoDescriptor {
  const first = operandAt(operands, 0);
  const limit = operands[1];
  if (limit !== undefined) return { base: first.read(), limit: limit.read() & 0xffffn };
  const wide = cpu.mode === '64-bit';
  const value = first.readBytes(wide ? 10 : 6).reduceRight((all, byte) => (all << 8n) | BigInt(byte), 0n);
  const baseBits = wide ? 64 : operandWidth === 16 ? 24 : 32;
  return { limit: value & 0xffffn, base: BigInt.asUintN(baseBits, value >> 16n) };
}

/** The caller of an intrinsic gives the two values instead of memory that holds them. */
const BASE_AND_LIMIT = { operands: [{ in: 'base' }, { in: 'limit' }] } as const satisfies IntrinsicShape;

function loadTable<const Intrinsics extends Readonly<Record<string, IntrinsicShape>>>(
  mnemonic: 'LGDT' | 'LIDT',
  table: 'GDTR' | 'IDTR',
  intrinsics: Intrinsics,
) {
  const canonical: FaultRow = {
    id: `core.${mnemonic.toLowerCase()}.canonical`,
    when: (cpu, operands) =>
      cpu.mode === '64-bit' && !isCanonicalForProcessor(cpu, pseudoDescriptor(cpu, operands, 64).base),
    raise: GP(0),
    explain: `${mnemonic} takes a canonical base in 64-bit mode.`,
  };
  return defineInstruction({
    mnemonic,
    manual: sdm('LGDT/LIDT—Load Global/Interrupt Descriptor Table Register'),
    reads: ['SS.attributes'],
    writes: [`${table}.base`, `${table}.limit`],
    flags: 'unaffected',
    faults: [privileged(mnemonic), canonical],
    intrinsics,
    effect(cpu, operands, operandWidth) {
      const { base, limit } = pseudoDescriptor(cpu, operands, operandWidth);
      cpu.set(`${table}.base`, base);
      cpu.set(`${table}.limit`, limit);
    },
  });
}

export const LGDT = loadTable('LGDT', 'GDTR', { lgdt: BASE_AND_LIMIT });
export const LIDT = loadTable('LIDT', 'IDTR', { lidt: BASE_AND_LIMIT });

export const STORE_TABLE = (
  [
    ['SGDT', 'SGDT—Store Global Descriptor Table Register', 'GDTR'],
    ['SIDT', 'SIDT—Store Interrupt Descriptor Table Register', 'IDTR'],
  ] as const
).map(([mnemonic, title, table]) =>
  defineInstruction({
    mnemonic,
    manual: sdm(title),
    reads: [`${table}.base`, `${table}.limit`, 'CR4.UMIP', 'SS.attributes'],
    writes: [],
    flags: 'unaffected',
    faults: [hiddenFromUser(mnemonic)],
    effect(cpu, operands) {
      const operand = operandAt(operands, 0);
      operand.probeWrite(); // both stores happen, or none
      const address = operand.linear('write') ?? 0n;
      storeLinear(cpu, address, 2, cpu.read(`${table}.limit`));
      storeLinear(cpu, address + 2n, cpu.mode === '64-bit' ? 8 : 4, cpu.read(`${table}.base`));
    },
  }),
);

/** Descriptor tables of segments mean nothing in the other two modes. */
export const protectedModeOnly = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.mode`,
  fields: ['CR0.PE', 'RFLAGS.VM'],
  when: (cpu) => cpu.mode === 'real' || cpu.mode === 'virtual-8086',
  raise: UD,
  explain: `${mnemonic} is not recognised in real-address and virtual-8086 mode.`,
});

const GDT_SELECTOR_ONLY = 4;
const LDT_TYPE = 2;
/** Available TSS of 16 and of 32 (in IA-32e mode: 64) bits. */
const TSS_16 = 1;
const TSS = 9;
const BUSY = 2;

/** A system descriptor of the GDT, with the 64-bit base that it has in IA-32e mode. */
function systemDescriptor(
  cpu: Cpu,
  selector: number,
  name: 'lldt' | 'ltr',
  types: readonly number[],
): { readonly descriptor: SegmentDescriptor; readonly base: bigint } {
  const errorCode = selector & ~3;
  if ((selector & GDT_SELECTOR_ONLY) !== 0) raise(GP(errorCode), `core.${name}.table`);
  const descriptor = readDescriptor(cpu, selector, GP, `core.${name}.limit`);
  if (descriptor.codeOrData || !types.includes(descriptor.type)) raise(GP(errorCode), `core.${name}.type`);
  if (!descriptor.present) raise(NP(errorCode), `core.${name}.present`);
  if (!cpu.EFER.LMA) return { descriptor, base: descriptor.base };
  const upper = readUpperHalf(cpu, descriptor, `core.${name}.limit`);
  if (((upper >> 40n) & 0x1fn) !== 0n) raise(GP(errorCode), `core.${name}.upper-type`);
  const base = descriptor.base | ((upper & 0xffff_ffffn) << 32n);
  if (!isCanonicalForProcessor(cpu, base)) raise(GP(errorCode), `core.${name}.canonical`);
  return { descriptor, base };
}

export const LTR = defineInstruction({
  mnemonic: 'LTR',
  manual: sdm('LTR—Load Task Register'),
  reads: ['GDTR.base', 'GDTR.limit', 'SS.attributes'],
  writes: ['TR.selector', 'TR.base', 'TR.limit', 'TR.attributes'],
  flags: 'unaffected',
  faults: [
    protectedModeOnly('LTR'),
    privileged('LTR'),
    {
      id: 'core.ltr.null',
      when: (_cpu, operands) => isNull(selectorOf(operands)),
      raise: GP(0),
      explain: 'The task register takes no null selector.',
    },
  ],
  effect(cpu, operands) {
    const { descriptor, base } = systemDescriptor(
      cpu,
      selectorOf(operands),
      'ltr',
      cpu.EFER.LMA ? [TSS] : [TSS_16, TSS],
    );
    setTypeBits(cpu, descriptor, BUSY);
    cpu.setSegment('TR', { ...segmentState(descriptor), base, attributes: BigInt(descriptor.attributes | BUSY) });
  },
});

export const LLDT = defineInstruction({
  mnemonic: 'LLDT',
  manual: sdm('LLDT—Load Local Descriptor Table Register'),
  reads: ['GDTR.base', 'GDTR.limit', 'SS.attributes'],
  writes: ['LDTR.selector', 'LDTR.base', 'LDTR.limit', 'LDTR.attributes'],
  flags: 'unaffected',
  faults: [protectedModeOnly('LLDT'), privileged('LLDT')],
  effect(cpu, operands) {
    const selector = selectorOf(operands);
    if (isNull(selector)) {
      cpu.set('LDTR.selector', BigInt(selector)); // base and limit stay, and no longer matter
      return cpu.set('LDTR.attributes', BigInt(ACCESS.unusable));
    }
    const { descriptor, base } = systemDescriptor(cpu, selector, 'lldt', [LDT_TYPE]);
    return cpu.setSegment('LDTR', { ...segmentState(descriptor), base, attributes: BigInt(descriptor.attributes) });
  },
});

const selectorOf = (operands: readonly Operand[]): number => Number(operandAt(operands, 0).read() & 0xffffn);

export const STORE_SELECTOR = (
  [
    ['SLDT', 'SLDT—Store Local Descriptor Table Register', 'LDTR'],
    ['STR', 'STR—Store Task Register', 'TR'],
  ] as const
).map(([mnemonic, title, register]) =>
  defineInstruction({
    mnemonic,
    manual: sdm(title),
    reads: [`${register}.selector`, 'CR4.UMIP', 'SS.attributes'],
    writes: [],
    flags: 'unaffected',
    faults: [protectedModeOnly(mnemonic), hiddenFromUser(mnemonic)],
    effect: (cpu, operands) => operandAt(operands, 0).write(cpu.read(`${register}.selector`)),
  }),
);
