// The plugin in a machine with a history: what `why` and `who` say of it.
import { createMachine, Timeline } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { svm } from '../src/index.js';
import { enterMode, SVME, svmMachine, VMCB } from './support/svm-machine.js';

const VM_CR = 0xc001_0114n;

function timelineOf(machine: ReturnType<typeof svmMachine>): Timeline {
  return new Timeline(machine.definition, machine.log);
}

describe('why', () => {
  it('lists every violated rule of an instruction, the one that decided first, and the writes to blame', () => {
    const machine = svmMachine();
    const cpu = machine.processor(0);
    enterMode(cpu, '64-bit', 3);
    const clearing = machine.position;
    cpu.set('IA32_EFER', cpu.read('IA32_EFER') & ~SVME);
    cpu.vmload(VMCB + 8n);
    const explained = timelineOf(machine).why();
    expect(explained?.violations.map(({ rule, decided }) => [rule, decided])).toEqual([
      ['svm.vmload.svme', true],
      ['svm.vmload.cpl', false],
      ['svm.vmload.rax', false],
    ]);
    expect(explained?.violations[0]?.fields).toMatchObject([
      { location: 'processor/0/IA32_EFER.SVME', value: 0n, writer: { position: clearing } },
    ]);
  });

  it('explains what a write of an MSR raises', () => {
    const machine = svmMachine();
    machine.processor(0).wrmsr(VM_CR, 1n << 4n);
    expect(timelineOf(machine).why()?.violations).toMatchObject([
      {
        rule: 'svm.vm-cr.svmdis-while-svme',
        manual: { manual: 'APM', title: 'VM_CR MSR (C001_0114h)' },
        explain: expect.stringContaining('clear EFER.SVME first'),
      },
    ]);
  });
});

describe('who', () => {
  it('names the VMSAVE or the store that last wrote a field of a VMCB', () => {
    const machine = svmMachine('amd-server', 2);
    machine.processor(1).vmsave(VMCB);
    const saved = machine.position - 1;
    machine.writeMemory(VMCB + 0x5f8n, Uint8Array.of(1));
    const timeline = timelineOf(machine);
    expect(timeline.lastWrite('processor/1/vmcb:STAR')?.position).toBe(saved);
    expect(timeline.lastWrite('vmcb:FS.base@0x200000')?.position).toBe(saved);
    expect(timeline.lastWrite('vmcb:RAX@0x200000')?.position).toBe(saved + 1);
    expect(timeline.lastWrite('vmcb:N_CR3@0x200000')).toBeUndefined();
  });
});

describe('the plugin', () => {
  it('is of one vendor', () => {
    expect(() => createMachine({ profile: 'intel-server', plugins: [svm] })).toThrow(
      expect.objectContaining({ code: 'PLUGIN_VENDOR' }),
    );
  });
});
