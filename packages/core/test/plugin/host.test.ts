import { describe, expect, it } from 'vitest';
import { PluginError, UsageError } from '../../src/error.js';
import { completed } from '../../src/event/outcome.js';
import { defineInstruction } from '../../src/instruction/define.js';
import { createMachine } from '../../src/machine/machine.js';
import { sdm } from '../../src/manual/sdm.js';
import { definePlugin, type Plugin, type PluginDeclaration } from '../../src/plugin/define.js';
import { defineSlice } from '../../src/plugin/slice.js';
import { bootedMachine, hex, machineWith } from '../support/booted-machine.js';

const plugin = (parts: Partial<PluginDeclaration>): Plugin =>
  definePlugin({ name: 'sample', version: '1.2.3', apiVersion: 1, ...parts });
const machineOf = (...plugins: readonly Plugin[]) => createMachine({ profile: 'intel-server', plugins });

function refusal(work: () => unknown): { code: string; message: string } {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof PluginError) return { code: thrown.code, message: thrown.message };
    throw thrown;
  }
  throw new Error('nothing was refused');
}

describe('plugins that cannot live together are refused with a sentence that says who and what', () => {
  it('the same one twice', () => {
    expect(refusal(() => machineOf(plugin({}), plugin({})))).toEqual({
      code: 'PLUGIN_TWICE',
      message: 'plugin sample 1.2.3 is there twice',
    });
  });

  it('one made for another API version', () => {
    expect(refusal(() => machineOf(plugin({ apiVersion: 2 })))).toEqual({
      code: 'PLUGIN_API_VERSION',
      message: 'plugin sample 1.2.3 was made for plugin API 2; this core has 1',
    });
  });

  it('one whose dependency is missing', () => {
    expect(refusal(() => machineOf(plugin({ requires: ['other'] })))).toMatchObject({
      code: 'PLUGIN_MISSING',
      message: expect.stringContaining('needs plugin other') as string,
    });
  });

  it('an extension of the other vendor', () => {
    expect(refusal(() => machineOf(plugin({ vendor: 'AMD' })))).toMatchObject({
      code: 'PLUGIN_VENDOR',
      message: expect.stringContaining('AMD') as string,
    });
  });

  it('two owners of an MSR, by name or by address, core being one of them', () => {
    const named = plugin({ msrs: { IA32_SAMPLE: { address: 0x9999 } } });
    expect(
      refusal(() => machineOf(named, plugin({ name: 'second', msrs: { OTHER_NAME: { address: 0x9999 } } }))),
    ).toMatchObject({ message: 'MSR 0x9999 has two owners: sample and second' });
    expect(refusal(() => machineOf(plugin({ msrs: { MINE: { address: 0xc000_0081 } } })))).toMatchObject({
      message: 'MSR 0xc0000081 has two owners: core and sample',
    });
  });

  it('two owners of a mnemonic or of a port', () => {
    const add = defineInstruction({ mnemonic: 'ADD', manual: sdm('ADD—Add'), effect: () => [] });
    expect(refusal(() => machineOf(plugin({ instructions: [add] })))).toMatchObject({
      code: 'PLUGIN_CONFLICT',
      message: 'instruction ADD has two owners: core and sample',
    });
    const ports = [{ first: 0x10, last: 0x1f }];
    expect(
      refusal(() => machineOf(plugin({ ports }), plugin({ name: 'second', ports: [{ first: 0x1f, last: 0x1f }] }))),
    ).toMatchObject({ message: 'port 0x1f has two owners: sample and second' });
  });
});

describe('options out of range', () => {
  it.each([
    [{ processors: 0 }, /processors is 0: a whole number from 1 to 256/],
    [{ processors: 1.5 }, /processors is 1.5/],
    [{ memory: 4097 }, /memory is 4097: a multiple of 4096/],
    [{ quantum: 0 }, /quantum is 0/],
    [{ profile: 'pentium' }, /pentium/],
  ])('%j are refused with what is accepted', (options, message) => {
    expect(() => createMachine({ profile: 'intel-server', ...options })).toThrow(UsageError);
    expect(() => createMachine({ profile: 'intel-server', ...options })).toThrow(message);
  });
});

