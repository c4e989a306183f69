// Loads of data segment registers: MOV, POP and the pops of a return (SDM, "Segment Registers", and the pseudocode of
// "MOV—Move"). CS is loaded by far transfers.
import { GP, NP, raise, SS } from '../interrupt/exceptions.js';
import {
  isAccessible,
  isCode,
  isConforming,
  isNull,
  loadDescriptor,
  readDescriptor,
  type SegmentDescriptor,
  setTypeBits,
} from '../memory/segment-descriptor.js';
import { ACCESS } from '../memory/segmentation.js';
import { loadVirtual8086Segment } from '../memory/virtual-8086-segment.js';
import { type SegmentRegister, slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';

type DataSegment = Extract<SegmentRegister, 'ES' | 'SS' | 'DS' | 'FS' | 'GS'>;

/** Loads a segment register with a selector; raises #GP, #SS or #NP, with nothing changed. */
export function loadSegment(cpu: Cpu, register: DataSegment, selector: number): void {
  if (cpu.mode === 'virtual-8086') loadVirtual8086Segment(cpu, register, selector);
  else if (cpu.mode === 'real') loadParagraph(cpu, register, selector);
  else if (register === 'SS') loadStackSegment(cpu, selector);
  else loadDataSegment(cpu, register, selector);
}

/** Limit and access rights stay what they were. */
function loadParagraph(cpu: Cpu, register: DataSegment, selector: number): void {
  cpu.set(`${register}.selector`, BigInt(selector));
  cpu.set(`${register}.base`, BigInt(selector) << 4n);
}

/** A return to an outer level takes a segment away: base and limit stay, as Bochs and QEMU have it; the manual says no word. */
function dropSegment(cpu: Cpu, register: SegmentRegister): void {
  cpu.set(`${register}.selector`, 0n);
  cpu.set(`${register}.attributes`, cpu.read(`${register}.attributes`) | BigInt(ACCESS.unusable));
}

/** A null selector makes the register unusable; the base is cleared, as on every processor of the profiles. */
export function loadNull(cpu: Cpu, register: DataSegment, selector: number, dpl = 0): void {
  cpu.setSegmentWords(register, selector, 0, 0, ACCESS.unusable | (dpl << 5));
}

function loadStackSegment(cpu: Cpu, selector: number): void {
  if (isNull(selector)) {
    loadNullStack(cpu, selector);
    return;
  }
  const descriptor = readDescriptor(cpu, selector, GP, 'core.segment-load.limit');
  checkStackSegment(descriptor, cpu.CPL);
  setTypeBits(cpu, descriptor, 1);
  loadDescriptor(cpu, 'SS', descriptor);
}

/** Only in 64-bit mode, and not at CPL 3. CPL is SS.DPL, of a null selector too. */
function loadNullStack(cpu: Cpu, selector: number): void {
  if (cpu.mode !== '64-bit' || cpu.CPL === 3 || (selector & 3) !== cpu.CPL) raise(GP(0), 'core.segment-load.ss-null');
  loadNull(cpu, 'SS', selector, cpu.CPL);
}

/** The checks of a stack segment for a privilege level. */
export function checkStackSegment(descriptor: SegmentDescriptor, cpl: number): void {
  const { errorCode, rpl, dpl, codeOrData, present } = descriptor;
  if (rpl !== cpl) raise(GP(errorCode), 'core.segment-load.ss-rpl');
  if (!codeOrData || isCode(descriptor) || !isAccessible(descriptor)) raise(GP(errorCode), 'core.segment-load.ss-type');
  if (dpl !== cpl) raise(GP(errorCode), 'core.segment-load.ss-dpl');
  if (!present) raise(SS(errorCode), 'core.segment-load.ss-present');
}

function loadDataSegment(cpu: Cpu, register: Exclude<DataSegment, 'SS'>, selector: number): void {
  if (isNull(selector)) {
    loadNull(cpu, register, selector);
    return;
  }
  const descriptor = readDescriptor(cpu, selector, GP, 'core.segment-load.limit');
  const { errorCode, rpl, dpl, codeOrData, present } = descriptor;
  if (!codeOrData || (isCode(descriptor) && !isAccessible(descriptor))) raise(GP(errorCode), 'core.segment-load.type');
  if (!isConforming(descriptor) && Math.max(rpl, cpu.CPL) > dpl) raise(GP(errorCode), 'core.segment-load.dpl');
  if (!present) raise(NP(errorCode), 'core.segment-load.present');
  setTypeBits(cpu, descriptor, 1);
  loadDescriptor(cpu, register, descriptor);
}

/** After a return to an outer level, data segments of a more privileged level become null. */
export function dropPrivilegedSegments(cpu: Cpu): void {
  for (const { register, word } of DATA_SEGMENTS) {
    const attributes = cpu.words[word] as number;
    const conforming = (attributes & (ACCESS.executable | 4)) === (ACCESS.executable | 4);
    const dpl = (attributes >> 5) & 3;
    if ((attributes & ACCESS.unusable) === 0 && dpl < cpu.CPL && !conforming) dropSegment(cpu, register);
  }
}

const DATA_SEGMENTS = (['ES', 'FS', 'GS', 'DS'] as const).map((register) => ({
  register,
  word: slotOf(`${register}.attributes`) * 2,
}));
