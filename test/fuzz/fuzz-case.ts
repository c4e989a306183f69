// A random guest: mode, privilege, code, registers, page tables, descriptors and gates, all from one number.
import {
  ACTIVITY,
  type BootMode,
  createMachine,
  GENERAL_REGISTERS,
  type Machine,
  type Plugin,
  type Processor,
  rawImage,
} from '@retrovisor/core';
import { pluginsFor } from '../../packages/cli/src/guest/plugins.js';
import { CODE_KINDS, type CodeKind, codeOf } from './code.js';
import { Random } from './random.js';

/** The width of code and the paging that goes with it. */
const MODES = {
  real: { boot: 'real', code: 0x9bn },
  'protected, 16 bits': { boot: 'protected', code: 0x9bn },
  'protected, 32 bits': { boot: 'protected', code: 0xc09bn },
  compatibility: { boot: 'long', code: 0xc09bn },
  '64-bit': { boot: 'long', code: 0xa09bn },
} as const satisfies Readonly<Record<string, { readonly boot: BootMode; readonly code: bigint }>>;

type FuzzMode = keyof typeof MODES;

/** A guest as it was drawn. */
export interface FuzzCase {
  readonly seed: number;
  readonly mode: FuzzMode;
  readonly kind: CodeKind;
  readonly machine: Machine;
}

const MEMORY_BYTES = 2 ** 22;
/** Below FFFFH, so that it can be reached in real mode too. */
const CODE = 0x8000;
const CODE_BYTES = 0x1800;
const STACK = 0x7000;
const TABLES = { idt: 0x1_0000, tss: 0x1_1000, ldt: 0x1_2000, gdt: 0x1_3000 } as const;
const TABLE_BYTES = 0x800;
/** Where the tables of a machine in long mode lie, and how much of them is worth damaging. */
const PAGE_TABLES = { address: 0x1000, bytes: 0x3040 } as const;
const PROFILES = ['intel-server', 'amd-server'] as const;

/** Makes the guest of a number. */
export async function makeCase(seed: number): Promise<FuzzCase> {
  const random = new Random(seed);
  const mode = random.pick(Object.keys(MODES) as FuzzMode[]);
  const kind = random.pick(CODE_KINDS);
  const profile = random.pick(PROFILES);
  const processors = random.oneIn(8) ? 2 : 1;
  const plugins = await pluginsFor(profile, { plugin: [] }, { processors, memoryBytes: MEMORY_BYTES });
  const boot = rawImage({ bytes: codeOf(kind, CODE_BYTES, random), mode: MODES[mode].boot, load: CODE });
  const machine = createMachine<readonly Plugin[]>({
    profile,
    processors,
    memory: MEMORY_BYTES,
    plugins,
    boot,
    quantum: random.pick([7, 100, 100_000]),
  });
  for (let id = 0; id < processors; id++) arrange(machine, mode, id, random);
  return { seed, mode, kind, machine };
}

/** The second processor starts where the first one does, or waits for it. */
function arrange(machine: Machine, mode: FuzzMode, id: number, random: Random): void {
  const cpu = machine.processor(id);
  if (id > 0 && random.oneIn(2)) cpu.set('activity', BigInt(ACTIVITY.indexOf('active')));
  const set = (register: string, value: bigint): void => void cpu.set(register, value);
  for (const register of GENERAL_REGISTERS) set(register, registerValue(random));
  if (!random.oneIn(8)) set('RSP', BigInt(STACK + random.below(64)));
  set('RFLAGS', 0x2n | (random.bits64() & (random.oneIn(4) ? 0x3f_7fd5n : 0xcd5n)));
  if (mode === 'real') {
    for (const name of ['DS', 'ES', 'SS'] as const) if (random.oneIn(2)) setRealSegment(cpu, name, random);
    if (random.oneIn(2)) machine.writeMemory(0, Uint8Array.from(random.bytes(0x400)));
    return;
  }
  set('CS.attributes', MODES[mode].code);
  if (random.oneIn(3)) enterUserLevel(cpu);
  writeTables(machine, cpu, random);
  if (random.oneIn(2)) writeSoundGates(machine, cpu, MODES[mode].boot === 'long', random);
  set('CR4', cpu.read('CR4') | (random.bits64() & CR4_BITS));
  set('CR0', cpu.read('CR0') | (random.bits64() & CR0_BITS));
  if (MODES[mode].boot === 'long' && random.oneIn(2)) damagePageTables(machine, random);
}

/** TSD, DE, MCE, PGE, OSFXSR, OSXMMEXCPT, UMIP, FSGSBASE, SMEP, SMAP; MP, EM, TS, NE, WP, AM. */
const CR4_BITS = 0x31_0eccn;
const CR0_BITS = 0x5_002en;

