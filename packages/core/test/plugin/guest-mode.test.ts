// Guest mode with a plugin that is as small as one can be: INT1 enters a guest whose memory lies 1 MiB higher, CPUID leaves it.
import { describe, expect, it } from 'vitest';
import { takeOver } from '../../src/interrupt/interception.js';
import { definePlugin } from '../../src/plugin/define.js';
import { type Guest, isInGuestMode, type SecondLevelAccess } from '../../src/plugin/guest-mode.js';
import type { Cpu } from '../../src/state/cpu.js';
import { stateDigest } from '../../src/trace/digest.js';
import { hex, machineWith } from '../support/booted-machine.js';

const DISTANCE = 0x10_0000;

function tinyHypervisor({ stepwise = false } = {}) {
  const asked: string[] = [];
  const guest: Guest = {
    secondLevel: {
      translate: (_cpu: Cpu, address: number, access: SecondLevelAccess) => {
        if (asked.length < 100) asked.push(`${access.purpose} ${access.kind}`);
        if (access.purpose !== 'final' || access.kind === 'fetch') return address;
        if (address >= 0x8000 && address < 0x9000) return takeOver((cpu) => leave(cpu, 'violation'));
        return address + DISTANCE;
      },
    },
    stepwise,
  };
  const plugin = definePlugin({
    name: 'tiny',
    version: '1.0.0',
    apiVersion: 1,
    registers: { steps: { width: 64 }, exitRip: { width: 64 } },
    guestMode: { guestOf: () => guest },
    interceptedInstructions: ['CPUID', 'HLT'],
    intercepts: {
      instruction: (cpu, { mnemonic, length }) => {
        if (!isInGuestMode(cpu)) return undefined;
        return takeOver((boundary) => leave(boundary, `${mnemonic} ${length}`));
      },
      exception: (cpu, raised) => {
        if (raised.vector === '#DB' && !isInGuestMode(cpu)) {
          cpu.draft.loadRegisters(cpu, () => cpu.set('guestMode', 1n));
          return { kind: 'tiny/entry' };
        }
        return isInGuestMode(cpu) ? takeOver((boundary) => leave(boundary, raised.vector)) : undefined;
      },
      stepped: (cpu) => cpu.set('tiny.steps', cpu.read('tiny.steps') + 1n),
    },
  });
  return { plugin, asked };
}

function leave(cpu: Cpu, why: string) {
  cpu.draft.loadRegisters(cpu, () => {
    cpu.set('tiny.exitRip', cpu.RIP);
    cpu.set('guestMode', 0n);
    cpu.RBX = 0x99n;
  });
  return { kind: 'tiny/exit', why } as const;
}

describe('guest mode', () => {
  it('translates what the guest accesses, and ends where an instruction is intercepted', () => {
    // int1; mov dword [0x3000], 7; mov eax, [0x3000]; cpuid
    const code = hex('f1 c7 04 25 00 30 00 00 07 00 00 00 8b 04 25 00 30 00 00 0f a2');
    const { plugin, asked } = tinyHypervisor();
    const machine = machineWith(code, { plugins: [plugin] });
    const cpu = machine.processor(0);
    expect(cpu.step()).toMatchObject({ kind: 'tiny/entry' });
    cpu.step(2);
    expect(machine.state.memory.read(0x3000 + DISTANCE, 4)).toEqual(Uint8Array.of(7, 0, 0, 0));
    expect(cpu.read('RAX')).toBe(7n);
    expect(asked).toContain('page walk read');
    expect(asked).toContain('final write');
    const boundary = cpu.read('RIP');
    expect(cpu.step()).toMatchObject({ kind: 'tiny/exit', why: 'CPUID 2' });
    expect(cpu.read('tiny.exitRip')).toBe(boundary);
    expect(machine.state.processors[0]?.internal.guestMode).toBe(0n);
  });

  it('abandons an instruction that the second level refuses, at its boundary', () => {
    // mov esp, 0x8100; int1; push rax
    const { plugin } = tinyHypervisor();
    const machine = machineWith(hex('bc 00 81 00 00 f1 50 90'), { plugins: [plugin] });
    const cpu = machine.processor(0);
    cpu.step(2);
    expect(cpu.step()).toMatchObject({ kind: 'tiny/exit', why: 'violation' });
    expect(cpu.read('RSP')).toBe(0x8100n);
  });

  it('shows exceptions of the guest before they are delivered', () => {
    const { plugin } = tinyHypervisor();
    const machine = machineWith(hex('f1 0f 0b'), { plugins: [plugin] });
    const cpu = machine.processor(0);
    cpu.step();
    expect(cpu.step()).toMatchObject({ kind: 'tiny/exit', why: '#UD' });
  });

  it('steps one by one on request, and is the same however it is cut and resumed', () => {
    const code = hex('f1 90 90 90 90 90 0f a2 90');
    const whole = machineWith(code, { plugins: [tinyHypervisor({ stepwise: true }).plugin] });
    whole.processor(0).step(8);
    const pieces = machineWith(code, { plugins: [tinyHypervisor({ stepwise: true }).plugin] });
    for (let step = 0; step < 8; step++) {
      pieces.processor(0).step();
      void pieces.state;
    }
    expect(whole.processor(0).read('tiny.steps')).toBe(5n);
    expect(stateDigest(pieces.state)).toEqual(stateDigest(whole.state));
  });
});
