// SDM, "Task-State Segment (TSS)" and "64-Bit Task-State Segment": the stacks of inner privilege levels, which gates switch
// to. The other fields of a TSS are for task switches (folder task) and for the I/O permission bit map.
import { type Raise, raise, SS, TS } from '../interrupt/exceptions.js';
import type { Halves } from '../register/halves.js';
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import { wide } from './linear-memory.js';
import {
  isAccessible,
  isCode,
  isNull,
  loadDescriptor,
  readDescriptor,
  type SegmentDescriptor,
  setTypeBits,
} from './segment-descriptor.js';
import { ACCESS } from './segmentation.js';
import { addressIn, loadImplicit } from './system-access.js';

/** A checked stack: nothing is changed yet. */
export interface InnerStack {
  readonly descriptor: SegmentDescriptor;
  readonly pointer: Halves;
}

/** Bytes of a stack pointer in each kind of TSS, and where that of level 0 stands; the selector of SS follows it. */
const TSS_16 = { slot: 4, first: 2, pointer: 2, checked: 4 } as const;
const TSS_32 = { slot: 8, first: 4, pointer: 4, checked: 6 } as const;
const RSP0 = 4;
const IST1 = 36;
/** Type bit that a 32-bit TSS has and a 16-bit one has not. */
const IS_32_BIT = 8;
const TR_SELECTOR = slotOf('TR.selector') * 2;
const TR_BASE = slotOf('TR.base');
const TR_LIMIT = slotOf('TR.limit') * 2;
const TR_ATTRIBUTES = slotOf('TR.attributes') * 2;

/** #TS of the current task, if its TSS ends before `bytes` bytes at an offset. */
function requireWithinTss({ words }: Cpu, offset: number, bytes: number, ext: 0 | 1): void {
  if (offset + bytes - 1 > (words[TR_LIMIT] as number) >>> 0)
    raise(TS(((words[TR_SELECTOR] as number) & ~3) | ext), 'core.tss.limit');
}

function load(cpu: Cpu, offset: number, bytes: 2 | 4 | 8): Halves {
  const at = addressIn(cpu, TR_BASE, offset);
  const low = loadImplicit(cpu, at.low, at.high, bytes);
  return { low, high: wide.high };
}

/** SS and the stack pointer of a level outside IA-32e mode, after the checks that CALL and delivery make alike. */
export function stackOfLevel(cpu: Cpu, level: number, ext: 0 | 1): InnerStack {
  const tss = ((cpu.words[TR_ATTRIBUTES] as number) & IS_32_BIT) !== 0 ? TSS_32 : TSS_16;
  const offset = tss.first + level * tss.slot;
  requireWithinTss(cpu, offset, tss.checked, ext);
  const pointer = load(cpu, offset, tss.pointer);
  const selector = load(cpu, offset + tss.pointer, 2).low;
  return { descriptor: checkedStack(cpu, selector, level, ext), pointer };
}

function checkedStack(cpu: Cpu, selector: number, level: number, ext: 0 | 1): SegmentDescriptor {
  const refused = (error: number): Raise => TS(error | ext);
  if (isNull(selector)) raise(refused(0), 'core.tss.ss-null');
  const descriptor = readDescriptor(cpu, selector, refused, 'core.tss.ss-limit');
  const { errorCode, rpl, dpl, codeOrData, present } = descriptor;
  if (rpl !== level) raise(refused(errorCode), 'core.tss.ss-rpl');
  if (dpl !== level) raise(refused(errorCode), 'core.tss.ss-dpl');
  if (!codeOrData || isCode(descriptor) || !isAccessible(descriptor)) raise(refused(errorCode), 'core.tss.ss-type');
  if (!present) raise(SS(errorCode | ext), 'core.tss.ss-present');
  return descriptor;
}

/** Loads SS: CPL, which is SS.DPL, is that of the inner level from here on. */
export function loadInnerStack(cpu: Cpu, { descriptor }: InnerStack): void {
  setTypeBits(cpu, descriptor, 1);
  loadDescriptor(cpu, 'SS', descriptor);
}

/** RSP0, RSP1 or RSP2 of the 64-bit TSS. */
export function stackPointerOfLevel(cpu: Cpu, level: number, ext: 0 | 1): Halves {
  requireWithinTss(cpu, RSP0 + level * 8, 8, ext);
  return load(cpu, RSP0 + level * 8, 8);
}

/** One of IST1 to IST7. */
export function istEntry(cpu: Cpu, entry: number, ext: 0 | 1): Halves {
  const offset = IST1 + (entry - 1) * 8;
  requireWithinTss(cpu, offset, 8, ext);
  return load(cpu, offset, 8);
}

/** In IA-32e mode a change of privilege loads SS with a null selector of the new level. */
export function loadNullInnerStack(cpu: Cpu, level: number): void {
  cpu.setSegmentWords('SS', level, 0, 0, ACCESS.unusable | (level << 5));
}
