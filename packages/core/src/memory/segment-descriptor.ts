// SDM, "Segment Descriptors": a descriptor of the GDT or LDT as the processor reads it, and its accessed and busy bits.
import { GP, type Raise, raise } from '../interrupt/exceptions.js';
import type { Cpu } from '../state/cpu.js';
import type { SegmentState } from '../state/processor.js';
import { ACCESS } from './segmentation.js';
import { asSupervisor, loadLinear, storeLinear } from './system-access.js';

/** A descriptor with what its selector adds. */
export interface SegmentDescriptor {
  readonly selector: number;
  readonly rpl: number;
  /** The error code that names it: the selector without RPL. */
  readonly errorCode: number;
  /** Linear address of its first byte. */
  readonly address: bigint;
  readonly base: bigint;
  readonly limit: bigint;
  /** Bits 55:40, with the limit's bits cleared. */
  readonly attributes: number;
  readonly dpl: number;
  readonly present: boolean;
  /** A code or data segment; else a gate or a system segment of `type`. */
  readonly codeOrData: boolean;
  readonly type: number;
}

const TABLE_INDICATOR = 4;
const ENTRY_BYTES = 8;

/** A selector without index is null whatever its RPL. */
export const isNull = (selector: number): boolean => (selector & ~3) === 0;
/** Of a code-or-data descriptor. */
export const isCode = ({ type }: SegmentDescriptor): boolean => (type & ACCESS.executable) !== 0;
export const isConforming = (descriptor: SegmentDescriptor): boolean =>
  isCode(descriptor) && (descriptor.type & 4) !== 0;
/** Readable for code, writable for data. */
export const isAccessible = ({ type }: SegmentDescriptor): boolean => (type & 2) !== 0;

const tableOf = (selector: number): 'LDTR' | 'GDTR' => ((selector & TABLE_INDICATOR) !== 0 ? 'LDTR' : 'GDTR');

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
  const table = tableOf(selector);
  const offset = selector & ~7;
  const unusable = table === 'LDTR' && (cpu.read('LDTR.attributes') & BigInt(ACCESS.unusable)) !== 0n;
  if (unusable || BigInt(offset + ENTRY_BYTES - 1) > cpu.read(`${table}.limit`)) return undefined;
  const address = BigInt.asUintN(cpu.EFER.LMA ? 64 : 32, cpu.read(`${table}.base`) + BigInt(offset));
  const raw = asSupervisor(cpu, () => loadLinear(cpu, address, 8));
  const attributes = Number((raw >> 40n) & 0xf0ffn);
  const limit = (raw & 0xffffn) | ((raw >> 32n) & 0xf_0000n);
  return {
    base: ((raw >> 16n) & 0xff_ffffn) | ((raw >> 32n) & 0xff00_0000n),
    limit: (attributes & ACCESS.granularity) !== 0 ? (limit << 12n) | 0xfffn : limit,
    attributes,
    dpl: (attributes >> 5) & 3,
    present: (attributes & ACCESS.present) !== 0,
    codeOrData: (attributes & ACCESS.codeOrData) !== 0,
    type: attributes & ACCESS.type,
    selector,
    rpl: selector & 3,
    errorCode: selector & ~3,
    address,
  };
}

/**
 * The second half of a 16-byte descriptor: bits 63:32 of a base stand there, or of the offset in a call gate.
 * @throws GuestFault with #GP of the selector if the table ends before it, or what the read raises
 */
export function readUpperHalf(cpu: Cpu, { address, selector, errorCode }: SegmentDescriptor, rule: string): bigint {
  if (BigInt((selector & ~7) + 2 * ENTRY_BYTES - 1) > cpu.read(`${tableOf(selector)}.limit`))
    raise(GP(errorCode), rule);
  return asSupervisor(cpu, () => loadLinear(cpu, address + 8n, 8));
}

/** Sets bits of the type field in memory: accessed (1) of code and data, busy (2) of a TSS. Nothing if they are set. */
export function setTypeBits(cpu: Cpu, { address, type }: SegmentDescriptor, bits: number): void {
  if ((type & bits) === bits) return;
  const byte = address + 5n;
  asSupervisor(cpu, () => storeLinear(cpu, byte, 1, loadLinear(cpu, byte, 1) | BigInt(bits)));
}

/** What a segment register holds after the descriptor was loaded, with RPL replaced if said. */
export function segmentState({ selector, base, limit, attributes }: SegmentDescriptor, rpl?: number): SegmentState {
  const visible = rpl === undefined ? selector : (selector & ~3) | rpl;
  return { selector: BigInt(visible), base, limit, attributes: BigInt(attributes | 1) };
}
