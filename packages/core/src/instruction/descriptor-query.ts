// SDM, "LAR—Load Access Rights Byte", "LSL—Load Segment Limit", "VERR/VERW—Verify a Segment for Reading or Writing" and
// "ARPL—Adjust RPL Field of Segment Selector": software asks what a load would say, and ZF is the answer.
import { sdm } from '../manual/sdm.js';
import {
  findDescriptor,
  isAccessible,
  isCode,
  isConforming,
  isNull,
  type SegmentDescriptor,
} from '../memory/segment-descriptor.js';
import { asSupervisor, loadLinear } from '../memory/system-access.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction } from './define.js';
import { protectedModeOnly } from './descriptor-table-register.js';
import type { Operand } from './operand.js';
import { operandAt } from './privilege.js';

const READS = ['GDTR.base', 'GDTR.limit', 'LDTR.base', 'LDTR.limit', 'SS.attributes'];
const FLAGS = 'ZF says whether the descriptor can be seen, the others are unaffected';

/** The system descriptors that an instruction knows, outside IA-32e mode and in it. */
interface SystemTypes {
  readonly legacy: readonly number[];
  readonly long: readonly number[];
}
const RIGHTS: SystemTypes = { legacy: [1, 2, 3, 4, 5, 9, 0xb, 0xc], long: [2, 9, 0xb, 0xc] };
const LIMITS: SystemTypes = { legacy: [1, 2, 3, 9, 0xb], long: [2, 9, 0xb] };
const NONE: SystemTypes = { legacy: [], long: [] };

/** The descriptor, if CPL and RPL may see it and it is of a kind that the instruction knows. It need not be present. */
function visible(cpu: Cpu, operand: Operand, types: SystemTypes): SegmentDescriptor | undefined {
  const selector = Number(operand.read() & 0xffffn);
  const descriptor = isNull(selector) ? undefined : findDescriptor(cpu, selector);
  if (descriptor === undefined) return undefined;
  const { codeOrData, type, dpl, rpl } = descriptor;
  if (!codeOrData && !types[cpu.EFER.LMA ? 'long' : 'legacy'].includes(type)) return undefined;
  const anyLevel = codeOrData && isConforming(descriptor);
  return anyLevel || Math.max(cpu.CPL, rpl) <= dpl ? descriptor : undefined;
}

/** Bits 23:8 of the second doubleword. The manual leaves 19:16 undefined; processors show the limit there. */
function accessRights(cpu: Cpu, { address }: SegmentDescriptor): bigint {
  return asSupervisor(cpu, () => loadLinear(cpu, address + 4n, 4)) & 0xff_ff00n;
}

export const DESCRIPTOR_LOADS = (
  [
    ['LAR', 'LAR—Load Access Rights Byte', RIGHTS, accessRights],
    ['LSL', 'LSL—Load Segment Limit', LIMITS, (_cpu: Cpu, { limit }: SegmentDescriptor) => limit],
  ] as const
).map(([mnemonic, title, types, value]) =>
  defineInstruction({
    mnemonic,
    manual: sdm(title),
    reads: READS,
    writes: ['RFLAGS'],
    flags: FLAGS,
    faults: [protectedModeOnly(mnemonic)],
    effect(cpu, operands) {
      const descriptor = visible(cpu, operandAt(operands, 1), types);
      if (descriptor !== undefined) operandAt(operands, 0).write(value(cpu, descriptor));
      cpu.RFLAGS.ZF = descriptor !== undefined;
    },
  }),
);

const isReadable = (descriptor: SegmentDescriptor): boolean => !isCode(descriptor) || isAccessible(descriptor);
const isWritable = (descriptor: SegmentDescriptor): boolean => !isCode(descriptor) && isAccessible(descriptor);

export const VERIFY = (
  [
    ['VERR', isReadable],
    ['VERW', isWritable],
  ] as const
).map(([mnemonic, allows]) =>
  defineInstruction({
    mnemonic,
    manual: sdm('VERR/VERW—Verify a Segment for Reading or Writing'),
    reads: READS,
    writes: ['RFLAGS'],
    flags: FLAGS,
    faults: [protectedModeOnly(mnemonic)],
    effect(cpu, operands) {
      const descriptor = visible(cpu, operandAt(operands, 0), NONE);
      cpu.RFLAGS.ZF = descriptor !== undefined && allows(descriptor);
    },
  }),
);

export const ARPL = defineInstruction({
  mnemonic: 'ARPL',
  manual: sdm('ARPL—Adjust RPL Field of Segment Selector'),
  reads: [],
  writes: ['RFLAGS'],
  flags: 'ZF says whether RPL was raised, the others are unaffected',
  faults: [protectedModeOnly('ARPL')],
  effect(cpu, operands) {
    const to = operandAt(operands, 0);
    const [selector, rpl] = [to.read(), operandAt(operands, 1).read() & 3n];
    const raises = (selector & 3n) < rpl;
    if (raises) to.write((selector & ~3n) | rpl);
    cpu.RFLAGS.ZF = raises;
  },
});
