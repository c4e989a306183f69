import { defineInstruction, definePlugin, fault, PLUGIN_API_VERSION, sdm, Timeline } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { explainedEntryChecks } from '../../src/entry/explained-checks.js';
import { fieldNamed, VMCS_FIELDS } from '../../src/index.js';
import { edited } from '../support/entry-states.js';
import { rootMachine } from '../support/machine.js';

const RULE = 'vmx.entry.guest.rflags.reserved';

/** An instruction that makes the checks in its effect, as VM entry does, and fails. */
const failingEntry = definePlugin({
  name: 'failing-entry',
  version: '1.0.0',
  apiVersion: PLUGIN_API_VERSION,
  requires: ['vmx'],
  instructions: [
    defineInstruction({
      mnemonic: 'fail entry',
      manual: sdm('VMLAUNCH/VMRESUME—Launch/Resume Virtual Machine'),
      reads: [],
      writes: [],
      flags: 'unaffected',
      effectChecks: explainedEntryChecks,
      intrinsics: { failEntry: { operands: [] } },
      effect: () => fault('#UD', { rule: RULE }),
    }),
  ],
});

/** A machine whose current VMCS would pass, and the timeline of its failed entry. */
function enteredMachine() {
  const machine = rootMachine({}, [failingEntry]);
  const cpu = machine.processor(0);
  const { fields } = edited('long', 'intel-server', []);
  for (const { name, encoding } of VMCS_FIELDS) {
    const value = fields[name];
    if (value !== undefined) cpu.vmwrite(encoding, value);
  }
  return machine;
}

const why = (machine: ReturnType<typeof rootMachine>) => {
  machine.apply({ type: 'processor/intrinsicExecuted', processor: 0, intrinsic: 'failEntry', operands: [] });
  return new Timeline(machine.definition, machine.log).why()?.violations ?? [];
};

describe('why of an entry', () => {
  it('names all violated checks, with values and the writes that set them', () => {
    const machine = enteredMachine();
    const cpu = machine.processor(0);
    cpu.vmwrite(fieldNamed('Guest RFLAGS').encoding, 0n);
    const blamed = machine.position - 1;
    cpu.vmwrite(fieldNamed('Guest activity state').encoding, 7n);
    expect(why(machine)).toMatchObject([
      {
        rule: RULE,
        decided: true,
        manual: { title: 'Checks on Guest RIP, RFLAGS, and SSP' },
        fields: [{ location: 'processor/0/vmcs:Guest RFLAGS', value: 0n, writer: { position: blamed } }],
      },
      { rule: 'vmx.entry.guest.activity.range', decided: false, fields: [{ value: 7n }] },
    ]);
  });

  it('reads the slice of the processor that enters', () => {
    const machine = enteredMachine();
    const current = BigInt(0x21_0000);
    machine.processor(0).vmwrite(fieldNamed('VMCS link pointer').encoding, current);
    const found = why(machine).find(({ rule }) => rule === 'vmx.entry.guest.link.not-current');
    expect(found?.fields.at(-1)).toMatchObject({ location: 'processor/0/slice/vmx/currentVmcs', value: current });
  });
});