describe('a plugin', () => {
  const counter = defineSlice('sample', { version: 1, initial: () => ({ seen: 0, last: 0n }) });

  it('adds an MSR, an instruction with an intrinsic, and a slice that is part of the state', () => {
    const ud0 = defineInstruction({
      mnemonic: 'SAMPLE',
      manual: sdm('NOP—No Operation'),
      reads: [],
      writes: [],
      flags: 'unaffected',
      intrinsics: { sample: { operands: [{ in: 'value' }, { out: true }] } },
      effect(cpu, operands) {
        counter.change(cpu, (slice) => {
          slice.seen++;
          slice.last = operands[0]?.read() ?? 0n;
        });
        operands[1]?.write(BigInt(counter.of(cpu).seen));
      },
    });
    const sample = definePlugin({
      name: 'sample',
      version: '1.0.0',
      apiVersion: 1,
      processorSlice: counter,
      msrs: { IA32_SAMPLE: { address: 0x9999, reset: 7n } },
      instructions: [ud0],
    });
    const machine = bootedMachine({ plugins: [sample] });
    const before = machine.state;
    expect(machine.processor(0).rdmsr(0x9999)).toEqual(completed(7n));
    expect(machine.processor(0).sample(5)).toEqual(completed(1n));
    expect(machine.processor(0).sample(6)).toEqual(completed(2n));
    expect(machine.state.processors[0]?.plugins['sample']).toEqual({ seen: 2, last: 6n });
    expect(before.processors[0]?.plugins['sample']).toEqual({ seen: 0, last: 0n });
    expect(machine.timeline().lastWrite('processor/0/slice/sample/last')?.position).toBe(2);
  });

  it('intercepts instructions by mnemonic before they do anything', () => {
    const watcher = plugin({
      intercepts: {
        beforeInstruction: (_, { mnemonic }) =>
          mnemonic === 'NOP' ? { kind: 'sample/taken', rule: 'sample.nop' } : undefined,
      },
    });
    const machine = machineWith(hex('90 b8 01 00 00 00'), { plugins: [watcher] });
    expect(machine.processor(0).step()).toEqual({ kind: 'sample/taken', rule: 'sample.nop' });
    expect(machine.processor(0).read('RIP')).toBe(0x10_0000n);
  });

  it('asks an intercept that names its instructions for those alone, and compiles the rest', () => {
    const seen: string[] = [];
    const watcher = plugin({
      intercepts: { beforeInstruction: (_, { mnemonic }) => void seen.push(mnemonic) },
      interceptedInstructions: ['CPUID', 'INC'],
    });
    // inc eax / dec ecx / cpuid / add edx, edx / jmp back
    const machine = machineWith(hex('ff c0 ff c9 0f a2 01 d2 eb f6'), { plugins: [watcher], compile: 0 });
    machine.processor(0).step(500);
    expect(seen).toEqual(Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 'INC' : 'CPUID')));
    expect(machine.compiledSteps).toBe(200); // ADD and JMP: a block that begins with an intercepted instruction is not compiled
  });

  it('observes the data accesses of instructions, and only those', () => {
    const seen: unknown[] = [];
    const observer = plugin({ intercepts: { memoryAccess: (_, access) => void seen.push(access) } });
    // mov eax, [0x200000] / add [0x200ffe], eax: the second one crosses a page
    machineWith(hex('8b 04 25 00 00 20 00 01 04 25 fe 0f 20 00'), { plugins: [observer] })
      .processor(0)
      .step(2);
    expect(seen).toEqual([
      { physical: 0x20_0000, bytes: 4, write: false },
      { physical: 0x20_0ffe, bytes: 2, write: false },
      { physical: 0x20_1000, bytes: 2, write: false },
      { physical: 0x20_0ffe, bytes: 2, write: true },
      { physical: 0x20_1000, bytes: 2, write: true },
    ]);
  });
});
