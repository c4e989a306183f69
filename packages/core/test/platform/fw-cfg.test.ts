import { describe, expect, it } from 'vitest';
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
    expect([read(0, 6).slice(4), read(0x3000, 2)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});
