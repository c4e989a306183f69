import { describe, expect, it } from 'vitest';
import { fieldNamed, fieldOffset, VMCS_FIELDS } from '../src/index.js';
import { vmcsLocation, vmxonRegionLocation } from '../src/locations.js';
import { bootedMachine, rootMachine, VMCS, VMXON_REGION } from './support/machine.js';

describe('vmcs:FIELD', () => {
  it('is the field’s place in the VMCS that is current on the processor', () => {
    const { state } = rootMachine();
    const address = Number(VMCS) + fieldOffset(fieldNamed('Guest RIP'));
    expect(vmcsLocation.resolve('Guest RIP', state, 0)).toEqual({ kind: 'memory', address, bytes: 8 });
  });

  it('resolves every name that it accepts', () => {
    const { state } = rootMachine();
    expect(vmcsLocation.names).toHaveLength(VMCS_FIELDS.length + 3);
    for (const name of vmcsLocation.names) expect(vmcsLocation.resolve(name, state, 0)).toBeDefined();
  });

  it('is nowhere without a current VMCS, and for a name that is no field', () => {
    expect(vmcsLocation.resolve('Guest RIP', rootMachine().state, 1)).toBeUndefined();
    expect(vmcsLocation.resolve('Guest RIP', bootedMachine().state, 0)).toBeUndefined();
    expect(vmcsLocation.resolve('guest rip', rootMachine().state, 0)).toBeUndefined();
  });
});

describe('vmxon-region:', () => {
  it('is the first doubleword of the processor’s VMXON region', () => {
    const place = { kind: 'memory', address: Number(VMXON_REGION), bytes: 4 };
    expect(vmxonRegionLocation.resolve('VMCS revision identifier', rootMachine().state, 0)).toEqual(place);
    expect(vmxonRegionLocation.resolve('VMCS revision identifier', rootMachine().state, 1)).toBeUndefined();
    expect(vmxonRegionLocation.resolve('Guest RIP', rootMachine().state, 0)).toBeUndefined();
  });
});
