// Loads of CS by far transfers (SDM, "JMP—Jump", "CALL—Call Procedure", "RET—Return From Procedure" and
// "IRET/IRETD/IRETQ—Interrupt Return"): the checks of the target's descriptor and of its offset.

import { GP, NP, raise } from '../interrupt/exceptions.js';
import { isCanonical } from '../memory/canonical.js';
import {
  isCode,
  isConforming,
  isNull,
  loadDescriptor,
  readDescriptor,
  type SegmentDescriptor,
  setTypeBits,
} from '../memory/segment-descriptor.js';
import { ACCESS } from '../memory/segmentation.js';
import type { Halves } from '../register/halves.js';
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';

const RIP = slotOf('RIP');

/** A checked far target: nothing is changed yet. */
export interface FarTarget {
  readonly descriptor: SegmentDescriptor;
  readonly offset: Halves;
}

/** Checks the code segment of a far JMP or CALL, which stays at its privilege level. */
export function checkTransfer(cpu: Cpu, descriptor: SegmentDescriptor, offset: Halves): FarTarget {
  const { errorCode, dpl, rpl } = descriptor;
  if (!isCode(descriptor)) raise(GP(errorCode), 'core.far-transfer.type');
  const allowed = isConforming(descriptor) ? dpl <= cpu.CPL : rpl <= cpu.CPL && dpl === cpu.CPL;
  if (!allowed) raise(GP(errorCode), 'core.far-transfer.dpl');
  return checkTarget(cpu, descriptor, offset);
}

/** The descriptor of a far RET or IRET to the same or an outer privilege level. */
export function checkReturn(cpu: Cpu, selector: number, offset: Halves): FarTarget {
  const descriptor = farDescriptor(cpu, selector);
  const { errorCode, dpl, rpl, codeOrData } = descriptor;
  if (!codeOrData || !isCode(descriptor)) raise(GP(errorCode), 'core.far-return.type');
  if (rpl < cpu.CPL) raise(GP(errorCode), 'core.far-return.rpl');
  if (isConforming(descriptor) ? dpl > rpl : dpl !== rpl) raise(GP(errorCode), 'core.far-return.dpl');
  return checkTarget(cpu, descriptor, offset);
}

/** What a far pointer names: a code segment, or what JMP and CALL go through. */
export function farDescriptor(cpu: Cpu, selector: number): SegmentDescriptor {
  if (isNull(selector)) raise(GP(0), 'core.far-transfer.null');
  return readDescriptor(cpu, selector, GP, 'core.far-transfer.limit');
}

/** Presence, sizes and the offset, which far transfers without a gate check alike. */
function checkTarget(cpu: Cpu, descriptor: SegmentDescriptor, offset: Halves): FarTarget {
  const { errorCode, present } = descriptor;
  const target = { descriptor, offset };
  if (entersLongCode(cpu, target) && hasSize(descriptor, 'big')) raise(GP(errorCode), 'core.far-transfer.l-and-d');
  if (!present) raise(NP(errorCode), 'core.far-transfer.present');
  checkOffset(cpu, target);
  return target;
}

/** The offset must lie within the limit, or be canonical for 64-bit code. */
export function checkOffset(cpu: Cpu, target: FarTarget): void {
  const { descriptor, offset } = target;
  const reaches = entersLongCode(cpu, target)
    ? isCanonical(offset.high, cpu.CR4.LA57 ? 57 : 48)
    : offset.high === 0 && offset.low >>> 0 <= descriptor.limitWord >>> 0;
  if (!reaches) raise(GP(0), 'core.far-transfer.offset');
}

function hasSize({ attributes }: SegmentDescriptor, size: 'long' | 'big'): boolean {
  return (attributes & ACCESS[size]) !== 0;
}

/** Whether the target runs in 64-bit mode. */
export const entersLongCode = (cpu: Cpu, { descriptor }: FarTarget): boolean =>
  cpu.EFER.LMA && hasSize(descriptor, 'long');

/** Goes there: CS takes the descriptor with the level as RPL. Only SS says what the CPL is. */
export function enterCode(cpu: Cpu, { descriptor, offset }: FarTarget, cpl: number): void {
  setTypeBits(cpu, descriptor, 1);
  loadDescriptor(cpu, 'CS', descriptor, cpl);
  cpu.writeWords(RIP, offset.low, offset.high);
}

/** In real-address mode a selector is a paragraph; limit and access rights of CS stay. */
export function enterRealCode(cpu: Cpu, selector: number, offset: bigint): void {
  if (offset > cpu.read('CS.limit')) raise(GP(0), 'core.far-transfer.offset');
  cpu.set('CS.selector', BigInt(selector));
  cpu.set('CS.base', BigInt(selector) << 4n);
  cpu.RIP = offset;
}
