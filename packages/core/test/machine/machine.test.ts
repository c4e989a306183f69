import { describe, expect, it } from 'vitest';
import { NotModelled, UsageError } from '../../src/error.js';
import type { Emission } from '../../src/event/emission.js';
import type { AppliedEvent } from '../../src/machine/machine.js';
import { debugConsole } from '../../src/platform/debug-console.js';
import type { MachineState } from '../../src/state/machine.js';
import { bootedMachine, CODE, hex, machineWith, VMCALL, vmcallMissing } from '../support/booted-machine.js';

describe('a machine', () => {
  it('starts after RESET: real-address mode at FFFFFFF0H, all processors but the first waiting for SIPI', () => {
    const { state } = bootedMachine({ boot: undefined, processors: 3 } as never);
    const [first, second] = state.processors;
    expect(first?.segments.CS.base).toBe(0xffff_0000n);
    expect(first?.general.RIP).toBe(0xfff0n);
    expect(first?.control.CR0).toBe(0x6000_0010n);
    expect(state.processors.map(({ activity }) => activity)).toEqual(['active', 'wait-for-SIPI', 'wait-for-SIPI']);
    expect(second?.general.RDX).toBe(first?.general.RDX);
  });

  it('tells its events, outcomes and states to whoever listens, and completes', () => {
    const machine = machineWith(hex('90 90 f4'));
    const [events, outcomes, states]: [AppliedEvent[], AppliedEvent[], MachineState[]] = [[], [], []];
    let completedStreams = 0;
    const complete = () => void completedStreams++;
    machine.events$.subscribe({ next: (event) => events.push(event), complete });
    machine.outcomes$.subscribe({ next: (event) => outcomes.push(event), complete });
    machine.state$.subscribe({ next: (state) => states.push(state), complete });
    machine.run();
    machine.close();
    expect(completedStreams).toBe(3);
    expect(outcomes.map(({ position, outcome }) => [position, outcome.kind])).toEqual([
      [0, 'completed'],
      [1, 'completed'],
      [2, 'halted'],
    ]);
    expect(states.at(-1)?.position).toBe(3);
    expect(events.length).toBe(3);
    expect(() => machine.processor(0).set('RAX', 1n)).toThrow(UsageError);
  });

  it('stops at a known instruction that is not modelled with an error that names it, at the boundary before it', () => {
    const machine = machineWith(hex(`90 ${VMCALL}`), { plugins: [vmcallMissing] });
    let error: unknown;
    machine.events$.subscribe({
      error: (thrown) => {
        error = thrown;
      },
    });
    expect(() => machine.run()).toThrow(NotModelled);
    expect(() => machine.run()).toThrow(/VMCALL/);
    expect(error).toBeInstanceOf(NotModelled);
    expect(machine.processor(0).read('RIP')).toBe(BigInt(CODE + 1));
    expect(machine.position).toBe(1);
    expect(machine.log.length).toBe(1);
  });

  it('raises #UD for the instructions of an extension that CPUID does not report', () => {
    expect(machineWith(hex('f3 0f c7 30')).processor(0).step()).toMatchObject({
      kind: 'shutdown',
      rule: 'core.decode.feature',
    });
  });

  it('writes bytes to the debug console and ends with the value of the debug exit', () => {
    // mov al, 'h' / out 0xe9, al / mov al, 42 / out 0xf4, al / nop
    const machine = machineWith(hex('b0 68 e6 e9 b0 2a e6 f4 90'), { plugins: [debugConsole] });
    const emissions: Emission[] = [];
    machine.emissions$.subscribe((emission) => emissions.push(emission));
    expect(machine.run()).toEqual({ steps: 4, stop: { reason: 'exit', value: 42 } });
    expect(emissions).toEqual([
      { type: 'console/byteWritten', position: 1, device: 'debugcon', byte: 0x68 },
      { type: 'machine/exitRequested', position: 3, device: 'debug-exit', value: 42 },
    ]);
  });

  it('runs code that writes code: the next instruction is the new one', () => {
    // mov byte [rip+0], 0x43 → overwrites the `inc eax` prefix byte two instructions later: ff c0 becomes 43 c0…
    const machine = machineWith(hex('c6 05 00 00 00 00 f4 90 90'));
    machine.run();
    expect(machine.position).toBe(2);
    expect(machine.state.processors[0]?.activity).toBe('HLT');
  });

  it('decodes again when a loop changes its own code', () => {
    // 100000: inc byte [0x100007] / mov eax, imm32 (first byte at 100008-1) … executed twice
    const machine = machineWith(hex('fe 04 25 08 00 10 00 b8 00 00 00 00 ff c3 83 fb 03 75 ed f4'));
    machine.run();
    expect(machine.processor(0).read('RAX')).toBe(3n);
    expect(machine.processor(0).read('RBX')).toBe(3n);
  });

  it('executes an instruction that crosses a page, and notices when its second page changes', () => {
    const machine = machineWith([...hex('b8 11 22 33 44'), ...hex('f4')], {
      boot: {
        mode: 'long',
        segments: [{ address: 0x10_0ffd, bytes: Uint8Array.from(hex('b8 11 22 33 44 eb f9')) }],
        entry: 0x10_0ffd,
      },
    });
    const cpu = machine.processor(0);
    cpu.step();
    expect(cpu.read('RAX')).toBe(0x4433_2211n);
    machine.writeMemory(0x10_1001, Uint8Array.of(0x55));
    cpu.step(2);
    expect(cpu.read('RAX')).toBe(0x5533_2211n);
  });

  it('raises #GP for an instruction of more than 15 bytes, and #UD for an undefined one of exactly 15', () => {
    const prefixes = (count: number): number[] => new Array<number>(count).fill(0x66);
    const outcomeOf = (code: readonly number[]) => machineWith(code).processor(0).step();
    expect(outcomeOf([...prefixes(14), 0x90])).toEqual({ kind: 'completed' });
    expect(outcomeOf([...prefixes(15), 0x90])).toMatchObject({ rule: 'core.decode.length' });
    expect(outcomeOf([...prefixes(14), 0x06])).toMatchObject({ rule: 'core.decode.undefined-opcode' });
    expect(outcomeOf([...prefixes(15), 0x06])).toMatchObject({ rule: 'core.decode.length' });
    expect(outcomeOf([...prefixes(13), 0x0f, 0xff, 0xc0])).toMatchObject({ kind: 'shutdown' });
  });

  it('gives every active processor its turn', () => {
    const machine = machineWith(hex('ff c0 eb fc'), { processors: 2, quantum: 10 });
    machine.processor(1).set('activity', 0n);
    machine.run({ maxSteps: 35 });
    expect(machine.log.entries().map(({ event }) => [event['processor' as never], event['steps' as never]])).toEqual([
      [1, undefined],
      [0, 10],
      [1, 10],
      [0, 10],
      [1, 5],
    ]);
  });

  it('takes the same turns when it is asked in pieces', () => {
    const [whole, pieces] = [0, 0].map(() => {
      const machine = machineWith(hex('ff c0 eb fc'), { processors: 3, quantum: 7 });
      machine.processor(2).set('activity', 0n);
      return machine;
    });
    whole?.run({ maxSteps: 100 });
    for (let done = 0; done < 100; done += 4) pieces?.run({ maxSteps: 4 });
    expect(pieces?.state).toEqual(whole?.state);
    expect(pieces?.log.entries()).toEqual(whole?.log.entries());
  });
});
