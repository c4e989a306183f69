// SDM, "Segment Descriptors": a descriptor of the GDT or LDT as the processor reads it, and its accessed and busy bits.
import { GP, type Raise, raise } from '../interrupt/exceptions.js';
import { type Halves, wholeOf } from '../register/halves.js';
import { type SegmentRegister, slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import type { SegmentState } from '../state/processor.js';
import { wide } from './linear-memory.js';
import { ACCESS } from './segmentation.js';
import { addressIn, asSupervisor, loadImplicit, loadLinear, storeLinear } from './system-access.js';

/** A descriptor with what its selector adds. In words: far transfers and interrupts read one or two each. */
export class SegmentDescriptor {
  readonly selector: number;
  /** Linear address of its first byte. */
  readonly at: Halves;
  readonly #low: number;
  readonly #high: number;
  /** Bits 55:40, with the limit's bits cleared. */
  readonly attributes: number;

  constructor(selector: number, at: Halves, low: number, high: number) {
    this.selector = selector;
    this.at = at;
    this.#low = low;
    this.#high = high;
    this.attributes = (high >>> 8) & 0xf0ff;
  }

  get rpl(): number {
    return this.selector & 3;
  }

  /** The error code that names it: the selector without RPL. */
  get errorCode(): number {
    return this.selector & ~3;
  }

  get address(): bigint {
    return wholeOf(this.at.low, this.at.high);
  }

  /** 32 bits, as a signed integer. */
  get baseWord(): number {
    return (this.#low >>> 16) | ((this.#high & 0xff) << 16) | (this.#high & 0xff00_0000);
  }

  get base(): bigint {
    return BigInt(this.baseWord >>> 0);
  }

  /** In bytes: 32 bits, as a signed integer. */
  get limitWord(): number {
    const limit = (this.#low & 0xffff) | (this.#high & 0xf_0000);
    return (this.attributes & ACCESS.granularity) !== 0 ? (limit << 12) | 0xfff : limit;
  }

  get limit(): bigint {
    return BigInt(this.limitWord >>> 0);
  }

  get dpl(): number {
    return (this.attributes >> 5) & 3;
  }

  get present(): boolean {
    return (this.attributes & ACCESS.present) !== 0;
  }

  /** A code or data segment; else a gate or a system segment of `type`. */
  get codeOrData(): boolean {
    return (this.attributes & ACCESS.codeOrData) !== 0;
  }

  get type(): number {
    return this.attributes & ACCESS.type;
  }
}

const TABLE_INDICATOR = 4;
const ENTRY_BYTES = 8;
/** Of code and data, set in memory and in the register by a load. */
const ACCESSED = 1;

/** A selector without index is null whatever its RPL. */
export const isNull = (selector: number): boolean => (selector & ~3) === 0;
/** Of a code-or-data descriptor. */
export const isCode = ({ type }: SegmentDescriptor): boolean => (type & ACCESS.executable) !== 0;
export const isConforming = (descriptor: SegmentDescriptor): boolean =>
  isCode(descriptor) && (descriptor.type & 4) !== 0;
/** Readable for code, writable for data. */
export const isAccessible = ({ type }: SegmentDescriptor): boolean => (type & 2) !== 0;

const TABLES = {
  GDTR: { base: slotOf('GDTR.base'), limit: slotOf('GDTR.limit') * 2 },
  LDTR: { base: slotOf('LDTR.base'), limit: slotOf('LDTR.limit') * 2 },
} as const;
const LDTR_ATTRIBUTES = slotOf('LDTR.attributes') * 2;
const isLocal = (selector: number): boolean => (selector & TABLE_INDICATOR) !== 0;
const tableOf = (selector: number): (typeof TABLES)['GDTR' | 'LDTR'] => (isLocal(selector) ? TABLES.LDTR : TABLES.GDTR);

/** Whether the table of a selector ends before so many bytes from its entry on. */
const endsBefore = ({ words }: Cpu, selector: number, bytes: number): boolean =>
  (selector & ~7) + bytes - 1 > (words[tableOf(selector).limit] as number) >>> 0;

/**
 * Reads the descriptor of a selector that is not null.
 * @throws GuestFault with `refused` of the selector if the table ends before it, or what the read raises
 */
export function readDescriptor(
  cpu: Cpu,
  selector: number,
  refused: (errorCode: number) => Raise,
  rule: string,
): SegmentDescriptor {
  return findDescriptor(cpu, selector) ?? raise(refused(selector & ~3), rule);
}

/** The same, or undefined if the table ends before it. */
export function findDescriptor(cpu: Cpu, selector: number): SegmentDescriptor | undefined {
  const unusable = isLocal(selector) && ((cpu.words[LDTR_ATTRIBUTES] as number) & ACCESS.unusable) !== 0;
  if (unusable || endsBefore(cpu, selector, ENTRY_BYTES)) return undefined;
  const at = addressIn(cpu, tableOf(selector).base, selector & ~7);
  const low = loadImplicit(cpu, at.low, at.high, 8);
  return new SegmentDescriptor(selector, at, low, wide.high);
}

/**
 * The second half of a 16-byte descriptor: bits 63:32 of a base stand there, or of the offset in a call gate.
 * @throws GuestFault with #GP of the selector if the table ends before it, or what the read raises
 */
export function readUpperHalf(cpu: Cpu, { address, selector, errorCode }: SegmentDescriptor, rule: string): bigint {
  if (endsBefore(cpu, selector, 2 * ENTRY_BYTES)) raise(GP(errorCode), rule);
  return asSupervisor(cpu, () => loadLinear(cpu, address + 8n, 8));
}

/** Sets bits of the type field in memory: accessed (1) of code and data, busy (2) of a TSS. Nothing if they are set. */
export function setTypeBits(cpu: Cpu, descriptor: SegmentDescriptor, bits: number): void {
  if ((descriptor.type & bits) === bits) return;
  const byte = descriptor.address + 5n;
  asSupervisor(cpu, () => storeLinear(cpu, byte, 1, loadLinear(cpu, byte, 1) | BigInt(bits)));
}

/** What a segment register holds after the descriptor was loaded, with RPL replaced if said. */
export function segmentState({ selector, base, limit, attributes }: SegmentDescriptor, rpl?: number): SegmentState {
  const visible = rpl === undefined ? selector : (selector & ~3) | rpl;
  return { selector: BigInt(visible), base, limit, attributes: BigInt(attributes | 1) };
}

/** Loads a segment register with a descriptor of code or data, with RPL replaced if said. */
export function loadDescriptor(
  cpu: Cpu,
  name: SegmentRegister,
  descriptor: SegmentDescriptor,
  rpl: number = descriptor.rpl,
): void {
  const { errorCode, baseWord, limitWord, attributes } = descriptor;
  cpu.setSegmentWords(name, errorCode | rpl, baseWord, limitWord, attributes | ACCESSED);
}
