import { describe, expect, it } from 'vitest';
import { hex, machineWith } from '../support/booted-machine.js';

const MONITOR = '0f 01 c8';
const MWAIT = '0f 01 c9';
const USER = 0xc0f3n;

function outcomeOf(code: string, registers: Readonly<Record<string, bigint>>, profile = 'intel-server') {
  const cpu = machineWith(hex(code), { profile }).processor(0);
  for (const [register, value] of Object.entries({ RAX: 0x1000n, RCX: 0n, ...registers })) cpu.set(register, value);
  return cpu.step();
}
const refused = (rule: string) => ({ kind: 'shutdown', rule });

describe('MONITOR and MWAIT', () => {
  it('complete', () => {
    expect(outcomeOf(MONITOR, {})).toEqual({ kind: 'completed' });
    expect(outcomeOf(MWAIT, { RAX: 0x20n, RCX: 1n })).toEqual({ kind: 'completed' });
  });

  it.each([
    ['an extension of MONITOR', MONITOR, { RCX: 1n }, 'core.monitor.extensions'],
    ['an extension of MWAIT that CPUID does not report', MWAIT, { RCX: 2n }, 'core.mwait.extensions'],
    ['MONITOR above CPL 0', MONITOR, { 'SS.attributes': USER }, 'core.monitor.cpl'],
    ['MWAIT above CPL 0', MWAIT, { 'SS.attributes': USER }, 'core.mwait.cpl'],
    ['a page that is not there', MONITOR, { RAX: 0x7fff_0000_0000n }, 'core.paging.present'],
    ['an address that is not canonical', MONITOR, { RAX: 1n << 50n }, 'core.linear-address.canonical'],
    ['MONITOR that software switched off', MONITOR, { IA32_MISC_ENABLE: 1n }, 'core.monitor.cpuid'],
  ])('refuse %s', (_what, code, registers, rule) => {
    expect(outcomeOf(code, registers)).toMatchObject(refused(rule));
  });

  it('use the segment of a prefix', () => {
    expect(outcomeOf(`64 ${MONITOR}`, { 'FS.base': 0x7fff_0000_0000n })).toMatchObject(refused('core.paging.present'));
  });

  it('are open to users if HWCR of an AMD processor says so', () => {
    expect(outcomeOf(MWAIT, { 'SS.attributes': USER, HWCR: 1n << 10n }, 'amd-server')).toMatchObject({
      kind: 'completed',
    });
    expect(outcomeOf(MWAIT, { HWCR: 1n << 9n }, 'amd-server')).toMatchObject(refused('core.mwait.cpuid'));
  });
});

describe('CLZERO', () => {
  it('clears the line that holds the address, and is #UD where CPUID does not report it', () => {
    const machine = machineWith(hex('0f 01 fc'), { profile: 'amd-server' });
    machine.writeMemory(0x20_0000, new Uint8Array(192).fill(0xaa));
    machine.processor(0).set('RAX', 0x20_0050n);
    machine.processor(0).step();
    const bytes = machine.readMemory(0x20_0000, 192);
    expect([bytes[0x3f], bytes.slice(0x40, 0x80).every((byte) => byte === 0), bytes[0x80]]).toEqual([0xaa, true, 0xaa]);
    expect(outcomeOf('0f 01 fc', {})).toMatchObject(refused('core.decode.feature'));
  });
});
