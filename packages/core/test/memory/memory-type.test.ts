import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/error.js';
import { memoryTypeOf } from '../../src/memory/memory-type.js';
import { bootedMachine } from '../support/booted-machine.js';
import { quad } from '../support/protected-machine.js';

const ENCODING = { UC: 0n, WC: 1n, WT: 4n, WP: 5n, WB: 6n, 'UC-': 7n } as const;
const DIRECTORY = 0x3000;
const ENABLED = 0x800n;
const FIXED_ENABLED = 0x400n;
const VALID = 0x800n;
/** 46 bits of a physical address. */
const MASK = 0x3fff_ffff_f000n;

type Registers = Readonly<Record<string, bigint>>;

function machineWith(registers: Registers) {
  const machine = bootedMachine();
  const cpu = machine.processor(0);
  for (const [name, value] of Object.entries(registers)) cpu.set(name, value);
  return machine;
}

const physicalType = (registers: Registers, physical: number) => {
  const { definition, state } = machineWith(registers);
  return memoryTypeOf(definition, state, 0, { physical })?.type;
};

const range = (index: number, base: bigint, size: bigint, type: keyof typeof ENCODING): Registers => ({
  [`IA32_MTRR_PHYSBASE${index}`]: base | ENCODING[type],
  [`IA32_MTRR_PHYSMASK${index}`]: (MASK & ~(size - 1n)) | VALID,
});

describe('the memory type by the MTRRs', () => {
  it('is UC while they are disabled, and the default type where no range is', () => {
    expect(physicalType({ IA32_MTRR_DEF_TYPE: 6n }, 0x10_0000)).toBe('UC');
    expect(physicalType({ IA32_MTRR_DEF_TYPE: ENABLED | 6n }, 0x10_0000)).toBe('WB');
  });

  it.each([
    [0x0_0000, 'IA32_MTRR_FIX64K_00000', 0],
    [0x7_ffff, 'IA32_MTRR_FIX64K_00000', 7],
    [0x8_4000, 'IA32_MTRR_FIX16K_80000', 1],
    [0xb_8000, 'IA32_MTRR_FIX16K_A0000', 6],
    [0xc_7fff, 'IA32_MTRR_FIX4K_C0000', 7],
    [0xc_8000, 'IA32_MTRR_FIX4K_C8000', 0],
    [0xf_ffff, 'IA32_MTRR_FIX4K_F8000', 7],
  ])('of %i stands in %s, byte %i, before every variable range', (physical, register, byte) => {
    const registers = {
      IA32_MTRR_DEF_TYPE: ENABLED | FIXED_ENABLED | ENCODING.WB,
      [register]: ENCODING.WP << BigInt(8 * byte),
      ...range(0, 0n, 0x10_0000n, 'WC'),
    };
    expect(physicalType(registers, physical)).toBe('WP');
    expect(physicalType({ ...registers, IA32_MTRR_DEF_TYPE: ENABLED | ENCODING.WB }, physical)).toBe('WC');
  });

  it.each([
    ['UC', 'WB', 'UC'],
    ['WT', 'WB', 'WT'],
    ['WC', 'WC', 'WC'],
    ['WC', 'WB', 'UC'],
  ] as const)('where ranges of %s and %s overlap is %s', (first, second, type) => {
    const registers = {
      IA32_MTRR_DEF_TYPE: ENABLED,
      ...range(0, 0x8000_0000n, 0x8000_0000n, first),
      ...range(9, 0xc000_0000n, 0x1000_0000n, second),
    };
    expect(physicalType(registers, 0xcfff_ffff)).toBe(type);
    expect(physicalType(registers, 0xd000_0000)).toBe(first);
    expect(physicalType(registers, 0x7fff_ffff)).toBe('UC');
  });
});

it('the memory type is UC while CR0.CD is set, whatever MTRRs and PAT say', () => {
  const machine = machineWith({ IA32_MTRR_DEF_TYPE: ENABLED | ENCODING.WB });
  const types = () => {
    const { definition, state } = machine;
    return [{ physical: 0x10_0000 }, { linear: 0x10_0000n }].map((at) => memoryTypeOf(definition, state, 0, at)?.type);
  };
  expect(types()).toEqual(['WB', 'WB']);
  machine.processor(0).set('CR0', machine.processor(0).read('CR0') | 0x4000_0000n);
  expect(types()).toEqual(['UC', 'UC']);
});

describe('the memory type of a page', () => {
  // "Effective Page-Level Memory Types", a row for each type of the MTRRs, in the manual's order of columns.
  it.each([
    ['UC', ['UC', 'UC', 'WC', 'UC', 'UC', 'UC']],
    ['WC', ['UC', 'WC', 'WC', 'UC', 'WC', 'UC']],
    ['WT', ['UC', 'UC', 'WC', 'WT', 'WT', 'WP']],
    ['WB', ['UC', 'UC', 'WC', 'WT', 'WB', 'WP']],
    ['WP', ['UC', 'WC', 'WC', 'WT', 'WP', 'WP']],
  ] as const)('combines %s of the MTRRs with the PAT', (mtrr, expected) => {
    const columns = ['UC', 'UC-', 'WC', 'WT', 'WB', 'WP'] as const;
    const found = columns.map((pat) => {
      const { definition, state } = machineWith({
        IA32_MTRR_DEF_TYPE: ENABLED | ENCODING[mtrr],
        IA32_PAT: ENCODING[pat],
      });
      return memoryTypeOf(definition, state, 0, { linear: 0x20_0000n });
    });
    expect(found.map((one) => one?.type)).toEqual(expected);
    expect(found.map((one) => one?.pat)).toEqual(columns);
  });

  it.each([
    ['a large page', 0x20_0083n | 0x1000n, 0x20_0010n],
    ['a 4-KByte page', 0x20_0003n, 0x20_0010n],
  ])('is chosen by PAT, PCD and PWT of %s', (_, directoryEntry, linear) => {
    const machine = machineWith({ IA32_MTRR_DEF_TYPE: ENABLED | ENCODING.WB, IA32_PAT: ENCODING.WC << 56n });
    const [pwt, pcd] = [0x8n, 0x10n];
    machine.writeMemory(DIRECTORY + 8, Uint8Array.from(quad(directoryEntry | pwt | pcd)));
    machine.writeMemory(0x20_0000, Uint8Array.from(quad(0x30_0083n | pwt | pcd)));
    expect(memoryTypeOf(machine.definition, machine.state, 0, { linear })).toMatchObject({ type: 'WC', pat: 'WC' });
  });

  it('is unknown where nothing is mapped, and refused for a processor that is not there', () => {
    const { definition, state } = machineWith({});
    expect(memoryTypeOf(definition, state, 0, { linear: 0x7fff_0000_0000n })).toBeUndefined();
    expect(() => memoryTypeOf(definition, state, 1, { physical: 0 })).toThrow(UsageError);
  });
});