/** Near what is there, an edge, or anything. */
function registerValue(random: Random): bigint {
  switch (random.below(5)) {
    case 0:
      return BigInt(random.below(MEMORY_BYTES));
    case 1:
      return BigInt(CODE + random.below(CODE_BYTES));
    case 2:
      return random.pick([0n, 1n, 0x7fn, 0xffffn, 0x7fff_ffffn, 0xffff_ffffn, 1n << 47n, (1n << 64n) - 1n, 1n << 63n]);
    case 3:
      return BigInt(random.below(64));
    default:
      return random.bits64();
  }
}

function setRealSegment(cpu: Processor, name: 'DS' | 'ES' | 'SS', random: Random): void {
  const selector = random.below(0x1_0000);
  cpu.set(`${name}.selector`, BigInt(selector));
  cpu.set(`${name}.base`, BigInt(selector * 16));
}

/** CPL is the DPL of SS. */
function enterUserLevel(cpu: Processor): void {
  for (const name of ['CS', 'SS', 'DS', 'ES'] as const) {
    cpu.set(`${name}.attributes`, cpu.read(`${name}.attributes`) | 0x60n);
    cpu.set(`${name}.selector`, cpu.read(`${name}.selector`) | 3n);
  }
}

/** A GDT, an LDT, an IDT and a TSS in memory, plausible or noise. */
function writeTables(machine: Machine, cpu: Processor, random: Random): void {
  const boot = machine.readMemory(Number(cpu.read('GDTR.base')), 32);
  const gdt = Uint8Array.from([...boot, ...descriptors(random, TABLE_BYTES - boot.length)]);
  machine.writeMemory(TABLES.gdt, gdt);
  machine.writeMemory(TABLES.ldt, Uint8Array.from(descriptors(random, TABLE_BYTES)));
  machine.writeMemory(TABLES.idt, Uint8Array.from(descriptors(random, TABLE_BYTES)));
  machine.writeMemory(TABLES.tss, Uint8Array.from(random.bytes(0x100)));
  const limit = BigInt(random.pick([0, 0x1f, TABLE_BYTES - 1, 0xffff]));
  const places = [
    ['GDTR', TABLES.gdt, limit | 0x1fn],
    ['IDTR', TABLES.idt, limit],
    ['LDTR', TABLES.ldt, limit],
    ['TR', TABLES.tss, random.oneIn(2) ? 0x67n : 0xffn],
  ] as const;
  for (const [table, base, end] of places) {
    cpu.set(`${table}.base`, BigInt(base));
    cpu.set(`${table}.limit`, end);
  }
  if (random.oneIn(2)) cpu.set('TR.attributes', random.pick([0x8bn, 0x89n, 0x83n]));
}

/** An IDT and a TSS as a kernel has them, so that a guest goes on behind its exceptions: handlers begin anywhere in the code. */
function writeSoundGates(machine: Machine, cpu: Processor, isLong: boolean, random: Random): void {
  const gates = Array.from({ length: 256 }, () => {
    const offset = CODE + random.below(CODE_BYTES);
    const access = random.pick([0x8e, 0xee, 0x8f]);
    const gate = [offset & 0xff, offset >> 8, isLong ? 0x08 : 0x18, 0, 0, access, 0, 0];
    return isLong ? [...gate, 0, 0, 0, 0, 0, 0, 0, 0] : gate;
  });
  machine.writeMemory(TABLES.idt, Uint8Array.from(gates.flat()));
  const stack = [STACK & 0xff, STACK >> 8, 0, 0, isLong ? 0 : 0x10, 0, 0, 0];
  machine.writeMemory(TABLES.tss, Uint8Array.from([0, 0, 0, 0, ...stack, ...new Uint8Array(0x5c)]));
  const bounds = { 'IDTR.limit': 0xfff, 'TR.limit': 0x67, 'TR.attributes': 0x8b } as const;
  for (const [register, value] of Object.entries(bounds)) cpu.set(register, BigInt(value));
}

/** Segments and gates of every type that lead into the code, with noise between them. */
function descriptors(random: Random, length: number): number[] {
  const bytes: number[] = [];
  while (bytes.length < length) bytes.push(...(random.oneIn(4) ? random.bytes(8) : descriptor(random)));
  return bytes.slice(0, length);
}

function descriptor(random: Random): number[] {
  const offset = CODE + random.below(CODE_BYTES);
  const access = 0x80 | random.below(0x80);
  if (random.oneIn(2)) {
    const selector = random.pick([0x08, 0x10, 0x18, 0x20 + 8 * random.below(32)]);
    return [offset & 0xff, offset >> 8, selector & 0xff, selector >> 8, random.below(4), access, 0, 0];
  }
  const base = random.pick([0, 0, TABLES.tss]);
  return [0xff, 0xff, base & 0xff, (base >> 8) & 0xff, base >> 16, access, random.pick([0xcf, 0xaf, 0x4f, 0x00]), 0];
}

function damagePageTables(machine: Machine, random: Random): void {
  for (let hits = random.below(6); hits >= 0; hits--) {
    const { address, bytes } = PAGE_TABLES;
    const place = address + random.below(bytes / 8) * 8 + (random.oneIn(3) ? random.below(8) : 0);
    machine.writeMemory(place, Uint8Array.of(random.byte()));
  }
}
