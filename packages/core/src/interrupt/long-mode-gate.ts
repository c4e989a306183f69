// Delivery through a 64-bit IDT gate (SDM, "64-Bit Mode IDT", "Interrupt Stack Table"): the stack switch and the frame.
import { isCanonicalAddress } from '../memory/canonical.js';
import type { SegmentIndex } from '../memory/linear-memory.js';
import { isConforming, type SegmentDescriptor, segmentState, setTypeBits } from '../memory/segment-descriptor.js';
import { ACCESS } from '../memory/segmentation.js';
import { storeLinear } from '../memory/system-access.js';
import { istEntry, loadNullInnerStack, stackPointerOfLevel } from '../memory/task-state-segment.js';
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

/** Delivers through the IDT in IA-32e mode; raises what the delivery itself raises. */
export function deliverThroughLongModeGate(cpu: Cpu, delivery: Delivery): void {
  const ext = extOf(delivery);
  const gate = readGate(cpu, delivery, FORMAT);
  const code = readHandlerCode(cpu, gate.selector, ext, is64Bit);
  setTypeBits(cpu, code, ACCESSED);
  const oldCpl = cpu.CPL;
  const cpl = isConforming(code) ? oldCpl : code.dpl;
  const frame = frameOf(cpu, delivery);
  const stack = stackPointer(cpu, gate, cpl, ext);
  if (!isCanonicalAddress(cpu, stack - 8n * BigInt(frame.length)) || !isCanonicalAddress(cpu, stack - 1n))
    raise(SS(ext), 'core.linear-address.canonical');
  if (!isCanonicalAddress(cpu, gate.offset)) raise(GP(ext), 'core.idt.target-canonical');
  if (cpl !== oldCpl) loadNullInnerStack(cpu, cpl); // the frame is pushed with the handler's privilege
  pushFrame(cpu, stack, frame);
  cpu.RSP = stack - 8n * BigInt(frame.length);
  cpu.setSegment('CS', segmentState(code, cpl));
  cpu.RIP = gate.offset;
  clearFlags(cpu, gate);
}

/** The handler runs in 64-bit mode, whatever mode was interrupted. */
const is64Bit = ({ attributes }: SegmentDescriptor): boolean =>
  (attributes & (ACCESS.long | ACCESS.big)) === ACCESS.long;

function frameOf(cpu: Cpu, delivery: Delivery): readonly bigint[] {
  const { returnRip, errorCode } = delivery;
  const frame = [cpu.read('SS.selector'), cpu.RSP, flagsImage(cpu, delivery), cpu.read('CS.selector'), returnRip];
  return errorCode === undefined ? frame : [...frame, BigInt(errorCode)];
}

/** The stack that the frame goes to, aligned to 16 bytes: an IST entry, RSP of the new level, or the current one. */
function stackPointer(cpu: Cpu, { ist }: Gate, cpl: number, ext: 0 | 1): bigint {
  if (ist !== 0) return istEntry(cpu, ist, ext) & ~0xfn;
  return (cpl === cpu.CPL ? cpu.RSP : stackPointerOfLevel(cpu, cpl, ext)) & ~0xfn;
}

/** The whole frame must be writable before any of it counts. */
function pushFrame(cpu: Cpu, top: bigint, frame: readonly bigint[]): void {
  for (const [index, value] of frame.entries()) {
    storeLinear(cpu, BigInt.asUintN(64, top - 8n * BigInt(index + 1)), 8, value, STACK);
  }
}
