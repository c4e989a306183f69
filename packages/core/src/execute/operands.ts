// The operands that a function-form instruction sees when it was fetched and decoded.
import type { Execution } from '../instruction/define.js';
import type { Operand } from '../instruction/operand.js';
import { GP, raise, SS } from '../interrupt/exceptions.js';
import { isCanonical } from '../memory/canonical.js';
import type { SegmentIndex } from '../memory/linear-memory.js';
import { loadLinear } from '../memory/system-access.js';
import { GENERAL_REGISTERS, SEGMENT_REGISTERS } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import { FRAME_BYTES } from '../state/workbench.js';
import type { CodeWidth, Decoded, DecodedMemory, DecodedOperand, DecodedRegister } from './decode.js';
import { ValueOperand } from './value-operand.js';

// Masks, not BigInt.asUintN: where its result meets another bigint, the optimizing compiler of Node 20 may give up on an
// assertion of its own (RepresentationChangerError), which ends the process.
const ADDRESS_32 = 0xffff_ffffn;
const ADDRESS_64 = 0xffff_ffff_ffff_ffffn;

const HIGH_BYTE_SHIFT = 8n;

/** The explicit operands of a decoded instruction on a processor, in encoding order. */
export function operandsOf(cpu: Cpu, decoded: Decoded): readonly Operand[] {
  return decoded.operands.map((operand) => decodedOperand(cpu, operand));
}

/** What the checks and the effect of a decoded instruction see: made again only if an operand may be memory. */
export function executionOf(decoded: Decoded): (cpu: Cpu) => Execution {
  const { operandWidth } = decoded;
  const make = (cpu: Cpu): Execution => ({ cpu, operands: operandsOf(cpu, decoded), operandWidth });
  if (decoded.operands.some(({ kind }) => kind === 'memory')) return make; // which is read at most once
  let last: Execution | undefined;
  return (cpu) => {
    if (last?.cpu !== cpu) last = make(cpu);
    return last;
  };
}

function decodedOperand(cpu: Cpu, operand: DecodedOperand): Operand {
  switch (operand.kind) {
    case 'register':
      return registerOperand(cpu, operand);
    case 'memory':
      return new MemoryOperand(cpu, operand);
    case 'immediate':
      return new ValueOperand('immediate', operand.width, operand.value);
    case 'far':
      return new ValueOperand(
        'immediate',
        operand.width + 16,
        (BigInt(operand.selector) << BigInt(operand.width)) | BigInt(operand.offset),
      );
  }
}

function registerOperand(cpu: Cpu, register: DecodedRegister): Operand {
  const { name, width, class: kind } = register;
  if (kind === 'general') return generalOperand(cpu, register);
  const stored = kind === 'segment' ? `${name}.selector` : name;
  return {
    kind: 'register',
    register: name,
    width: kind === 'segment' ? 16 : width,
    linear: () => undefined,
    place: () => stored,
    read: () => cpu.read(stored),
    write: (value) => cpu.set(stored, value),
    probeWrite: () => {},
    readBytes: () => new Uint8Array(),
  };
}

/** Parts of a general register: a 32-bit write clears the upper half, narrower ones keep the rest. */
function generalOperand(cpu: Cpu, { name, width, index, high }: DecodedRegister): Operand {
  const mask = (1n << BigInt(width)) - 1n;
  const shift = high ? HIGH_BYTE_SHIFT : 0n;
  return {
    kind: 'register',
    register: name,
    width,
    linear: () => undefined,
    place: () => GENERAL_REGISTERS[index],
    read: () => (cpu.readSlot(index) >> shift) & mask,
    write: (value) => {
      const kept = width >= 32 ? 0n : cpu.readSlot(index) & ~(mask << shift);
      cpu.writeSlot(index, kept | ((value & mask) << shift));
    },
    probeWrite: () => {},
    readBytes: () => new Uint8Array(),
  };
}

/** The counter of a repeated instruction: CX, ECX or RCX by the address size. */
export function repeatCounter(cpu: Cpu, width: CodeWidth): Operand {
  return generalOperand(cpu, { kind: 'register', class: 'general', name: 'RCX', width, index: 1, high: false });
}

/** Memory named by an instruction; read at most once. */
class MemoryOperand implements Operand {
  readonly kind = 'memory';
  readonly width: number;
  readonly #cpu: Cpu;
  readonly #decoded: DecodedMemory;
  #value: bigint | undefined;

