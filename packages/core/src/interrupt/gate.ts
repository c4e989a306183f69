// SDM, "IDT Descriptors" and "64-Bit Mode IDT": the gate of a vector, and the code segment that it names, with the checks
// that delivery makes in every mode. Each failed check is itself an exception, with EXT set unless software asked.
import { isCode, isNull, readDescriptor, type SegmentDescriptor } from '../memory/segment-descriptor.js';
import { asSupervisor, loadLinear } from '../memory/system-access.js';
import { RFLAGS } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import { GP, NP, raise } from './exceptions.js';

/** What is delivered. */
export interface Delivery {
  readonly vector: number;
  readonly errorCode: number | undefined;
  /** INT n, INT3 and INTO: the gate's DPL counts and EXT is 0. */
  readonly software: boolean;
  /** A fault-class exception: the image of RFLAGS has RF set, so that the restarted instruction meets no breakpoint again. */
  readonly fault: boolean;
  /** RIP that the frame holds. */
  readonly returnRip: bigint;
}

/** A gate of the IDT. */
export interface Gate {
  readonly selector: number;
  readonly offset: bigint;
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
const RESUME_FLAG = 1n << BigInt(RFLAGS.bits.RF);
const CLEARED = [RFLAGS.bits.TF, RFLAGS.bits.NT, RFLAGS.bits.RF, RFLAGS.bits.VM]
  .map((bit) => 1n << BigInt(bit))
  .reduce((mask, bit) => mask | bit);

/** EXT in the error code of whatever the delivery raises: the event was not asked for by the program. */
export const extOf = ({ software }: Delivery): 0 | 1 => (software ? 0 : EXT);

/** Reads and checks the gate of the vector. */
export function readGate(cpu: Cpu, delivery: Delivery, { bytes, types }: GateFormat): Gate {
  const { vector, software } = delivery;
  const error = vector * 8 + IDT + extOf(delivery);
  const offset = vector * bytes;
  if (offset + bytes - 1 > Number(cpu.read('IDTR.limit'))) raise(GP(error), 'core.idt.limit');
  const address = BigInt.asUintN(cpu.EFER.LMA ? 64 : 32, cpu.read('IDTR.base') + BigInt(offset));
  const gate = asSupervisor(cpu, () => loadGate(cpu, address, bytes));
  if (!types.includes(gate.type)) raise(GP(error), 'core.idt.gate-type');
  if (software && gate.dpl < cpu.CPL) raise(GP(error), 'core.idt.gate-dpl');
  if (!gate.present) raise(NP(error), 'core.idt.gate-present');
  return gate;
}

function loadGate(cpu: Cpu, address: bigint, bytes: 8 | 16): Gate {
  const low = loadLinear(cpu, address, 8);
  const high = bytes === 16 ? loadLinear(cpu, address + 8n, 8) : 0n;
  return {
    selector: Number((low >> 16n) & 0xffffn),
    offset: (low & 0xffffn) | ((low >> 32n) & 0xffff_0000n) | ((high & 0xffff_ffffn) << 32n),
    ist: bytes === 16 ? Number((low >> 32n) & 7n) : 0,
    type: Number((low >> 40n) & 0x1fn),
    dpl: Number((low >> 45n) & 3n),
    present: ((low >> 47n) & 1n) === 1n,
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

/** RFLAGS as the frame holds it. */
export const flagsImage = (cpu: Cpu, { fault }: Delivery): bigint => cpu.RFLAGS.value | (fault ? RESUME_FLAG : 0n);

/** What the handler starts with: an interrupt gate masks interrupts, a trap gate leaves them. */
export function clearFlags(cpu: Cpu, { type }: Gate): void {
  cpu.RFLAGS.value &= ~CLEARED;
  if (type === GATE.interrupt16 || type === GATE.interrupt32) cpu.RFLAGS.IF = false;
}
