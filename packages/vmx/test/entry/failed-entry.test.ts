import { fc, test } from '@fast-check/vitest';
import { firstViolation, Machine, Timeline } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import {
  ENTRY_CHECKS,
  type FieldName,
  fieldNamed,
  fieldOffset,
  recordedState,
  supportedFields,
  VMCS_FIELDS,
  vmFailValid,
} from '../../src/index.js';
import { shownProfile } from '../../src/modelled-capabilities.js';
import { type EditableState, edited, recordedVmcs } from '../support/entry-states.js';
import { ENTRY_VIOLATIONS } from '../support/entry-violations.js';
import { guestMachine, readField, writeFields } from '../support/guest.js';
import { rootMachine, VMCS, type VmxMachineUnderTest, writeValue } from '../support/machine.js';

const CHECKS = Object.values(ENTRY_CHECKS).flat();
const START = rootMachine();

/** A machine whose current VMCS has the fields of a state, and memory what the state has. */
function machineWith(
  fields: EditableState['fields'],
  memory: EditableState['memory'] = new Map(),
): VmxMachineUnderTest {
  const machine: VmxMachineUnderTest = new Machine(START.definition, START.state);
  for (const { name, bytes } of VMCS_FIELDS) {
    const value = fields[name];
    if (value !== undefined) writeValue(machine, VMCS + BigInt(fieldOffset(fieldNamed(name))), bytes, value);
  }
  for (const [address, value] of memory) writeValue(machine, address, 8, value);
  return machine;
}

/** Pairs that a machine can be brought into: it has no SMM, no tracing, is in 64-bit mode, and shows what it models. */
const reachable = CHECKS.filter(({ id }) => {
  const { base = 'long', processor = 'intel-server', given = [], violate } = ENTRY_VIOLATIONS[id] ?? { violate: [] };
  const state = edited(base, processor, [...given, ...violate]);
  const shown = recordedState({ ...recordedVmcs(state), profile: shownProfile(START.definition.profile) });
  const isPossible = processor === 'intel-server' && state.inIa32eMode && !state.inSmm && !state.isTracing;
  return isPossible && firstViolation(CHECKS, shown)?.rule.id === id;
});

describe('VMLAUNCH', () => {
  it.each(reachable)('ends as the table says if $id does not hold', ({ id, result }) => {
    const { base = 'long', given = [], violate } = ENTRY_VIOLATIONS[id] ?? { violate: [] };
    const { fields, memory } = edited(base, 'intel-server', [...given, ...violate]);
    const machine = machineWith(fields, memory);
    const outcome = machine.processor(0).vmlaunch();
    if (result.kind === 'VMfailValid') {
      expect(outcome).toEqual(vmFailValid(result.number, { rule: id }));
      expect(machine.processor(0).vmread(fieldNamed('VM-instruction error').encoding)).toMatchObject({
        value: BigInt(result.number),
      });
      return;
    }
    expect(outcome).toMatchObject({ kind: 'vmx/VM-entry-failure', rule: id });
    expect(machine.processor(0).vmread(fieldNamed('Exit reason').encoding)).toMatchObject({ value: 0x8000_0021n });
    expect(machine.processor(0).vmread(fieldNamed('Exit qualification').encoding)).toMatchObject({
      value: BigInt(result.qualification),
    });
  });

  it('is tested with most of the checks', () => {
    expect(reachable.length).toBeGreaterThan(170);
  });

  it('has all violated checks explained, with the writes that set their fields', () => {
    const machine = guestMachine([]);
    const cpu = machine.processor(0);
    writeFields(machine, { 'Guest RFLAGS': 0n });
    const blamed = machine.position - 1;
    writeFields(machine, { 'Host CS selector': 0n });
    cpu.vmlaunch();
    expect(new Timeline(machine.definition, machine.log).why()?.violations).toMatchObject([
      { rule: 'vmx.entry.host.cs-nonzero', decided: true },
      { rule: 'vmx.entry.guest.rflags.reserved', decided: false, fields: [{ writer: { position: blamed } }] },
    ]);
  });

  it('has the slice of the processor that enters explained', () => {
    const machine = guestMachine([], { 'VMCS link pointer': VMCS });
    machine.processor(0).vmlaunch();
    const [violation] = new Timeline(machine.definition, machine.log).why()?.violations ?? [];
    expect(violation?.rule).toBe('vmx.entry.guest.link.not-current');
    expect(violation?.fields.at(-1)).toMatchObject({ location: 'processor/0/slice/vmx/currentVmcs', value: VMCS });
  });
});

const UD2 = [0x0f, 0x0b];

/** A machine whose guest was entered and has left, so that a processor knows which checks passed. */
function leftGuest(): VmxMachineUnderTest {
  const machine = guestMachine(UD2, { 'Exception bitmap': 1n << 6n });
  machine.processor(0).vmlaunch();
  machine.processor(0).step();
  return machine;
}

/** One field with one bit changed, or with any value. */
const change: fc.Arbitrary<(machine: VmxMachineUnderTest) => void> = fc
  .tuple(
    fc.constantFrom(
      ...[...supportedFields(START.definition.profile)].filter(({ group }) => group !== 'read-only data'),
    ),
    fc.nat(63),
  )
  .map(([{ name, bytes }, bit]) => (machine) => {
    const value = readField(machine, name as FieldName);
    writeFields(machine, { [name]: value ^ (1n << BigInt(bit % (bytes * 8))) });
  });

describe('VMRESUME after an entry', () => {
  test.prop([fc.array(change, { minLength: 1, maxLength: 4 })], { numRuns: 50 })(
    'ends as it does on a processor that remembers nothing',
    (changes) => {
      const machine = leftGuest();
      for (const each of changes) each(machine);
      const forgetful: VmxMachineUnderTest = new Machine(machine.definition, machine.state);
      expect(machine.processor(0).vmresume()).toEqual(forgetful.processor(0).vmresume());
    },
  );

  it('finds what changed by itself', () => {
    const machine = leftGuest();
    writeFields(machine, { 'Guest RFLAGS': 0n });
    expect(machine.processor(0).vmresume()).toMatchObject({ rule: 'vmx.entry.guest.rflags.reserved' });
  });
});