  constructor(cpu: Cpu, decoded: DecodedMemory) {
    this.#cpu = cpu;
    this.#decoded = decoded;
    this.width = decoded.width || 64;
  }

  get index(): Operand | undefined {
    return this.#decoded.base && generalOperand(this.#cpu, this.#decoded.base);
  }

  linear(access: 'read' | 'write' = 'read'): bigint {
    return this.#linear(this.width / 8, access === 'write');
  }

  #linear(bytes: number, write: boolean): bigint {
    const offset = effectiveOffset(this.#cpu, this.#decoded);
    const { segment } = this.#decoded;
    if (this.#cpu.mode !== '64-bit')
      return BigInt(
        this.#cpu.draft.tlb.segmented(Number(BigInt.asIntN(32, offset)), this.#segment, bytes, write) >>> 0,
      );
    const base = segment === 'FS' || segment === 'GS' ? this.#cpu.read(`${segment}.base`) : 0n;
    const linear = (base + offset) & ADDRESS_64;
    const [, high] = halves(linear);
    if (!isCanonical(high, this.#cpu.CR4.LA57 ? 57 : 48))
      raise(segment === 'SS' ? SS(0) : GP(0), 'core.linear-address.canonical');
    return linear;
  }

  uncheckedLinear(): bigint {
    const offset = effectiveOffset(this.#cpu, this.#decoded);
    const { segment } = this.#decoded;
    if (this.#cpu.mode !== '64-bit') return (this.#cpu.read(`${segment}.base`) + offset) & ADDRESS_32;
    return (segment === 'FS' || segment === 'GS' ? this.#cpu.read(`${segment}.base`) + offset : offset) & ADDRESS_64;
  }

  get #segment(): SegmentIndex {
    return SEGMENT_REGISTERS.indexOf(this.#decoded.segment) as SegmentIndex;
  }

  place(): string {
    const bytes = this.width / 8;
    const [low, high] = halves(this.#linear(bytes, false));
    const physical = this.#cpu.draft.tlb.translate(low, high, this.#segment, 'read');
    return `[0x${physical.toString(16)}+${Math.min(bytes, FRAME_BYTES - (physical % FRAME_BYTES))}]`;
  }

  read(): bigint {
    this.#value ??= this.#read();
    return this.#value;
  }

  #read(): bigint {
    const bytes = this.width / 8;
    const copied = this.#copy(Math.min(bytes, 8), bytes);
    return copied.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  readBytes(length: number): Uint8Array {
    return this.#copy(length, length);
  }

  #copy(length: number, checked: number): Uint8Array {
    const start = this.#linear(checked, false);
    const { tlb } = this.#cpu.draft;
    if (length === 2 || length === 4 || length === 8) {
      const value = loadLinear(this.#cpu, start, length, this.#segment); // as a whole: its alignment counts
      return new Uint8Array(BigUint64Array.of(value).buffer).subarray(0, length);
    }
    return Uint8Array.from({ length }, (_, index) => {
      const [low, high] = halves(start + BigInt(index));
      return tlb.load8(low, high, this.#segment);
    });
  }

  write(value: bigint): void {
    const bytes = this.width / 8;
    const [low, high] = halves(this.#linear(bytes, true));
    const [valueLow, valueHigh] = halves(value);
    const { tlb } = this.#cpu.draft;
    if (bytes === 1) tlb.store8(low, high, this.#segment, valueLow);
    else if (bytes === 2) tlb.store16(low, high, this.#segment, valueLow);
    else if (bytes === 4) tlb.store32(low, high, this.#segment, valueLow);
    else tlb.store64(low, high, this.#segment, valueLow, valueHigh);
  }

  /** The first and the last byte: an operand lies on two pages at most. */
  probeWrite(): void {
    const bytes = this.width / 8;
    const start = this.#linear(bytes, true);
    for (const byte of [start, start + BigInt(bytes - 1)]) {
      const [low, high] = halves(byte);
      this.#cpu.draft.tlb.modify8(low, high, this.#segment);
    }
  }
}

function halves(value: bigint): readonly [low: number, high: number] {
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}

/** The offset of memory in its segment. */
export function effectiveOffset(cpu: Cpu, { base, index, scale, displacement, addressWidth }: DecodedMemory): bigint {
  const part = (register: DecodedRegister | undefined) =>
    register === undefined ? 0n : BigInt.asUintN(register.width, cpu.readSlot(register.index));
  return BigInt.asUintN(addressWidth, part(base) + part(index) * BigInt(scale) + displacement);
}
