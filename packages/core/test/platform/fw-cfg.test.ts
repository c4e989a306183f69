import { describe, expect, it } from 'vitest';
import { multibootImage } from '../../src/boot/multiboot.js';
import { createMachine } from '../../src/machine/machine.js';
import { fwCfg } from '../../src/platform/fw-cfg.js';
import { bootedMachine } from '../support/booted-machine.js';

describe('fw_cfg', () => {
  const files = { 'opt/answer': Uint8Array.of(4, 2) };
  const machine = bootedMachine({ processors: 3, plugins: [fwCfg({ commandLine: 'kernel x', files })] });
  const cpu = machine.processor(0);
  const read = (selector: number, bytes: number) => {
    cpu.outw(0x510, BigInt(selector));
    return Array.from({ length: bytes }, () => Number((cpu.inb(0x511) as { value: bigint }).value));
  };
  const text = (bytes: readonly number[]) => String.fromCharCode(...bytes);

  it('tells its signature, the size of memory and the number of processors', () => {
    expect([text(read(0, 4)), read(1, 4), read(5, 3)]).toEqual(['QEMU', [1, 0, 0, 0], [3, 0, 0]]);
    expect(read(3, 8)).toEqual([0, 0, 0, 1, 0, 0, 0, 0]);
  });

  it('has the command line and files by name', () => {
    expect([read(0x14, 4), text(read(0x15, 9))]).toEqual([[9, 0, 0, 0], 'kernel x\0']);
    const directory = read(0x19, 68);
    expect(directory.slice(0, 10)).toEqual([0, 0, 0, 1, 0, 0, 0, 2, 0, 0x20]);
    expect(text(directory.slice(12, 22))).toBe('opt/answer');
    expect(read(0x20, 3)).toEqual([4, 2, 0]);
  });

  it('is zeros past the end, and for what nobody knows', () => {
    expect([read(0, 6).slice(4), read(0x3000, 2), read(0x8003, 2)]).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(read(0x4005, 1)).toEqual([3]);
  });

  it('gives several bytes at once to a wide read', () => {
    cpu.outw(0x510, 0n);
    expect(cpu.inw(0x511)).toMatchObject({ value: 0x4551n });
    expect(cpu.inw(0x511)).toMatchObject({ value: 0x554dn });
  });

  it('numbers files by name, in whatever order they were given', () => {
    const namesOf = (order: readonly string[]) => {
      const given = Object.fromEntries(order.map((name) => [name, new TextEncoder().encode(name)]));
      const other = bootedMachine({ plugins: [fwCfg({ files: given })] }).processor(0);
      other.outw(0x510, 0x20n);
      return String.fromCharCode(Number((other.inb(0x511) as { value: bigint }).value));
    };
    expect(namesOf(['b', 'a'])).toBe('a');
    expect(namesOf(['a', 'b'])).toBe('a');
  });

  it('refuses a name that the directory has no room for', () => {
    expect(() => fwCfg({ files: { ['x'.repeat(56)]: new Uint8Array(0) } })).toThrow('1 to 55');
    expect(() => fwCfg({ files: { '': new Uint8Array(0) } })).toThrow('0 bytes');
  });

  it('tells where a kernel and its module were loaded', () => {
    const [magic, address] = [0x1bad_b002, 0x20_0000];
    const words = Uint32Array.of(magic, 0x1_0000, -(magic + 0x1_0000), address, address, 0, address + 64, address + 32);
    const boot = multibootImage({
      bytes: new Uint8Array(words.buffer),
      fileName: 'kernel',
      modules: [{ text: 'module', bytes: new Uint8Array(5) }],
      memoryBytes: 2 ** 24,
    });
    const other = createMachine({ profile: 'intel-server', memory: 2 ** 24, plugins: [fwCfg()], boot }).processor(0);
    const number = (selector: number) => {
      other.outw(0x510, BigInt(selector));
      return Number((other.inl(0x511) as { value: bigint }).value);
    };
    expect([7, 8, 16, 11].map(number)).toEqual([address, 64, address + 32, 5]);
    expect(number(10) % 4096).toBe(0);
  });
});
