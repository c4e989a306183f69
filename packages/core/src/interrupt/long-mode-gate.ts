// Delivery through a 64-bit IDT gate (SDM, "64-Bit Mode IDT", "Interrupt Stack Table"): the stack switch and the frame.
import { isCanonical } from '../memory/canonical.js';
import type { SegmentIndex } from '../memory/linear-memory.js';
import { isConforming, loadDescriptor, type SegmentDescriptor, setTypeBits } from '../memory/segment-descriptor.js';
import { ACCESS } from '../memory/segmentation.js';
import { istEntry, loadNullInnerStack, stackPointerOfLevel } from '../memory/task-state-segment.js';
import { carriedInto, type Halves } from '../register/halves.js';
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import { GP, raise, SS } from './exceptions.js';
import {
  clearFlags,
  type Delivery,
  extOf,
  flagsImage,
  GATE,
  type Gate,
  type GateFormat,
  readGate,
  readHandlerCode,
} from './gate.js';

const FORMAT: GateFormat = { bytes: 16, types: [GATE.interrupt32, GATE.trap32] };
const ACCESSED = 1;
const STACK: SegmentIndex = 2;
const [RSP, RIP] = [slotOf('RSP'), slotOf('RIP')];
const [CS_SELECTOR, SS_SELECTOR] = [slotOf('CS.selector') * 2, slotOf('SS.selector') * 2];
const FLAGS_UPPER_HALF = slotOf('RFLAGS') * 2 + 1;

/** Delivers through the IDT in IA-32e mode; raises what the delivery itself raises. */
export function deliverThroughLongModeGate(cpu: Cpu, delivery: Delivery): void {
  const ext = extOf(delivery);
  const gate = readGate(cpu, delivery, FORMAT);
  const code = readHandlerCode(cpu, gate.selector, ext, is64Bit);
  setTypeBits(cpu, code, ACCESSED);
  const oldCpl = cpu.CPL;
  const cpl = isConforming(code) ? oldCpl : code.dpl;
  const frame = frameOf(cpu, delivery);
  const top = stackPointer(cpu, gate, cpl, ext);
  const bottom = moved(top, -4 * frame.length);
  if (!isCanonicalHere(cpu, bottom) || !isCanonicalHere(cpu, moved(top, -1)))
    raise(SS(ext), 'core.linear-address.canonical');
  if (!isCanonicalHere(cpu, gate.offset)) raise(GP(ext), 'core.idt.target-canonical');
  if (cpl !== oldCpl) loadNullInnerStack(cpu, cpl); // the frame is pushed with the handler's privilege
  pushFrame(cpu, top, frame);
  cpu.writeWords(RSP, bottom.low, bottom.high);
  loadDescriptor(cpu, 'CS', code, cpl);
  cpu.writeWords(RIP, gate.offset.low, gate.offset.high);
  clearFlags(cpu, gate);
}

const moved = ({ low, high }: Halves, bytes: number): Halves => ({
  low: (low + bytes) | 0,
  high: carriedInto(high, low, bytes),
});

const isCanonicalHere = (cpu: Cpu, { high }: Halves): boolean => isCanonical(high, cpu.CR4.LA57 ? 57 : 48);

/** The handler runs in 64-bit mode, whatever mode was interrupted. */
const is64Bit = ({ attributes }: SegmentDescriptor): boolean =>
  (attributes & (ACCESS.long | ACCESS.big)) === ACCESS.long;

/** Words, from the one at the highest address down. */
function frameOf(cpu: Cpu, delivery: Delivery): readonly number[] {
  const { words } = cpu;
  const at = (word: number): number => words[word] as number;
  const flags = flagsImage(cpu, delivery);
  const frame = [0, at(SS_SELECTOR), at(RSP * 2 + 1), at(RSP * 2), at(FLAGS_UPPER_HALF), flags];
  frame.push(0, at(CS_SELECTOR), at(RIP * 2 + 1), at(RIP * 2));
  if (delivery.errorCode !== undefined) frame.push(0, delivery.errorCode);
  return frame;
}

/** The stack that the frame goes to, aligned to 16 bytes: an IST entry, RSP of the new level, or the current one. */
function stackPointer(cpu: Cpu, { ist }: Gate, cpl: number, ext: 0 | 1): Halves {
  const { words } = cpu;
  const own = { low: words[RSP * 2] as number, high: words[RSP * 2 + 1] as number };
  const { low, high } =
    ist !== 0 ? istEntry(cpu, ist, ext) : cpl === cpu.CPL ? own : stackPointerOfLevel(cpu, cpl, ext);
  return { low: low & ~0xf, high };
}

/** The whole frame must be writable before any of it counts. */
function pushFrame(cpu: Cpu, top: Halves, frame: readonly number[]): void {
  const { tlb } = cpu.draft;
  for (let index = 0; index < frame.length; index += 2) {
    const { low, high } = moved(top, -4 * (index + 2));
    tlb.store64(low, high, STACK, frame[index + 1] as number, frame[index] as number);
  }
}
