// The machine is where its log ends, whatever an error interrupted and whoever listens.
import { describe, expect, it } from 'vitest';
import { DivergenceError, NotModelled } from '../../src/error.js';
import { debugConsole } from '../../src/platform/debug-console.js';
import { definePlugin } from '../../src/plugin/define.js';
import { bootedMachine, CODE, hex, machineWith, VMCALL, vmcallMissing } from '../support/booted-machine.js';

/** out 0xe9, al */
const SAY = hex('e6 e9');
/** out 0xf4, al / nop / hlt */
const EXIT = hex('e6 f4 90 f4');
const WORKBENCHES = 6;

describe('a machine after an error', () => {
  it('has no trace of fetching the instruction that is not modelled', () => {
    const jump = hex('90 e9 fa ff 0f 00'); // nop / jmp 0x200000, whose page was not accessed before
    const machine = machineWith(jump, { plugins: [vmcallMissing] });
    machine.writeMemory(0x20_0000, Uint8Array.from(hex(VMCALL)));
    expect(() => machine.run()).toThrow(NotModelled);
    expect(machine.position).toBe(3);
    expect(machine.state).toEqual(machine.timeline().seek(3));
  });

  it('has taken the steps before a gap, also if an exit ended the run before', () => {
    const gap = definePlugin({
      name: 'gap',
      version: '1.0.0',
      apiVersion: 1,
      ports: [
        {
          first: 0x10,
          last: 0x10,
          write: () => {
            throw new NotModelled('port 10H');
          },
        },
      ],
    });
    const machine = machineWith(hex('e6 f4 ff c1 e6 10'), { plugins: [debugConsole, gap] }); // inc ecx between the ports
    expect(machine.run().stop.reason).toBe('exit');
    expect(() => machine.run()).toThrow(NotModelled);
    expect([machine.position, machine.log.length, machine.readRegister(0, 'RCX')]).toEqual([2, 2, 1n]);
  });

  it('has taken no step of an event that says more than the processor can take', () => {
    const machine = machineWith(hex('90 90 f4'));
    machine.processor(0).set('RBX', 7n);
    expect(() => machine.apply({ type: 'processor/stepsRetired', processor: 0, steps: 10 })).toThrow(DivergenceError);
    expect([machine.position, machine.log.length, machine.readRegister(0, 'RIP')]).toEqual([1, 1, BigInt(CODE)]);
    expect(machine.readRegister(0, 'RBX')).toBe(7n);
  });
});

describe('a machine that is observed', () => {
  it('ends its run at the exit that the guest asks for, also when it is single-stepped', () => {
    const machine = machineWith(EXIT, { plugins: [debugConsole] });
    machine.processor(0).set('RAX', 3n);
    machine.outcomes$.subscribe();
    expect(machine.run()).toEqual({ steps: 1, stop: { reason: 'exit', value: 3 } });
  });

  it('tells what it says also when a listener needs every workbench', () => {
    const machine = machineWith([...SAY, ...SAY, ...EXIT], { plugins: [debugConsole] });
    machine.processor(0).set('RAX', 0x41n);
    const said: string[] = [];
    machine.emissions$.subscribe(({ type }) => said.push(type));
    machine.events$.subscribe(() => {
      for (let others = 0; others < WORKBENCHES; others++) bootedMachine().readRegister(0, 'RIP');
    });
    expect(machine.run().stop).toEqual({ reason: 'exit', value: 0x41 });
    expect(said).toEqual(['console/byteWritten', 'console/byteWritten', 'machine/exitRequested']);
  });
});
