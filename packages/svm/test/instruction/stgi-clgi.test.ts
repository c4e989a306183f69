import { completed } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { svmProcessorIn } from '../../src/index.js';
import { svmMachine } from '../support/svm-machine.js';

describe('the global interrupt flag', () => {
  it('is 1 after RESET', () => {
    expect(svmProcessorIn(svmMachine().state, 0)?.gif).toBe(true);
  });

  it('is cleared by CLGI and set by STGI', () => {
    const machine = svmMachine();
    const cpu = machine.processor(0);
    expect(cpu.clgi()).toEqual(completed());
    expect(svmProcessorIn(machine.state, 0)?.gif).toBe(false);
    expect(cpu.stgi()).toEqual(completed());
    expect(svmProcessorIn(machine.state, 0)?.gif).toBe(true);
  });

  it('is of one logical processor', () => {
    const machine = svmMachine('amd-server', 2);
    machine.processor(0).clgi();
    expect([0, 1].map((id) => svmProcessorIn(machine.state, id)?.gif)).toEqual([false, true]);
  });

  it('is no bit of RFLAGS: CLGI and STGI change no register', () => {
    const machine = svmMachine();
    const { general } = machine.processor(0).state;
    machine.processor(0).clgi();
    machine.processor(0).stgi();
    expect(machine.processor(0).state.general).toEqual(general);
  });

  it('is changed by the encoded instructions too', () => {
    const machine = svmMachine();
    machine.writeMemory(0x10_0000n, Uint8Array.from([0x0f, 0x01, 0xdd, 0x0f, 0x01, 0xdc])); // CLGI, STGI
    machine.processor(0).set('RIP', 0x10_0000n);
    machine.processor(0).step();
    expect(svmProcessorIn(machine.state, 0)?.gif).toBe(false);
    machine.processor(0).step();
    expect(svmProcessorIn(machine.state, 0)?.gif).toBe(true);
  });
});
