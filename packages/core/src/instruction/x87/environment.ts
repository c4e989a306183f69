// SDM, "Saving the x87 FPU's State with FSTENV/FNSTENV and FSAVE/FNSAVE": the image of the state in memory, in its four
// formats: 16 or 32 bits, of protected or of real-address and virtual-8086 mode.
import { sdm } from '../../manual/sdm.js';
import { storeLinear } from '../../memory/system-access.js';
import type { Cpu } from '../../state/cpu.js';
import { unpacked } from '../../x87/extended.js';
import { CONTROL_BITS, CONTROL_ONE, INITIAL_CONTROL, TOP_SHIFT } from '../../x87/status.js';
import type { Operand } from '../operand.js';
import { operandAt } from '../privilege.js';
import { defineControl } from './define.js';
import { littleEndian } from './operands.js';
import { setStatus } from './unit.js';

const REGISTERS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7];
const REGISTER_BYTES = 10;
const EMPTY = 3;
const LOW_WORD = 0xffffn;

/** FCW as it is loaded: reserved bits keep their values. */
export function setControl(cpu: Cpu, value: bigint): void {
  cpu.set('FCW', (value & BigInt(CONTROL_BITS)) | BigInt(CONTROL_ONE));
  setStatus(cpu, Number(cpu.read('FSW')));
}

/** FNINIT: the data registers keep what they hold, and are empty. */
export function initialize(cpu: Cpu): void {
  setStatus(cpu, 0);
  cpu.set('FCW', BigInt(INITIAL_CONTROL));
  for (const register of ['FTW', 'FOP', 'FIP', 'FCS', 'FDP', 'FDS']) cpu.set(register, 0n);
}

/** SDM, "x87 FPU Tag Word": two bits a register, valid, zero, special or empty. */
function tagWord(cpu: Cpu): bigint {
  const full = Number(cpu.read('FTW'));
  return REGISTERS.reduce((tags, register) => tags | (BigInt(tagOf(cpu, register, full)) << BigInt(2 * register)), 0n);
}

function tagOf(cpu: Cpu, register: number, full: number): number {
  if (((full >> register) & 1) === 0) return EMPTY;
  const { kind, denormal } = unpacked(cpu.read(`R${register}`));
  return kind === 'zero' ? 1 : kind === 'finite' && !denormal ? 0 : 2;
}

/** Only empty or not is kept of a tag word that is loaded. */
function setTagWord(cpu: Cpu, tags: bigint): void {
  const full = REGISTERS.filter((register) => ((tags >> BigInt(2 * register)) & 3n) !== 3n);
  cpu.set('FTW', BigInt(full.reduce((bits, register) => bits | (1 << register), 0)));
}

/** The seven fields of an image, each of the width of the format; unused upper halves are ones. */
type Fields = readonly bigint[];

/** Real-address mode has linear addresses of 20 or 32 bits, split between a field and the one after it. */
function usesLinearAddresses(cpu: Cpu): boolean {
  return cpu.mode === 'real' || cpu.mode === 'virtual-8086';
}

const HIGH_ONES = 0xffff_0000n;

function protectedFields(cpu: Cpu, wide: boolean): Fields {
  const [code, data] = [cpu.read('FCS'), cpu.read('FDS')];
  return wide
    ? [cpu.read('FIP'), code | (cpu.read('FOP') << 16n), cpu.read('FDP'), data | HIGH_ONES]
    : [cpu.read('FIP'), code, cpu.read('FDP'), data];
}

function realFields(cpu: Cpu, wide: boolean): Fields {
  const instruction = (cpu.read('FCS') << 4n) + cpu.read('FIP');
  const data = (cpu.read('FDS') << 4n) + cpu.read('FDP');
  const upper = (address: bigint) => (wide ? (address >> 16n) & LOW_WORD : (address >> 16n) & 0xfn) << 12n;
  const lower = (address: bigint) => (address & LOW_WORD) | HIGH_ONES;
  return [lower(instruction), upper(instruction) | cpu.read('FOP'), lower(data), upper(data)];
}

function environment(cpu: Cpu, fieldBytes: 2 | 4): Uint8Array {
  const wide = fieldBytes === 4;
  const words = [cpu.read('FCW'), cpu.read('FSW'), tagWord(cpu)].map((word) => word | HIGH_ONES);
  const pointers = usesLinearAddresses(cpu) ? realFields(cpu, wide) : protectedFields(cpu, wide);
  return bytesOf([...words, ...pointers], fieldBytes);
}

function bytesOf(values: readonly bigint[], bytesEach: number): Uint8Array {
  const at = (index: number) => (values[Math.floor(index / bytesEach)] ?? 0n) >> BigInt(8 * (index % bytesEach));
  return Uint8Array.from({ length: values.length * bytesEach }, (_, index) => Number(at(index) & 0xffn));
}

