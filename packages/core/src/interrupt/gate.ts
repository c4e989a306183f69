// SDM, "IDT Descriptors" and "64-Bit Mode IDT": the gate of a vector, and the code segment that it names, with the checks
// that delivery makes in every mode. Each failed check is itself an exception, with EXT set unless software asked.
import { wide } from '../memory/linear-memory.js';
import { isCode, isNull, readDescriptor, type SegmentDescriptor } from '../memory/segment-descriptor.js';
import { addressIn, loadImplicit } from '../memory/system-access.js';
import { carriedInto, type Halves } from '../register/halves.js';
import { slotOf } from '../register/register-file.js';
import { RFLAGS } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import { GP, NP, raise } from './exceptions.js';

/** Where an event comes from (SDM, "VM-Entry Controls for Event Injection", has the same words). */
export type DeliveryType =
  | 'external interrupt'
  | 'NMI'
  | 'hardware exception'
  | 'software interrupt'
  | 'privileged software exception'
  | 'software exception';

/** What is delivered. RIP is what the frame holds of it. */
export interface Delivery {
  readonly type: DeliveryType;
  readonly vector: number;
  readonly errorCode: number | undefined;
  /** A fault-class exception: the image of RFLAGS has RF set, so that the restarted instruction meets no breakpoint again. */
  readonly fault: boolean;
  /** What the frame holds of RIP instead, if a plugin that injects the event says so. */
  readonly returnAddress?: bigint;
}

/** A gate of the IDT. */
export interface Gate {
  readonly selector: number;
  readonly offset: Halves;
  /** 0 in a gate of 8 bytes, which has no such field. */
  readonly ist: number;
  readonly type: number;
  readonly dpl: number;
  readonly present: boolean;
}

/** Types of gates in the IDT; 64-bit gates have the types of the 32-bit ones. */
export const GATE = { task: 5, interrupt16: 6, trap16: 7, interrupt32: 0xe, trap32: 0xf } as const;

/** How large the gates of a mode are, and which types they may have. */
export interface GateFormat {
  readonly bytes: 8 | 16;
  readonly types: readonly number[];
}

/** Bits of an error code that names a selector or a vector. */
const EXT = 1;
const IDT = 2;
const { TF, IF, NT, RF, VM } = RFLAGS.bits;
const RESUME_FLAG = 1 << RF;
const INTERRUPT_FLAG = 1 << IF;
const CLEARED = (1 << TF) | (1 << NT) | (1 << RF) | (1 << VM);
const IDTR_BASE = slotOf('IDTR.base');
const IDTR_LIMIT = slotOf('IDTR.limit') * 2;

/** INT n, INT3 and INTO, not INT1: the gate's DPL counts and EXT is 0. */
const isSoftware = ({ type }: Delivery): boolean => type === 'software interrupt' || type === 'software exception';

/** EXT in the error code of whatever the delivery raises: the event was not asked for by the program. */
export const extOf = (delivery: Delivery): 0 | 1 => (isSoftware(delivery) ? 0 : EXT);

/** Reads and checks the gate of the vector. */
export function readGate(cpu: Cpu, delivery: Delivery, { bytes, types }: GateFormat): Gate {
  const { vector } = delivery;
  const error = vector * 8 + IDT + extOf(delivery);
  const offset = vector * bytes;
  if (offset + bytes - 1 > (cpu.words[IDTR_LIMIT] as number) >>> 0) raise(GP(error), 'core.idt.limit');
  const gate = loadGate(cpu, addressIn(cpu, IDTR_BASE, offset), bytes);
  if (!types.includes(gate.type)) raise(GP(error), 'core.idt.gate-type');
  if (isSoftware(delivery) && gate.dpl < cpu.CPL) raise(GP(error), 'core.idt.gate-dpl');
  if (!gate.present) raise(NP(error), 'core.idt.gate-present');
  return gate;
}

function loadGate(cpu: Cpu, { low, high }: Halves, bytes: 8 | 16): Gate {
  const first = loadImplicit(cpu, low, high, 8);
  const second = wide.high;
  const upper = bytes === 16 ? loadImplicit(cpu, (low + 8) | 0, carriedInto(high, low, 8), 8) : 0;
  return {
    selector: first >>> 16,
    offset: { low: (first & 0xffff) | (second & ~0xffff), high: upper },
    ist: bytes === 16 ? second & 7 : 0,
    type: (second >>> 8) & 0x1f,
    dpl: (second >>> 13) & 3,
    present: (second & 0x8000) !== 0,
  };
}

/** The code segment that a gate names, after its checks. `fits` says whether code of its size may be a handler. */
export function readHandlerCode(
  cpu: Cpu,
  selector: number,
  ext: 0 | 1,
  fits: (code: SegmentDescriptor) => boolean = () => true,
): SegmentDescriptor {
  if (isNull(selector)) raise(GP(ext), 'core.idt.target-null');
  const code = readDescriptor(cpu, selector, (error) => GP(error | ext), 'core.idt.target-limit');
  if (!code.codeOrData || !isCode(code) || code.dpl > cpu.CPL || !fits(code))
    raise(GP(code.errorCode | ext), 'core.idt.target-type');
  if (!code.present) raise(NP(code.errorCode | ext), 'core.idt.target-present');
  return code;
}

/** The low half of RFLAGS as the frame holds it. */
export const flagsImage = (cpu: Cpu, { fault }: Delivery): number => (fault ? cpu.EFLAGS | RESUME_FLAG : cpu.EFLAGS);

/** What the handler starts with: an interrupt gate masks interrupts, a trap gate leaves them. */
export function clearFlags(cpu: Cpu, { type }: Gate): void {
  const masks = type === GATE.interrupt16 || type === GATE.interrupt32;
  cpu.EFLAGS &= ~(masks ? CLEARED | INTERRUPT_FLAG : CLEARED);
}
