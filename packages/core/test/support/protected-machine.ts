// Machines in 32-bit protected mode with a GDT of all kinds of segments, an IDT, a TSS and a stack for each level.
import { rawImage } from '../../src/boot/boot-image.js';
import { createMachine, type Machine } from '../../src/machine/machine.js';
import { CODE, hex } from './booted-machine.js';

const GDT = 0x2_0000;
const IDT = 0x2_1000;
export const TSS = 0x2_2000;
export const USER_STACK = 0x5000;
export const KERNEL_STACK = 0x6000;

/** Selectors without RPL. */
export const SELECTOR = {
  code0: 0x08,
  data0: 0x10,
  code3: 0x18,
  data3: 0x20,
  conforming: 0x28,
  absentCode: 0x30,
  absentData: 0x38,
  shortCode: 0x40,
  readOnly: 0x48,
  smallStack: 0x50,
  gate: 0x58,
  beyond: 0x100,
} as const;

const DESCRIPTORS: Readonly<Record<number, bigint>> = {
  [SELECTOR.code0]: 0x00cf_9b00_0000_ffffn,
  [SELECTOR.data0]: 0x00cf_9300_0000_ffffn,
  [SELECTOR.code3]: 0x00cf_fb00_0000_ffffn,
  [SELECTOR.data3]: 0x00cf_f300_0000_ffffn,
  [SELECTOR.conforming]: 0x00cf_9f00_0000_ffffn,
  [SELECTOR.absentCode]: 0x00cf_1b00_0000_ffffn,
  [SELECTOR.absentData]: 0x00cf_1300_0000_ffffn,
  [SELECTOR.shortCode]: 0x0040_9b00_0000_0fffn,
  [SELECTOR.readOnly]: 0x00cf_9100_0000_ffffn,
  [SELECTOR.smallStack]: 0x0040_9300_0000_0007n,
};
const LIMIT = 0x5f;
const FLAT = { base: 0n, limit: 0xffff_ffffn };

/** The bytes of a quadword, lowest first. */
export const quad = (value: bigint): number[] =>
  Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));

/** Doublewords at an address. */
export const doublewords = (machine: Machine, address: number | bigint, count: number): number[] =>
  Array.from({ length: count }, (_, index) =>
    new DataView(machine.readMemory(Number(address) + index * 4, 4).buffer).getUint32(0, true),
  );

/** Words at an address. */
export const words = (machine: Machine, address: number | bigint, count: number): number[] =>
  Array.from({ length: count }, (_, index) =>
    new DataView(machine.readMemory(Number(address) + index * 2, 2).buffer).getUint16(0, true),
  );

/** A machine in protected mode at a privilege level, with code where EIP points. */
export function protectedMachine(code: string, cpl: 0 | 3 = 0, profile = 'intel-server'): Machine {
  const boot = rawImage({ bytes: Uint8Array.from(hex(code)), mode: 'protected', load: CODE });
  const machine = createMachine({ profile, memory: 16 * 2 ** 20, boot });
  const cpu = machine.processor(0);
  for (const [selector, descriptor] of Object.entries(DESCRIPTORS))
    writeDescriptor(machine, Number(selector), descriptor);
  for (const [name, value] of Object.entries({
    'GDTR.base': GDT,
    'GDTR.limit': LIMIT,
    'IDTR.base': IDT,
    'IDTR.limit': 0x7fe,
    'TR.base': TSS,
    'TR.limit': 0x67,
    'TR.selector': 0x60,
    'TR.attributes': 0x8b,
  }))
    cpu.set(name, BigInt(value));
  writeStack(machine, SELECTOR.data0, KERNEL_STACK);
  enterLevel(machine, cpl);
  return machine;
}

/** CS, SS, DS and the stack pointer of level 0 or 3. */
function enterLevel(machine: Machine, cpl: 0 | 3): void {
  const cpu = machine.processor(0);
  const [code, data] = cpl === 0 ? [SELECTOR.code0, SELECTOR.data0] : [SELECTOR.code3, SELECTOR.data3];
  const level = cpl << 5;
  for (const name of ['SS', 'DS', 'ES'] as const) setSegment(machine, name, data | cpl, 0xc093 | level);
  setSegment(machine, 'CS', code | cpl, 0xc09b | level);
  cpu.set('RSP', BigInt(cpl === 0 ? KERNEL_STACK : USER_STACK));
}

function setSegment(machine: Machine, name: string, selector: number, attributes: number): void {
  const cpu = machine.processor(0);
  cpu.set(`${name}.selector`, BigInt(selector));
  cpu.set(`${name}.base`, FLAT.base);
  cpu.set(`${name}.limit`, FLAT.limit);
  cpu.set(`${name}.attributes`, BigInt(attributes));
}

/** Puts a descriptor at a selector of the GDT. */
export function writeDescriptor(machine: Machine, selector: number, descriptor: bigint): void {
  machine.writeMemory(GDT + selector, Uint8Array.from(quad(descriptor)));
}

/** What a gate of eight bytes holds. */
export interface GateFields {
  readonly selector?: number;
  readonly offset?: number;
  readonly type?: number;
  readonly dpl?: number;
  readonly present?: boolean;
  /** Of a call gate. */
  readonly parameters?: number;
}

/** Where handlers and procedures behind gates lie. */
export const HANDLER = 0x30_0000;

/** A gate as its eight bytes say it. */
export function gateOf({
  selector = SELECTOR.code0,
  offset = HANDLER,
  type = 0xe,
  dpl = 3,
  present = true,
  parameters = 0,
}: GateFields): bigint {
  const access = BigInt(type | (dpl << 5) | (present ? 0x80 : 0));
  const [low, high] = [BigInt(offset & 0xffff), BigInt(offset >>> 16)];
  return low | (BigInt(selector) << 16n) | (BigInt(parameters) << 32n) | (access << 40n) | (high << 48n);
}

/** Puts a gate into the IDT. */
export function writeGate(machine: Machine, vector: number, fields: GateFields): void {
  machine.writeMemory(IDT + vector * 8, Uint8Array.from(quad(gateOf(fields))));
}

/** SS0:ESP0 of the 32-bit TSS. */
export function writeStack(machine: Machine, selector: number, pointer: number): void {
  machine.writeMemory(TSS + 4, Uint8Array.from(quad((BigInt(selector) << 32n) | BigInt(pointer))));
}