function loadEnvironment(cpu: Cpu, image: Uint8Array, fieldBytes: 2 | 4): void {
  const field = (index: number) => littleEndian(image.subarray(index * fieldBytes, (index + 1) * fieldBytes));
  const [control, status, tags] = [field(0) & LOW_WORD, field(1) & LOW_WORD, field(2) & LOW_WORD];
  loadPointers(cpu, [field(3), field(4), field(5), field(6)], fieldBytes === 4);
  setTagWord(cpu, tags);
  setControl(cpu, control);
  setStatus(cpu, Number(status));
}

const OPCODE = 0x7ffn;

function loadPointers(
  cpu: Cpu,
  [instruction, code, data, selector]: readonly [bigint, bigint, bigint, bigint],
  wide: boolean,
) {
  if (usesLinearAddresses(cpu)) {
    const address = (low: bigint, high: bigint) =>
      (low & LOW_WORD) | (((high >> 12n) & (wide ? LOW_WORD : 0xfn)) << 16n);
    return set(cpu, {
      FIP: address(instruction, code),
      FCS: 0n,
      FOP: code & OPCODE,
      FDP: address(data, selector),
      FDS: 0n,
    });
  }
  const opcode = wide ? (code >> 16n) & OPCODE : 0n;
  return set(cpu, { FIP: instruction, FCS: code & LOW_WORD, FOP: opcode, FDP: data, FDS: selector & LOW_WORD });
}

function set(cpu: Cpu, values: Readonly<Record<string, bigint>>): void {
  for (const [register, value] of Object.entries(values)) cpu.set(register, value);
}

const ENVIRONMENT_FIELDS = 7;

/** The width of a field follows from that of the operand: 14 or 28 bytes, or 80 more with the data registers. */
function fieldBytesOf(operand: Operand): 2 | 4 {
  return [ENVIRONMENT_FIELDS * 2, ENVIRONMENT_FIELDS * 2 + 80].includes(operand.width / 8) ? 2 : 4;
}

/** The data registers in the order of the stack: ST(0) first. */
function stackOrder(cpu: Cpu): readonly string[] {
  const top = Number(cpu.read('FSW') >> BigInt(TOP_SHIFT)) & 7;
  return REGISTERS.map((index) => `R${(top + index) & 7}`);
}

/** All of it, or nothing if the access faults. */
function storeBytes(cpu: Cpu, operand: Operand, bytes: Uint8Array): void {
  operand.probeWrite();
  const address = operand.linear('write') ?? 0n;
  for (const [offset, byte] of bytes.entries()) storeLinear(cpu, address + BigInt(offset), 1, BigInt(byte));
}

export const X87_ENVIRONMENT = [
  defineControl({
    mnemonic: 'FNSTENV',
    manual: sdm('FSTENV/FNSTENV—Store x87 FPU Environment'),
    waits: false,
    effect({ cpu }, operands) {
      const operand = operandAt(operands, 0);
      storeBytes(cpu, operand, environment(cpu, fieldBytesOf(operand)));
      setControl(cpu, cpu.read('FCW') | 0x3fn); // all exceptions are masked afterwards
    },
  }),
  defineControl({
    mnemonic: 'FLDENV',
    manual: sdm('FLDENV—Load x87 FPU Environment'),
    effect({ cpu }, operands) {
      const operand = operandAt(operands, 0);
      loadEnvironment(cpu, operand.readBytes(operand.width / 8), fieldBytesOf(operand));
    },
  }),
  defineControl({
    mnemonic: 'FNSAVE',
    manual: sdm('FSAVE/FNSAVE—Store x87 FPU State'),
    waits: false,
    effect({ cpu }, operands) {
      const operand = operandAt(operands, 0);
      const registers = bytesOf(
        stackOrder(cpu).map((register) => cpu.read(register)),
        REGISTER_BYTES,
      );
      storeBytes(cpu, operand, Uint8Array.of(...environment(cpu, fieldBytesOf(operand)), ...registers));
      initialize(cpu);
    },
  }),
  defineControl({
    mnemonic: 'FRSTOR',
    manual: sdm('FRSTOR—Restore x87 FPU State'),
    effect({ cpu }, operands) {
      const operand = operandAt(operands, 0);
      const image = operand.readBytes(operand.width / 8);
      const fieldBytes = fieldBytesOf(operand);
      loadEnvironment(cpu, image, fieldBytes);
      const registers = image.subarray(ENVIRONMENT_FIELDS * fieldBytes);
      for (const [index, register] of stackOrder(cpu).entries())
        cpu.set(register, littleEndian(registers.subarray(index * REGISTER_BYTES, (index + 1) * REGISTER_BYTES)));
    },
  }),
];
