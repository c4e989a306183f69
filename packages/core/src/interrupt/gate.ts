// Delivery through a 64-bit IDT gate (SDM, "64-Bit Mode IDT", "Interrupt Stack Table"): the checks, the stack switch, the
// frame. Each failed check is itself an exception with EXT set.
import type { SegmentIndex } from '../memory/linear-memory.js';
import {
  isCode,
  isConforming,
  isNull,
  readDescriptor,
  type SegmentDescriptor,
  segmentState,
  setTypeBits,
} from '../memory/segment-descriptor.js';
import { ACCESS } from '../memory/segmentation.js';
import { asSupervisor, loadLinear, storeLinear } from '../memory/system-access.js';
import { RFLAGS } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import { GP, NP, raise, SS, TS } from './exceptions.js';

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

interface Gate {
  readonly selector: number;
  readonly offset: bigint;
  readonly ist: number;
  readonly type: number;
  readonly dpl: number;
  readonly present: boolean;
}

/** Bits of an error code that names a selector or a vector. */
const EXT = 1;
const IDT = 2;
const INTERRUPT_GATE = 0xe;
const TRAP_GATE = 0xf;
const GATE_BYTES = 16;
const ACCESSED = 1;
const STACK: SegmentIndex = 2;
/** RSP0 to RSP2, then IST1 to IST7 in the 64-bit TSS. */
const TSS_RSP0 = 4;
const TSS_IST1 = 36;
const RESUME_FLAG = 1n << BigInt(RFLAGS.bits.RF);
const CLEARED = [RFLAGS.bits.TF, RFLAGS.bits.NT, RFLAGS.bits.RF, RFLAGS.bits.VM] as const;

/** Delivers through the IDT in IA-32e mode; raises what the delivery itself raises. */
export function deliverThroughGate(cpu: Cpu, delivery: Delivery): void {
  const gate = readGate(cpu, delivery);
  const code = readCode(cpu, gate.selector, delivery.software ? 0 : EXT);
  const oldCpl = cpu.CPL;
  const cpl = isConforming(code) ? oldCpl : code.dpl;
  const frame = frameOf(cpu, delivery);
  const ext = delivery.software ? 0 : EXT;
  const stack = stackPointer(cpu, gate, cpl, oldCpl, ext);
  if (!isCanonicalAddress(cpu, stack - 8n * BigInt(frame.length)) || !isCanonicalAddress(cpu, stack - 1n))
    raise(SS(ext), 'core.linear-address.canonical');
  if (!isCanonicalAddress(cpu, gate.offset)) raise(GP(ext), 'core.idt.target-canonical');
  if (cpl !== oldCpl) cpu.set('SS.attributes', withDpl(cpu.read('SS.attributes'), cpl));
  pushFrame(cpu, stack, frame);
  cpu.RSP = stack - 8n * BigInt(frame.length);
  if (cpl !== oldCpl) loadNullStack(cpu, cpl);
  cpu.setSegment('CS', segmentState(code, cpl));
  cpu.RIP = gate.offset;
  for (const bit of CLEARED) cpu.set('RFLAGS', cpu.read('RFLAGS') & ~(1n << BigInt(bit)));
  if (gate.type === INTERRUPT_GATE) cpu.RFLAGS.IF = false;
}

function readGate(cpu: Cpu, { vector, software }: Delivery): Gate {
  const error = vector * 8 + IDT + (software ? 0 : EXT);
  const offset = vector * GATE_BYTES;
  if (offset + GATE_BYTES - 1 > Number(cpu.read('IDTR.limit'))) raise(GP(error), 'core.idt.limit');
  const base = cpu.read('IDTR.base') + BigInt(offset);
  const [low, high] = asSupervisor(cpu, () => [loadLinear(cpu, base, 8), loadLinear(cpu, base + 8n, 8)] as const);
  const gate: Gate = {
    selector: Number((low >> 16n) & 0xffffn),
    offset: (low & 0xffffn) | ((low >> 32n) & 0xffff_0000n) | ((high & 0xffff_ffffn) << 32n),
    ist: Number((low >> 32n) & 7n),
    type: Number((low >> 40n) & 0x1fn),
    dpl: Number((low >> 45n) & 3n),
    present: ((low >> 47n) & 1n) === 1n,
  };
  if (gate.type !== INTERRUPT_GATE && gate.type !== TRAP_GATE) raise(GP(error), 'core.idt.gate-type');
  if (software && gate.dpl < cpu.CPL) raise(GP(error), 'core.idt.gate-dpl');
  if (!gate.present) raise(NP(error), 'core.idt.gate-present');
  return gate;
}

function withDpl(attributes: bigint, dpl: number): bigint {
  return (attributes & ~0x60n) | (BigInt(dpl) << 5n);
}

/** The code segment that the gate names, after its checks. */
function readCode(cpu: Cpu, selector: number, ext: number): SegmentDescriptor {
  if (isNull(selector)) raise(GP(ext), 'core.idt.target-null');
  const code = readDescriptor(cpu, selector, (error) => GP(error | ext), 'core.idt.target-limit');
  const is64Bit = (code.attributes & (ACCESS.long | ACCESS.big)) === ACCESS.long;
  if (!code.codeOrData || !isCode(code) || code.dpl > cpu.CPL || !is64Bit)
    raise(GP(code.errorCode | ext), 'core.idt.target-type');
  if (!code.present) raise(NP(code.errorCode | ext), 'core.idt.target-present');
  setTypeBits(cpu, code, ACCESSED);
  return code;
}

function frameOf(cpu: Cpu, { returnRip, errorCode, fault }: Delivery): readonly bigint[] {
  const flags = cpu.RFLAGS.value | (fault ? RESUME_FLAG : 0n);
  const frame = [cpu.read('SS.selector'), cpu.RSP, flags, cpu.read('CS.selector'), returnRip];
  return errorCode === undefined ? frame : [...frame, BigInt(errorCode)];
}

/** The stack that the frame goes to, aligned to 16 bytes: an IST entry, RSP of the new level, or the current one. */
function stackPointer(cpu: Cpu, { ist }: Gate, cpl: number, oldCpl: number, ext: number): bigint {
  if (ist === 0 && cpl === oldCpl) return cpu.RSP & ~0xfn;
  const offset = ist === 0 ? TSS_RSP0 + cpl * 8 : TSS_IST1 + (ist - 1) * 8;
  if (offset + 7 > Number(cpu.read('TR.limit')))
    raise(TS(Number(cpu.read('TR.selector') & ~3n) | ext), 'core.tss.limit');
  return asSupervisor(cpu, () => loadLinear(cpu, cpu.read('TR.base') + BigInt(offset), 8)) & ~0xfn;
}

/** The handler runs in 64-bit mode, whatever mode was interrupted. */
function isCanonicalAddress(cpu: Cpu, address: bigint): boolean {
  const width = cpu.CR4.LA57 ? 57 : 48;
  return BigInt.asIntN(width, address) === BigInt.asIntN(64, address);
}

/** The whole frame must be writable before any of it counts. */
function pushFrame(cpu: Cpu, top: bigint, frame: readonly bigint[]): void {
  for (const [index, value] of frame.entries()) {
    storeLinear(cpu, BigInt.asUintN(64, top - 8n * BigInt(index + 1)), 8, value, STACK);
  }
}

/** A change of privilege loads SS with a null selector of the new level. */
function loadNullStack(cpu: Cpu, cpl: number): void {
  cpu.setSegment('SS', {
    selector: BigInt(cpl),
    base: 0n,
    limit: 0n,
    attributes: BigInt(ACCESS.unusable | (cpl << 5)),
  });
}
