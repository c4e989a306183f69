import { describe, expect, it } from 'vitest';
import { vmcbLocation } from '../src/locations.js';
import { svmView, vmcbView } from '../src/views.js';
import { VMCB_FIELDS } from '../src/vmcb.js';
import { svmMachine, VMCB } from './support/svm-machine.js';

describe('the view svm', () => {
  it('has a row for each processor', () => {
    const machine = svmMachine('amd-server', 2);
    machine.processor(1).clgi();
    machine.processor(1).vmsave(VMCB);
    machine.processor(1).wrmsr(0xc001_0114n, 0b1010n);
    expect(svmView(machine.state)[0]?.rows).toEqual([
      [0, 1, 1, 0, '—', '0x0', '—'],
      [1, 1, 0, 0, 'R_INIT LOCK', '0x0', '0x200000'],
    ]);
  });
});

describe('the view vmcb', () => {
  it('is empty before a VMCB is used', () => {
    expect(vmcbView(svmMachine().state)).toEqual([]);
  });

  it('shows each field once for each VMCB, with the bits that are set', () => {
    const machine = svmMachine('amd-server', 2);
    machine.writeMemory(VMCB + 0xa8n, Uint8Array.of(0x0e, 0x0b, 0, 0x80));
    machine.writeMemory(VMCB + 0x440n, Uint8Array.of(0x10, 0, 0x93, 0xc));
    machine.processor(0).vmload(VMCB);
    machine.processor(1).vmload(VMCB);
    const [view, ...others] = vmcbView(machine.state);
    expect(others).toEqual([]);
    expect(view?.title).toBe('VMCB at 0x200000 (processor 0, 1)');
    expect(view?.rows.length).toBe(VMCB_FIELDS.filter(({ reserved }) => !reserved).length);
    expect(view?.rows).toContainEqual(['0xa8', 'EVENTINJ', '0x80000b0e VECTOR=0xe TYPE=0x3 EV V']);
    expect(view?.rows).toContainEqual(['0x440', 'FS', 'selector 0x10, attributes 0xc93, limit 0x0, base 0x0']);
  });
});

describe('locations', () => {
  const machine = svmMachine();
  machine.processor(0).vmsave(VMCB);

  it('are relative to the VMCB that the processor used last', () => {
    expect(vmcbLocation.resolve('N_CR3', machine.state, 0)).toEqual({ kind: 'memory', address: 0x20_00b0, bytes: 8 });
    expect(vmcbLocation.resolve('FS.base', machine.state, 0)).toEqual({ kind: 'memory', address: 0x20_0448, bytes: 8 });
  });

  it('take an address behind the name', () => {
    expect(vmcbLocation.resolve('RIP@0x5000', machine.state, 0)).toEqual({ kind: 'memory', address: 0x5578, bytes: 8 });
    expect(vmcbLocation.resolve('RIP@20480', machine.state, 0)).toEqual({ kind: 'memory', address: 0x5578, bytes: 8 });
  });

  it('are nowhere for a name that is none, and before a VMCB was used', () => {
    expect(vmcbLocation.resolve('N_CR4', machine.state, 0)).toBeUndefined();
    expect(vmcbLocation.resolve('N_CR3', svmMachine().state, 0)).toBeUndefined();
  });
});
