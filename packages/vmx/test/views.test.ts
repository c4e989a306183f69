import { describe, expect, it } from 'vitest';
import { supportedFields } from '../src/index.js';
import { vmcsView, vmxView } from '../src/views.js';
import { rootMachine, VMCS } from './support/machine.js';

describe('the view vmx', () => {
  it('says which logical processors are in VMX operation and who uses which region', () => {
    const [operation, regions] = vmxView(rootMachine().state);
    expect(operation?.rows).toEqual([
      [0, 1, '0x5', 'root', '0x200000', '0x210000'],
      [1, 1, '0x5', 'no', 'none', 'none'],
    ]);
    expect(regions?.rows.map((row) => row.slice(0, 3))).toEqual([
      ['0x200000', 'VMXON region', 0],
      ['0x210000', 'active VMCS', 0],
    ]);
  });
});

describe('the view vmcs', () => {
  it('shows every active VMCS with the fields that the processor supports', () => {
    const machine = rootMachine();
    machine.processor(0).vmwrite(0x681en, 0x1234n);
    const [view, ...others] = vmcsView(machine.state, machine.definition);
    expect(others).toEqual([]);
    expect(view?.title).toMatch(
      /^VMCS at 0x210000: active on processor 0 since position \d+, current, launch state clear$/,
    );
    expect(view?.rows).toHaveLength(supportedFields(machine.definition.profile).size);
    expect(view?.rows).toContainEqual(['Guest RIP', '0x681e', 'guest-state', '0x0000000000001234']);
  });

  it('shows a VMCS that is not current any more', () => {
    const machine = rootMachine();
    machine.processor(0).vmclear(VMCS + 0x1000n);
    machine.processor(0).vmptrld(VMCS + 0x1000n);
    const titles = vmcsView(machine.state, machine.definition).map(({ title }) => title);
    expect(titles.map((title) => /(not )?current/.exec(title)?.[0])).toEqual(['not current', 'current']);
  });
});
