import { describe, expect, it } from 'vitest';
import { bootSectorImage } from '../../src/boot/boot-sector.js';
import { createMachine } from '../../src/machine/machine.js';
import { acpiPower } from '../../src/platform/acpi-power.js';
import { definePlugin, type PluginDeclaration } from '../../src/plugin/define.js';
import { entriesOf, findPointer, listedIn, sumOf, tableAt, tablesOf } from '../support/acpi-tables.js';

const MEMORY = 16 * 2 ** 20;
const sector = new Uint8Array(512);
sector.set([0x55, 0xaa], 510);

const plugin = (name: string, more: Partial<PluginDeclaration>) =>
  definePlugin({ name, version: '1.0.0', apiVersion: 1, ...more });
/** Something at the addresses where the I/O APIC and the event timers lie, and at the ports of reset and keyboard. */
const devices = plugin('devices', {
  deviceMemory: [
    { first: 0xfec0_0000, last: 0xfec0_0fff },
    { first: 0xfed0_0000, last: 0xfed0_03ff },
  ],
  ports: [
    { first: 0x60, last: 0x64 },
    { first: 0xcf9, last: 0xcf9 },
  ],
});

const memoryOf = (plugins: readonly ReturnType<typeof plugin>[] = [], processors = 1) =>
  createMachine({ profile: 'intel-server', memory: MEMORY, plugins, processors, boot: bootSectorImage(sector) }).state
    .memory;
const tableOf = (memory: ReturnType<typeof memoryOf>, signature: string) =>
  tablesOf(memory).get(signature) ?? expect.fail(`${signature} is not there`);

describe('the root of ACPI', () => {
  const memory = memoryOf([devices]);
  const pointer = findPointer(memory) ?? expect.fail('no RSDP');

  it('is found by its signature, and adds up to 0 as a whole', () => {
    expect(sumOf(memory.read(pointer, 36))).toBe(0);
    expect(memory.read(pointer + 15, 1)).toEqual(Uint8Array.of(2));
  });

  it('leads to the same tables by 32 and by 64 bits, each of which adds up to 0', () => {
    const [rsdt, xsdt] = [
      tableAt(memory, Number(memory.readValue(pointer + 16, 4))),
      tableAt(memory, Number(memory.readValue(pointer + 24, 8))),
    ];
    expect(listedIn(rsdt, 4)).toEqual(listedIn(xsdt, 8));
    const tables = [rsdt, xsdt, ...tablesOf(memory).values()];
    expect(tables.map(({ signature }) => signature)).toEqual(['RSDT', 'XSDT', 'FACP', 'APIC', 'HPET']);
    expect(tables.map(({ bytes }) => sumOf(bytes))).toEqual(tables.map(() => 0));
  });

  it('lies in what the memory map keeps from software', () => {
    for (const { address, bytes } of tablesOf(memory).values()) {
      expect(address).toBeGreaterThanOrEqual(MEMORY - 128 * 1024);
      expect(address + bytes.length).toBeLessThanOrEqual(MEMORY);
    }
  });
});

describe('the fixed table', () => {
  it('leads to the FACS, on 64 bytes, and to a DSDT that is whole', () => {
    const memory = memoryOf();
    const { view } = tableOf(memory, 'FACP');
    const facs = view.getUint32(36, true);
    const dsdt = tableAt(memory, view.getUint32(40, true));
    expect([facs % 64, tableAt(memory, facs).signature, tableAt(memory, facs).bytes.length]).toEqual([0, 'FACS', 64]);
    expect([dsdt.signature, dsdt.bytes.length, sumOf(dsdt.bytes)]).toEqual(['DSDT', 36, 0]);
    expect(view.getBigUint64(140, true)).toBe(BigInt(dsdt.address));
  });

  it('tells of reset and keyboard where there is one', () => {
    const told = (memory: ReturnType<typeof memoryOf>) => {
      const { view } = tableOf(memory, 'FACP');
      return {
        port: view.getBigUint64(120, true),
        flag: view.getUint32(112, true) & 0x400,
        legacy: view.getUint16(109, true),
      };
    };
    expect(told(memoryOf([devices]))).toEqual({ port: 0xcf9n, flag: 0x400, legacy: 3 });
    expect(told(memoryOf())).toEqual({ port: 0n, flag: 0, legacy: 1 });
  });
});

describe('power management', () => {
  it('is told of where there is some, with how the machine is switched off', () => {
    const view = (memory: ReturnType<typeof memoryOf>) => tableOf(memory, 'FACP').view;
    const registersIn = (table: DataView) => [56, 64, 76].map((offset) => table.getUint32(offset, true));
    const [without, withIt] = [view(memoryOf()), view(memoryOf([acpiPower]))];
    expect(registersIn(without)).toEqual([0, 0, 0]);
    expect(registersIn(withIt)).toEqual([0x600, 0x604, 0x608]);
    expect([without.getUint32(112, true) >> 20, withIt.getUint32(112, true) >> 20]).toEqual([1, 0]);
    const dsdt = tableAt(memoryOf([acpiPower]), withIt.getUint32(40, true));
    expect([sumOf(dsdt.bytes), new TextDecoder().decode(dsdt.bytes.subarray(37, 41))]).toEqual([0, '_S5_']);
  });
});

describe('the table of interrupt controllers', () => {
  const typesOf = (memory: ReturnType<typeof memoryOf>) => entriesOf(tableOf(memory, 'APIC'), 44).map(([type]) => type);

  it('has every processor, the I/O APIC with the lines that differ there, and NMI at LINT1', () => {
    const memory = memoryOf([devices], 3);
    const entries = entriesOf(tableOf(memory, 'APIC'), 44);
    expect(tableOf(memory, 'APIC').view.getUint32(36, true)).toBe(0xfee0_0000);
    expect(entries).toEqual([
      [0, 8, 0, 0, 1, 0, 0, 0],
      [0, 8, 1, 1, 1, 0, 0, 0],
      [0, 8, 2, 2, 1, 0, 0, 0],
      [1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0],
      [2, 10, 0, 0, 2, 0, 0, 0, 0, 0],
      [2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0],
      [4, 6, 0xff, 0, 0, 1],
    ]);
  });

  it('has no I/O APIC where none answers', () => {
    expect(typesOf(memoryOf())).toEqual([0, 4]);
  });

  it('has the structure of the x2APIC for the last of 256 processors', () => {
    expect(typesOf(memoryOf([], 256)).filter((type) => type === 9)).toHaveLength(1);
  });
});

describe('a plugin', () => {
  it('adds tables that know the machine', () => {
    const extra = plugin('extra', {
      acpiTables: ({ processors }) => [{ signature: 'TEST', revision: 7, body: Uint8Array.of(processors) }],
    });
    const { bytes } = tableOf(memoryOf([extra], 2), 'TEST');
    expect([bytes.length, bytes[8], bytes[36], sumOf(bytes)]).toEqual([37, 7, 2, 0]);
  });

  it('whose tables need more than there is room is refused', () => {
    const body = new Uint8Array(128 * 1024);
    const large = plugin('large', { acpiTables: () => [{ signature: 'TEST', revision: 1, body }] });
    expect(() => memoryOf([large])).toThrow('there is room for 131072');
  });
});

it('the BIOS data area has the size of base memory and leads to its extension', () => {
  const memory = memoryOf();
  expect(memory.readValue(0x413, 2)).toBe(639n);
  expect(memory.readValue(0x40e, 2) << 4n).toBe(0x9_fc00n);
  expect(memory.readValue(0x9_fc00, 1)).toBe(1n);
});
