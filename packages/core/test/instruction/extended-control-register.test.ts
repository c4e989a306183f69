import { describe, expect, it } from 'vitest';
import { fault } from '../../src/event/outcome.js';
import { definePlugin } from '../../src/plugin/define.js';
import { bootedMachine } from '../support/booted-machine.js';

/** Shows x87, SSE and AVX state in CPUID leaf 0DH, as what models them would. */
const stateComponents = definePlugin({
  name: 'components',
  version: '1.0.0',
  apiVersion: 1,
  cpuid: [{ leaf: 0x0d, subleaf: 0, register: 'eax', mask: 0xe7 }],
});
const OSXSAVE = 1n << 18n;

function processor() {
  const cpu = bootedMachine({ plugins: [stateComponents] }).processor(0);
  cpu.set('CR4', cpu.read('CR4') | OSXSAVE);
  return cpu;
}

describe('XSETBV and XGETBV', () => {
  it('write and read XCR0', () => {
    const cpu = processor();
    expect(cpu.xsetbv(0n, 7n)).toEqual({ kind: 'completed' });
    expect(cpu.xgetbv(0n)).toEqual({ kind: 'completed', value: 7n });
    expect(cpu.read('RDX')).toBe(0n);
  });

  it('are #UD while CR4.OSXSAVE is 0', () => {
    const cpu = bootedMachine().processor(0);
    expect(cpu.xgetbv(0n)).toEqual(fault('#UD', { rule: 'core.xgetbv.osxsave' }));
    expect(cpu.xsetbv(0n, 1n)).toEqual(fault('#UD', { rule: 'core.xsetbv.osxsave' }));
  });

  it.each(['intel-server', 'amd-server'])('tell what is in use with ECX = 1, on %s', (profile) => {
    const cpu = bootedMachine({ profile }).processor(0);
    cpu.set('CR4', cpu.read('CR4') | OSXSAVE);
    cpu.xsetbv(0n, 3n);
    expect(cpu.xgetbv(1n)).toMatchObject({ value: 1n }); // after RESET the control word is not that of FNINIT
    cpu.set('FCW', 0x37fn);
    cpu.set('FTW', 0n); // and its data registers are not empty
    expect(cpu.xgetbv(1n)).toMatchObject({ value: 0n });
    cpu.set('XMM5', 1n);
    expect(cpu.xgetbv(1n)).toMatchObject({ value: 2n });
    cpu.set('FCW', 0x27fn);
    expect(cpu.xgetbv(1n)).toMatchObject({ value: 3n });
    cpu.xsetbv(0n, 1n);
    expect(cpu.xgetbv(1n)).toMatchObject({ value: 1n });
  });

  it('know one register more than XCR0 at most', () => {
    expect(processor().xgetbv(2n)).toEqual(fault('#GP', { errorCode: 0, rule: 'core.xgetbv.register' }));
    expect(processor().xsetbv(1n, 1n)).toEqual(fault('#GP', { errorCode: 0, rule: 'core.xsetbv.register' }));
  });

  it.each([
    ['a component that CPUID does not report', 0x203n, 'reserved'],
    ['no x87 state', 2n, 'combination'],
    ['AVX without SSE', 5n, 'combination'],
    ['AVX-512 without AVX', 0xe3n, 'combination'],
    ['a part of AVX-512', 0x27n, 'combination'],
  ])('XSETBV refuses %s', (_what, value, rule) => {
    const cpu = processor();
    expect(cpu.xsetbv(0n, value)).toEqual(fault('#GP', { errorCode: 0, rule: `core.xsetbv.${rule}` }));
    expect(cpu.read('XCR0')).toBe(1n);
  });

  it('XSETBV needs CPL 0, XGETBV does not', () => {
    const cpu = processor();
    cpu.set('SS.attributes', 0xc0f3n);
    expect(cpu.xsetbv(0n, 1n)).toEqual(fault('#GP', { errorCode: 0, rule: 'core.xsetbv.cpl' }));
    expect(cpu.xgetbv(0n)).toMatchObject({ kind: 'completed' });
  });

  it('CPUID.01H:ECX.OSXSAVE follows CR4', () => {
    const cpu = processor();
    cpu.cpuid(1n, 0n);
    expect((cpu.read('RCX') >> 27n) & 1n).toBe(1n);
    cpu.set('CR4', cpu.read('CR4') & ~OSXSAVE);
    cpu.cpuid(1n, 0n);
    expect((cpu.read('RCX') >> 27n) & 1n).toBe(0n);
  });
});
