import { describe, expect, it } from 'vitest';
import { completed, fault } from '../../src/event/outcome.js';
import { bootedMachine } from '../support/booted-machine.js';

const refused = (rule: string) => fault('#GP', { errorCode: 0, rule: `core.rdpmc.${rule}` });
const PCE = 1n << 8n;

describe('RDPMC', () => {
  it('reads what was written to a counter of an AMD processor, 48 bits of it', () => {
    const cpu = bootedMachine({ profile: 'amd-server' }).processor(0);
    expect(cpu.wrmsr(0xc001_0005, 2n ** 64n - 5n)).toEqual(completed());
    expect(cpu.rdpmc(1n)).toEqual({ kind: 'completed', value: 2n ** 48n - 5n });
    expect(cpu.rdmsr(0xc001_0005)).toMatchObject({ value: 2n ** 48n - 5n });
  });

  it('is #GP(0) for a counter that is not there', () => {
    expect(bootedMachine({ profile: 'amd-server' }).processor(0).rdpmc(4n)).toEqual(refused('counter'));
    expect(bootedMachine().processor(0).rdpmc(0n)).toEqual(refused('counter'));
  });

  it('needs CPL 0 or CR4.PCE', () => {
    const cpu = bootedMachine({ profile: 'amd-server' }).processor(0);
    cpu.set('SS.attributes', 0xc0f3n);
    expect(cpu.rdpmc(0n)).toEqual(refused('pce'));
    cpu.set('CR4', cpu.read('CR4') | PCE);
    expect(cpu.rdpmc(0n)).toMatchObject({ kind: 'completed' });
  });
});
